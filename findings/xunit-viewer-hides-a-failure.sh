#!/usr/bin/env bash
# xunit-viewer counts two test cases of one name in suites of one name as one, whose status is that of the last one read.
#
# What:     xunit-viewer 10.6.1, a folder with the JUnit files of two jobs (`-r folder -c`), each with a suite "parser" of two
#           cases. In the first file one of them fails.
# Expected: four cases, one of them failed, as the attributes "tests" and "failures" of both files say; or two, one of them
#           failed.
# Seen:     status 0, and as many cases as there are names:
#             the failed job first:             2 passed; its message is nowhere
#             the failed job last:              1 failure, 1 passed
#             suites whose names differ:        1 failure, 3 passed
#           Two suites of one name in one file are merged in the same way.
# Hurts:    jobs of a matrix (two systems, two versions) name their suites alike. Which of them ends up last in the listing of
#           a folder decides whether the report is red. Put the job's name into that of the suite before they are shown.
. "$(dirname "$0")/common.sh"

npm_packages xunit-viewer@10.6.1

# The report of one job: the file, the suite's name, and what stands in the case "reads".
report() {
  mkdir -p "$(dirname "$work/$1")"
  cat >"$work/$1" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="$2" tests="2" failures="$(grep -c '<failure' <<<"$3" || true)">
    <testcase classname="parser" name="reads">$3</testcase>
    <testcase classname="parser" name="writes"/>
  </testsuite>
</testsuites>
XML
}
failure='<failure message="got 3, wanted 4"/>'
report first/linux.xml parser "$failure"
report first/windows.xml parser ''
report last/linux.xml parser ''
report last/windows.xml parser "$failure"
report other/linux.xml 'parser on linux' "$failure"
report other/windows.xml 'parser on windows' ''

view() { (cd "$work" && node_modules/.bin/xunit-viewer -r "$1" -c -n -C false -o page.html); }
# The last line, its parts in the order of the alphabet.
summary() { view "$1" | grep -E '^[0-9]+ ' | tr ',' '\n' | sed 's/^ *//' | sort | paste -sd,; }
seen 'the failed job first' "$(summary first)" '2 passed'
seen 'lines with its message' "$(view first | grep -c 'got 3' || true)" 0
seen 'the failed job last' "$(summary last)" '1 failure,1 passed'
seen 'suites of other names' "$(summary other)" '1 failure,3 passed'
