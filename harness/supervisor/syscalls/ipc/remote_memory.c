/* process_vm_readv and process_vm_writev between guests: one reads or writes the memory of another. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "loop/answer.h"
#include "loop/calls.h"
#include "ptrace/guest.h"

enum { MOST_PARTS = 1024, PIECE = 65536, MOST_BYTES = 0x7ffff000 };

/* Places of one memory, of which the first ones are done. */
struct parts {
  struct task *task;
  struct iovec list[MOST_PARTS];
  size_t count, at, done;
};

static int read_parts(struct task *t, struct parts *p, struct task *task, uint64_t address, uint64_t count) {
  p->task = task;
  p->count = (size_t)count;
  p->at = p->done = 0;
  if (count > MOST_PARTS) return -EINVAL;
  return guest_read(t, address, p->list, p->count * sizeof *p->list) || !count ? 0 : -EFAULT;
}

/* How much of the place at hand is left, and where; 0 behind the last. */
static size_t left(struct parts *p, uint64_t *address) {
  while (p->at < p->count && p->done == p->list[p->at].iov_len) p->at++, p->done = 0;
  if (p->at == p->count) return 0;
  *address = (uint64_t)(uintptr_t)p->list[p->at].iov_base + p->done;
  return p->list[p->at].iov_len - p->done;
}

static int64_t copy(struct parts *from, struct parts *to) {
  static uint8_t bytes[PIECE];
  int64_t copied = 0;
  while (copied < MOST_BYTES) {
    uint64_t source = 0, target = 0;
    size_t n = left(from, &source), room = left(to, &target);
    if (n > room) n = room;
    if (n > PIECE) n = PIECE;
    if (n == 0) break;
    n = guest_read_some(from->task, source, bytes, n);
    if (n == 0 || !guest_write(to->task, target, bytes, n)) return copied ? copied : -EFAULT;
    from->done += n;
    to->done += n;
    copied += (int64_t)n;
  }
  return copied;
}

enum action on_process_vm(struct task *t, struct call *c) {
  static struct parts here, there;
  struct task *other = find_task((pid_t)c->args[0]);
  if (c->args[5]) return answer(c, -EINVAL);
  int error = read_parts(t, &here, t, c->args[1], c->args[2]);
  if (!error) error = read_parts(t, &there, other, c->args[3], c->args[4]);
  if (error) return answer(c, error);
  if (!other) return answer(c, (pid_t)c->args[0] == 1 ? -EPERM : -ESRCH);
  return answer(c, c->nr == SYS_process_vm_readv ? copy(&there, &here) : copy(&here, &there));
}
