#!/usr/bin/env bash
# For a nil pointer in Go, gdb and delve give the line before the fault, in the one frame that matters; Go's own traceback is right.
#
# What:     a program built by go 1.19.8 without flags; gdb 13.1 stopped in runtime.gopanic, delve 1.20.2 at its own stop for
#           an unrecovered panic; a field of a nil pointer is read at the beginning of a line.
# Expected: the same line three times. The frame below runtime.sigpanic was not left by a call: its address is that of the
#           instruction that faulted, and not one behind a call.
# Seen:     both debuggers look the line up one byte before the address, as they have to do below a call:
#             Go:     main.culprit main.go:18    the line that reads the field
#             gdb:    main.culprit main.go:16    (the address is the same in all three)
#             delve:  main.culprit main.go:16
# Hurts:    the crash is looked for in a line that runs well, and reports grouped by line fall apart by the tool that walked the
#           stack. Where runtime.sigpanic is above, look the address up as it is.
. "$(dirname "$0")/common.sh"

needs golang-1.19-go 1.19.8-2
needs gdb 13.1-3
debian delve=1.20.2-1+deb12u1

cd "$work"
cat >go.mod <<'GO'
module example
go 1.19
GO
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
)

type node struct {
	value int
	next  *node
}

//go:noinline
func culprit(n *node, k int) int {
	total := k * 3
	total += len(os.Args)
	total +=
		n.value
	return total
}

func main() {
	var n *node
	if len(os.Args) > 5 {
		n = &node{value: 1}
	}
	fmt.Println(culprit(n, len(os.Args)))
}
GO
HOME=$work GOFLAGS=-mod=mod /usr/lib/go-1.19/bin/go build -o program .

# The line of main.culprit in what a tool printed.
line() { grep -A1 -E 'main\.culprit' | grep -oE 'main\.go:[0-9]+' | head -1; }
seen "Go's traceback" "$( (./program 2>&1 || true) | line)" main.go:18
seen 'gdb' "$(gdb -nx -batch -ex 'handle SIGSEGV nostop noprint pass' -ex 'break runtime.gopanic' -ex run -ex bt \
  program 2>/dev/null | line)" main.go:16
printf 'continue\nbt\nexit\n' >commands
seen 'delve' "$(HOME=$work root/usr/bin/dlv exec ./program --init commands --allow-non-terminal-interactive </dev/null 2>&1 |
  line)" main.go:16
