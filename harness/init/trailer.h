/* The end trailer: the only statement of how the program ended that the runner trusts. */
#ifndef REENACT_TRAILER_H
#define REENACT_TRAILER_H
#include <stddef.h>
#include <stdint.h>

#include "appendix.h"

/* Five digits: a larger count is reported as that. */
enum { PAYLOAD_SIZE = 128, MOST_UNPROVEN = 99999 };

struct ending {
  const char *kind; /* exit, signal, timeout, exec_failed, unsupported or indeterminate_spin */
  int value;        /* exit code, signal number, errno or what is unsupported */
  long oom;         /* processes the kernel killed for memory; -1 unknown */
  long hidden;      /* paths that the archive API cannot show; -1 not looked for */
  long ms;          /* the program's wall time, milliseconds */
  unsigned unproven; /* places that may hold an instruction to rewrite, and were left alone */
  const char *crash; /* the record of all crashes, which goes before the trailer; NULL without any */
  const void *log;   /* the event log, which goes behind the crash; NULL when none was asked for */
  size_t log_size;
};

/* Writes payload, newline, 64 hex digits of HMAC, newline to stderr, whatever the guest did to it. */
void write_trailer(const uint8_t key[KEY_SIZE], const struct ending *end);

#endif
