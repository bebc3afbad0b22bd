/* Options of sockets and requests to descriptors: those that reveal the real clock, the host's disk or its processors. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>

#include "loop/answer.h"
#include "loop/calls.h"
#include "ptrace/guest.h"

/* Stamps by the real clock, the processor a packet came by, numbers counted since the host's start. */
static int tells_of_the_host(const struct call *c) {
  enum { INCOMING_CPU = 49, INCOMING_NAPI = 56, COOKIE = 57, STAMP = 63, STAMP_NS = 64, STAMPING = 65, NET_COOKIE = 71 };
  enum { TCP_STAMP = 24, CONGESTION = 26 };
  int name = (int)c->args[2];
  if ((int)c->args[1] == IPPROTO_TCP) return name == TCP_STAMP || name == CONGESTION;
  if ((int)c->args[1] != SOL_SOCKET) return 0;
  switch (name) {
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
    case SO_TIMESTAMPING:
    case STAMP:
    case STAMP_NS:
    case STAMPING: return c->nr == SYS_setsockopt;
    case INCOMING_CPU:
    case INCOMING_NAPI:
    case COOKIE:
    case NET_COOKIE: return 1;
    default: return 0;
  }
}

enum action on_option(struct task *t, struct call *c) {
  (void)t;
  if (tells_of_the_host(c)) return answer(c, -ENOPROTOOPT);
  return (int)c->args[1] == IPPROTO_TCP && (int)c->args[2] == TCP_INFO && c->nr == SYS_getsockopt ? AFTER : RUN;
}

/* In a connection's state, everything that the real clock measured, and all that follows from it, is 0. */
enum action after_option(struct task *t, struct call *c) {
  enum { TIMEOUTS = 8, SIZES = 16, MEASURED = 44, LONGEST = 512 };
  uint8_t info[LONGEST];
  uint32_t size;
  if (c->result < 0 || !guest_read(t, c->args[4], &size, sizeof size) || size > LONGEST) return RUN;
  if (!guest_read(t, c->args[3], info, size)) return RUN;
  for (uint32_t i = TIMEOUTS; i < size; i++)
    if (i < SIZES || i >= MEASURED) info[i] = 0;
  guest_write(t, c->args[3], info, size);
  return RUN;
}
