/* signalfd: the kernel answers with the caller's own signals, so the supervisor would get its own. */
#define _GNU_SOURCE
#include "signalfd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/calls.h"
#include "ptrace/guest.h"

static int made;

int are_signals_read(void) { return made; }

enum action on_signalfd(struct task *t, struct call *c) {
  (void)t, (void)c;
  made = 1;
  return RUN;
}

int signalfd_ready(struct task *t, int fd) {
  char file[32], text[512];
  uint64_t own = 0, whole = 0;
  if (!made) return -1;
  snprintf(file, sizeof file, "fdinfo/%d", fd);
  const char *at = guest_proc(t, file, text, sizeof text) > 0 ? strstr(text, "sigmask:\t") : NULL;
  if (!at) return -1;
  guest_pending(t, 0, &own);
  guest_pending(t, 1, &whole);
  return ((own | whole) & strtoull(at + 9, NULL, 16)) != 0;
}
