/* A trap that a guest blocks or ignores makes the kernel forget the guest's action and mask; they are kept here.
   The kernel's own action is always a handler, so that a handler that is gone proves that the signal was blocked. */
#define _GNU_SOURCE
#include "traps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "arch/arch.h"
#include "calls.h"
#include "ptrace/guest.h"
#include "supervisor.h"

/* NOBODY stands for the default and for what is ignored: no signal is ever delivered to it. */
enum { DEFAULT, IGNORE, NOBODY = 2, SET_SIZE = 8, PAGE = 4096 };
#define ONCE UINT64_C(0x80000000)
#define KNOWN_FLAGS UINT64_C(0xdc000807)

static const int signals[TRAP_SIGNALS] = {SIGSEGV, SIGILL};
static int used[TRAP_SIGNALS];

/* For the trap at hand: whether the kernel took the handler away, which proves that it was blocked. */
static siginfo_t raised;
static int forgotten;

static int index_of(uint64_t signal) {
  for (int i = 0; i < TRAP_SIGNALS; i++)
    if ((uint64_t)signals[i] == signal) return i;
  return -1;
}

int trap_watches(const struct call *c) { return c->nr == SYS_rt_sigaction && index_of(c->args[0]) >= 0; }

void traps_use(int signal) { used[index_of((uint64_t)signal)] = 1; }

static struct dispositions *new_dispositions(const struct dispositions *from) {
  struct dispositions *a = malloc(sizeof *a);
  if (!a) _exit(125);
  *a = from ? *from : (struct dispositions){0};
  a->holders = 1;
  return a;
}

void traps_forget(struct process *p) {
  if (p->dispositions && --p->dispositions->holders == 0) free(p->dispositions);
  p->dispositions = NULL;
}

void traps_inherit(struct process *child, struct process *parent, int shared) {
  traps_forget(child);
  child->dispositions = shared ? parent->dispositions : new_dispositions(parent ? parent->dispositions : NULL);
  child->dispositions->holders += shared != 0;
}

/* A call that is not passed to the kernel as it is. */
static int is_hidden(const struct disposition *d) { return d->handler <= IGNORE || d->flags & ONCE; }

/* A call on the guest's behalf reads `bytes` from a page with code, which is put back as it was: the one that it
   executes or, when it went where there is no memory, the clock functions' or its last caller's. */
static int64_t call_with(struct task *t, struct call c, int argument, const void *bytes, size_t size) {
  uint8_t old[sizeof(siginfo_t)];
  /* The last bytes of the clock functions' page are the instruction that makes the call: the first are taken. */
  const uint64_t image = t->process->vector[1], places[] = {arch_counter(t), image ? image + PAGE / 2 : 0, t->process->caller};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    uint64_t page = places[i] & ~(uint64_t)(PAGE - 1);
    c.args[argument] = places[i] - page < PAGE / 2 ? page + PAGE - sizeof old : page;
    if (places[i] == 0 || !guest_read(t, c.args[argument], old, size)) continue;
    if (!guest_write(t, c.args[argument], bytes, size)) continue;
    int64_t result = arch_call(t, &c);
    guest_write(t, c.args[argument], old, size);
    return result;
  }
  return -EFAULT;
}

static int set_disposition(struct task *t, int signal, const struct disposition *d) {
  const struct call c = {SYS_rt_sigaction, {(uint64_t)signal, 0, 0, SET_SIZE}, 0};
  int64_t result = call_with(t, c, 1, d, sizeof *d);
  return result == 0 || result == -ESRCH;
}

static int set_kernels(struct task *t, int signal, const struct disposition *wanted) {
  struct disposition k = *wanted;
  if (k.handler <= IGNORE) k.handler = NOBODY;
  k.flags &= ~ONCE;
  return set_disposition(t, signal, &k);
}

void traps_settle_program(struct task *t) {
  struct dispositions *a = new_dispositions(NULL);
  for (int i = 0; i < TRAP_SIGNALS; i++) {
    if (t->process->dispositions->of[i].handler == IGNORE) a->of[i].handler = IGNORE;
    if (used[i] && !set_kernels(t, signals[i], &a->of[i])) give_up_on(TRAP_FORGETS);
  }
  traps_forget(t->process);
  t->process->dispositions = a;
}

/* Whether the kernel has a handler: field 34 of the thread's stat, the cheapest place that tells. */
static int is_caught(const struct task *t, int signal) {
  enum { CAUGHT_AT = 34 - 2 };
  static pid_t last;
  static int fd = -1;
  char text[1024];
  ssize_t n = last == t->tid && fd >= 0 ? pread(fd, text, sizeof text - 1, 0) : -1;
  if (n <= 0) {
    if (fd >= 0) close(fd);
    snprintf(text, sizeof text, "/proc/%d/task/%d/stat", (int)t->process->tgid, (int)t->tid);
    last = t->tid;
    fd = open(text, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
  }
  if (n <= 0) return 1;
  text[n] = 0;
  const char *at = strrchr(text, ')');
  for (int i = 0; at && i < CAUGHT_AT; i++) at = strchr(at + 1, ' ');
  return at ? strtoull(at, NULL, 10) >> (signal - 1) & 1 : 1;
}

/* The processor raised it, not a sender. One that was sent before, while it was blocked, hides the
   trap's own: then the handler is gone all the same. */
static int is_raised(struct task *t, int signal) {
  forgotten = used[index_of((uint64_t)signal)] && !is_caught(t, signal);
  return ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &raised) == 0 && (raised.si_code > 0 || forgotten);
}

/* After a trap that was answered: the guest's action and mask are what they were before. */
static void settle(struct task *t, int signal) {
  uint64_t blocked;
  if (!forgotten || !arch_load(t)) return;
  if (!set_kernels(t, signal, &t->process->dispositions->of[index_of((uint64_t)signal)])) give_up_on(TRAP_FORGETS);
  if (ptrace(PTRACE_GETSIGMASK, t->tid, (void *)sizeof blocked, &blocked) != 0) return;
  blocked |= UINT64_C(1) << (signal - 1);
  ptrace(PTRACE_SETSIGMASK, t->tid, (void *)sizeof blocked, &blocked);
  if (raised.si_code > 0) return;
  const struct call again = {SYS_rt_tgsigqueueinfo, {(uint64_t)t->process->tgid, (uint64_t)t->tid, (uint64_t)signal}, 0};
  call_with(t, again, 3, &raised, sizeof raised);
}

/* At the first instruction of a handler that runs only once: it is in place, and nothing of it has run. */
static void delivered(struct task *t) {
  struct disposition *d = &t->process->dispositions->of[index_of((uint64_t)t->once)];
  int signal = t->once;
  t->once = 0;
  d->handler = DEFAULT;
  if (!arch_load(t) || !set_kernels(t, signal, d)) give_up_on(TRAP_FORGETS);
}

int trap_stop(struct task *t, int signal) {
  int i = index_of((uint64_t)signal);
  if (t->condemned == signal) return t->signal = signal, 1;
  if (t->once && signal == SIGTRAP) return delivered(t), 1;
  if (i < 0 || !is_raised(t, signal)) return 0;
  if (arch_emulate(t, signal)) return settle(t, signal), 1;
  /* A fault of the guest's own cannot be ignored. */
  struct disposition *d = &t->process->dispositions->of[i];
  if (d->handler == IGNORE) d->handler = DEFAULT;
  return 0;
}

int trap_deliver(struct task *t, int signal) {
  int i = index_of((uint64_t)signal);
  if (i < 0 || !used[i] || !is_caught(t, signal)) return signal;
  struct disposition *d = &t->process->dispositions->of[i];
  t->once = d->handler > IGNORE && d->flags & ONCE ? signal : 0;
  if (d->handler > IGNORE) return signal;
  if (d->handler == IGNORE) return 0;
  /* The kernel ends the process: the signal that is sent anew finds no handler. */
  t->condemned = signal;
  if (!arch_load(t) || !set_disposition(t, signal, &(struct disposition){0})) give_up_on(TRAP_FORGETS);
  return signal;
}

void traps_correct(const struct process *p, uint64_t *ignored, uint64_t *caught) {
  for (int i = 0; i < TRAP_SIGNALS; i++) {
    uint64_t bit = UINT64_C(1) << (signals[i] - 1);
    if (!used[i] || !(*caught & bit) || p->dispositions->of[i].handler > IGNORE) continue;
    *caught &= ~bit;
    if (p->dispositions->of[i].handler == IGNORE) *ignored |= bit;
  }
}

/* Notes what the guest asked for, as the kernel would. */
static void record(struct disposition *d, const struct disposition *wanted) {
  *d = *wanted;
  d->flags &= KNOWN_FLAGS;
  d->mask &= ~(UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1));
}

/* The kernel is not asked where it has no handler to forget and no signal to drop. */
enum action on_sigaction(struct task *t, struct call *c) {
  int i = index_of(c->args[0]);
  struct disposition *d = &t->process->dispositions->of[i], former = *d;
  t->sets = c->args[1] && guest_read(t, c->args[1], &t->wanted, sizeof t->wanted);
  if (!used[i] || c->args[3] != SET_SIZE || (c->args[1] && !t->sets)) return RUN;
  if (t->sets && (d->handler > IGNORE || t->wanted.handler != DEFAULT)) return AFTER;
  if (t->sets) record(d, &t->wanted);
  return answer(c, !c->args[2] || guest_write(t, c->args[2], &former, sizeof former) ? 0 : -EFAULT);
}

/* It may have set the action and then failed to tell the former one. */
enum action after_sigaction(struct task *t, struct call *c) {
  int i = index_of(c->args[0]);
  struct disposition *d = &t->process->dispositions->of[i], former = *d;
  if (!t->sets || (c->result != 0 && c->result != -EFAULT)) return RUN;
  record(d, &t->wanted);
  if (is_hidden(d) && !set_kernels(t, signals[i], d)) give_up_on(TRAP_FORGETS);
  if (c->result == 0 && c->args[2]) guest_write(t, c->args[2], &former, sizeof former);
  return DONE;
}
