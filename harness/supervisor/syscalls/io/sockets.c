/* Sockets: names that the kernel would choose at random, connections that would wait, time-outs by the virtual clock. */
#define _GNU_SOURCE
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/answer.h"
#include "arch/arch.h"
#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "syscalls/files/entries.h"
#include "ptrace/guest.h"
#include "syscalls/files/inodes.h"

enum { FIRST_PORT = 32768, LAST_PORT = 60999, MICRO = 1000, NANO = 1000000000 };

union address {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
  struct sockaddr_un local;
  struct sockaddr_storage room;
};

static int option(int fd, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

int is_datagram(int fd) { return option(fd, SO_TYPE) == SOCK_DGRAM; }

int64_t socket_deadline(int fd, int sending) {
  struct timeval span = {0, 0};
  socklen_t size = sizeof span;
  if (getsockopt(fd, SOL_SOCKET, sending ? SO_SNDTIMEO : SO_RCVTIMEO, &span, &size) != 0) return NEVER;
  if (span.tv_sec == 0 && span.tv_usec == 0) return NEVER;
  return clock_after(span.tv_sec > INT32_MAX ? INT64_MAX : span.tv_sec * NANO + span.tv_usec * MICRO);
}

static in_port_t *port_in(union address *a) {
  /* Without a family it is taken for the older one's. */
  int four = a->any.sa_family == AF_INET || a->any.sa_family == AF_UNSPEC;
  return four ? &a->four.sin_port : a->any.sa_family == AF_INET6 ? &a->six.sin6_port : NULL;
}

/* Binds to the next port that is free; the kernel would take one by chance. An errno or 0. */
static int bind_to_next(int fd, union address *a, socklen_t size) {
  static int last = FIRST_PORT - 1;
  for (int tries = FIRST_PORT; tries <= LAST_PORT; tries++) {
    last = last < LAST_PORT ? last + 1 : FIRST_PORT;
    *port_in(a) = htons((uint16_t)last);
    if (bind(fd, &a->any, size) == 0) return 0;
    if (errno != EADDRINUSE) return -errno;
  }
  return -EADDRINUSE;
}

void settle_port(int fd) {
  union address a = {0};
  socklen_t size = sizeof a;
  int type = option(fd, SO_TYPE);
  if ((type != SOCK_STREAM && type != SOCK_DGRAM) || getsockname(fd, &a.any, &size) != 0) return;
  if (port_in(&a) && *port_in(&a) == 0) bind_to_next(fd, &a, size);
}

/* An abstract name of the kernel's choice: five digits, which begin at an unknown number. */
static int bind_to_number(int fd) {
  static unsigned last;
  union address a = {.local = {.sun_family = AF_UNIX}};
  snprintf(a.local.sun_path + 1, 6, "%05x", ++last & 0xfffff);
  return bind(fd, &a.any, sizeof(sa_family_t) + 6) == 0 ? 0 : -errno;
}

static int is_path(const union address *a) { return a->any.sa_family == AF_UNIX && a->local.sun_path[0]; }

enum action on_bind(struct task *t, struct call *c) {
  union address a = {0};
  socklen_t size = (socklen_t)c->args[2];
  if (size < sizeof(sa_family_t) || size > sizeof a || !guest_read(t, c->args[1], &a, size)) return RUN;
  int port = port_in(&a) && size >= sizeof a.four && *port_in(&a) == 0;
  int number = a.any.sa_family == AF_UNIX && size == sizeof(sa_family_t);
  int fd = port || number ? guest_descriptor(t, (int)c->args[0]) : -1, type = fd < 0 ? -1 : option(fd, SO_TYPE);
  enum action action = RUN;
  if (port && (type == SOCK_STREAM || type == SOCK_DGRAM)) action = answer(c, bind_to_next(fd, &a, size));
  else if (number && type >= 0) action = answer(c, bind_to_number(fd));
  else if (is_path(&a)) action = AFTER;
  if (fd >= 0) close(fd);
  return action;
}

/* A socket with a name in a folder is a new file. */
enum action after_bind(struct task *t, struct call *c) {
  union address a = {0};
  struct stat st;
  size_t size = (size_t)c->args[2];
  if (c->result != 0 || size >= sizeof a || !guest_read(t, c->args[1], &a, size) || !is_path(&a)) return RUN;
  if (guest_lookup(t, AT_FDCWD, a.local.sun_path, AT_SYMLINK_NOFOLLOW, &st)) inode_born(st.st_dev, st.st_ino);
  entry_changed(t, AT_FDCWD, a.local.sun_path);
  return RUN;
}

enum action on_listen(struct task *t, struct call *c) {
  int fd = guest_descriptor(t, (int)c->args[0]);
  if (fd >= 0) settle_port(fd);
  if (fd >= 0) close(fd);
  return RUN;
}

/* Tried without waiting: after_connect handles the result. */
enum action on_connect(struct task *t, struct call *c) {
  int fd = guest_descriptor(t, (int)c->args[0]);
  if (fd < 0) return RUN;
  int flags = fcntl(fd, F_GETFL), patient = !(flags & O_NONBLOCK);
  settle_port(fd);
  if (patient && !t->retry) t->deadline = socket_deadline(fd, 1);
  if (patient) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  close(fd);
  if (!patient) return RUN;
  arch_replace(t, c);
  return AFTER;
}

static int is_through(int fd) {
  struct pollfd one = {.fd = fd, .events = POLLOUT};
  return poll(&one, 1, 0) == 1;
}

/* A queue that is full drops the attempt, and the kernel would try again by its own clock: it is taken back here. */
enum action after_connect(struct task *t, struct call *c) {
  int fd = guest_descriptor(t, (int)c->args[0]);
  enum action action = DONE;
  if (fd < 0) return RUN;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  int late = t->deadline != NEVER && clock_now() >= t->deadline;
  if (c->result == -EINPROGRESS && is_through(fd)) {
    c->result = -option(fd, SO_ERROR);
  } else if (c->result == -EINPROGRESS) {
    union address none = {.any = {.sa_family = AF_UNSPEC}};
    if (!late) connect(fd, &none.any, sizeof none.any), action = AGAIN;
  } else if (c->result == -EAGAIN && !late) {
    action = AGAIN;
  }
  close(fd);
  return action;
}
