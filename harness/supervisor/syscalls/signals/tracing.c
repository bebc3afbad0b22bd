/* Guests that trace guests. The kernel knows one tracer only, which we are: a guest that another one traces is held
   here, and its tracer's requests are carried out for it. */
#define _GNU_SOURCE
#include "tracing.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include "loop/answer.h"
#include "arch/arch.h"
#include "loop/calls.h"
#include "loop/ends.h"
#include "ptrace/guest.h"
#include "loop/schedule.h"
#include "signals.h"
#include "loop/supervisor.h"

enum { EVENT_STOP = 128, EXIT_KILL = 1 << 20, KNOWN_OPTIONS = EXIT_KILL | 1, WORD = 8, LAST_SIGNAL = 64 };
enum { FLOATS = 512, RESTARTS = -512, BY_KERNEL = 128 };

static enum action refuse(struct call *c) {
  give_up_on(PTRACE_REQUEST + (int)(c->args[0] & 0xffff));
  return answer(c, -ENOSYS);
}

/* Its tracer learns of it by its wait, and by SIGCHLD if it has a handler for that. */
static void hold(struct task *t, int stop, int signal) {
  struct task *tracer = find_task(t->traced.tracer);
  t->traced.stop = stop;
  t->traced.at_signal = signal;
  t->traced.told = 0;
  mark_success();
  if (!tracer || (tracer->state == BLOCKED && tracer->call.nr == SYS_wait4)) return;
  if (guest_ignored(tracer) >> (SIGCHLD - 1) & 1) return;
  kill(tracer->process->tgid, SIGCHLD);
  signals_sent++;
}

static void let_go(struct task *t, int signal) {
  int held_at = t->traced.at_signal;
  t->traced.stop = t->traced.at_signal = 0;
  mark_success();
  if (signal == 0) return;
  if (held_at) {
    deliver(t, signal);
    return;
  }
  syscall(SYS_tgkill, t->process->tgid, t->tid, signal);
  signals_sent++;
}

int tracing_stop(struct task *t, int signal) {
  if (!t->traced.tracer) return 0;
  hold(t, signal, signal);
  t->state = READY;
  return 1;
}

void tracing_exec(struct task *t) {
  if (t->traced.tracer && !t->traced.seized) syscall(SYS_tgkill, t->process->tgid, t->tid, SIGTRAP);
}

void tracing_end(struct task *t) {
  if (t->process->tasks > 1) return;
  for (struct task *w = tasks; w; w = w->next) {
    if (w->traced.tracer != t->process->tgid) continue;
    w->traced.tracer = 0;
    if (w->traced.options & EXIT_KILL) kill(w->process->tgid, SIGKILL);
    /* A signal that a wait has reported is lost with the tracer. */
    if (w->traced.stop) let_go(w, w->traced.told ? 0 : w->traced.at_signal);
  }
}

static int is_meant(const struct task *w, const struct task *by, const struct call *c) {
  pid_t pid = (pid_t)c->args[0];
  if (w->traced.tracer != by->process->tgid) return 0;
  return pid > 0 ? w->tid == pid : pid == -1 || getpgid(w->process->tgid) == (pid ? -pid : getpgid(by->process->tgid));
}

int tracing_wait(struct task *t, struct call *c) {
  static const uint8_t no_usage[144];
  for (struct task *w = tasks; w; w = w->next) {
    if (!w->traced.stop || w->traced.told || !is_meant(w, t, c)) continue;
    uint32_t status = (uint32_t)w->traced.stop << 8 | 0x7f;
    w->traced.told = 1;
    c->result = w->tid;
    if (c->args[1] && !guest_write(t, c->args[1], &status, sizeof status)) c->result = -EFAULT;
    if (c->args[3]) guest_write(t, c->args[3], no_usage, sizeof no_usage);
    return 1;
  }
  return 0;
}

int tracing_awaits(const struct task *t, const struct call *c) {
  for (const struct task *w = tasks; w; w = w->next)
    if (is_meant(w, t, c)) return 1;
  return 0;
}

/* The registers as a tracer sees them: a call that waits looks as if the stop had interrupted it. */
static int registers(struct task *w, struct user_regs_struct *r) {
  if (ptrace(PTRACE_GETREGS, w->tid, NULL, r) != 0) return 0;
  if (w->state == BLOCKED || w->unasked) arch_put_result(r, RESTARTS);
  return 1;
}

static enum action give(struct task *t, struct call *c, const void *bytes, size_t size) {
  return answer(c, guest_write(t, c->args[3], bytes, size) ? 0 : -EFAULT);
}

static enum action give_set(struct task *t, struct call *c, struct task *w) {
  struct iovec there;
  struct user_regs_struct r;
  uint8_t floats[FLOATS];
  struct iovec here = {floats, sizeof floats};
  if (!guest_read(t, c->args[3], &there, sizeof there)) return answer(c, -EFAULT);
  if (c->args[2] == NT_PRSTATUS && registers(w, &r)) here = (struct iovec){&r, sizeof r};
  else if (c->args[2] != NT_PRFPREG || ptrace(PTRACE_GETREGSET, w->tid, (void *)NT_PRFPREG, &here) != 0)
    return answer(c, -EINVAL); /* extended states differ between processors */
  if (there.iov_len % WORD) return answer(c, -EINVAL);
  if (there.iov_len > here.iov_len) there.iov_len = here.iov_len;
  if (!guest_write(t, (uint64_t)(uintptr_t)there.iov_base, here.iov_base, there.iov_len)) return answer(c, -EFAULT);
  return give(t, c, &there, sizeof there);
}

static enum action give_information(struct task *t, struct call *c, struct task *w) {
  siginfo_t info = {.si_signo = w->traced.stop & 127, .si_code = w->traced.stop >> 8 ? w->traced.stop : BY_KERNEL};
  if (w->traced.at_signal && ptrace(PTRACE_GETSIGINFO, w->tid, NULL, &info) != 0) return answer(c, -EINVAL);
  return give(t, c, &info, sizeof info);
}

/* A word of struct user: registers, and zeros. */
static enum action peek_user(struct task *t, struct call *c, struct task *w) {
  struct user_regs_struct r;
  uint64_t word = 0, at = c->args[2];
  if (at % WORD || at >= sizeof(struct user)) return answer(c, -EIO);
  if (!registers(w, &r)) return answer(c, -ESRCH);
  if (at < sizeof r) memcpy(&word, (uint8_t *)&r + at, sizeof word);
  return give(t, c, &word, sizeof word);
}

static enum action peek(struct task *t, struct call *c, struct task *w) {
  uint64_t word;
  if (!guest_read(w, c->args[2], &word, sizeof word)) return answer(c, -EIO);
  return give(t, c, &word, sizeof word);
}

static enum action set_registers(struct task *t, struct call *c, struct task *w) {
  struct user_regs_struct r;
  if (!w->traced.at_signal) return refuse(c);
  if (!guest_read(t, c->args[3], &r, sizeof r)) return answer(c, -EFAULT);
  return answer(c, ptrace(PTRACE_SETREGS, w->tid, NULL, &r) == 0 ? 0 : -errno);
}

static enum action give_floats(struct task *t, struct call *c, struct task *w) {
  uint8_t floats[FLOATS];
  struct iovec here = {floats, sizeof floats};
  if (ptrace(PTRACE_GETREGSET, w->tid, (void *)NT_PRFPREG, &here) != 0) return answer(c, -EIO);
  return give(t, c, floats, sizeof floats);
}

/* Of a guest that its tracer holds. */
static enum action on_held(struct task *t, struct call *c, struct task *w) {
  static const uint64_t no_message;
  uint64_t word = c->args[3];
  switch (c->args[0]) {
    case PTRACE_DETACH:
    case PTRACE_CONT:
      if (word > LAST_SIGNAL) return answer(c, -EIO);
      if (c->args[0] == PTRACE_DETACH) w->traced.tracer = 0;
      let_go(w, (int)word);
      return answer(c, 0);
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA: return peek(t, c, w);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA: return answer(c, guest_write(w, c->args[2], &word, sizeof word) ? 0 : -EIO);
    case PTRACE_PEEKUSER: return peek_user(t, c, w);
    case PTRACE_GETREGS: {
      struct user_regs_struct r;
      return registers(w, &r) ? give(t, c, &r, sizeof r) : answer(c, -ESRCH);
    }
    case PTRACE_SETREGS: return set_registers(t, c, w);
    case PTRACE_GETFPREGS: return give_floats(t, c, w);
    case PTRACE_GETREGSET: return give_set(t, c, w);
    case PTRACE_GETSIGINFO: return give_information(t, c, w);
    case PTRACE_GETEVENTMSG: return give(t, c, &no_message, sizeof no_message);
    case PTRACE_SETOPTIONS:
      if (word & ~(uint64_t)KNOWN_OPTIONS) return refuse(c);
      w->traced.options = (int)word;
      return answer(c, 0);
    default: return refuse(c);
  }
}

static enum action attach(struct task *t, struct call *c, struct task *w) {
  int seizes = c->args[0] == PTRACE_SEIZE;
  if (w->process == t->process || w->traced.tracer || w->state == GONE) return answer(c, -EPERM);
  if (seizes && c->args[2]) return answer(c, -EIO);
  if (seizes && c->args[3] & ~(uint64_t)KNOWN_OPTIONS) return refuse(c);
  w->traced = (struct traced){.tracer = t->process->tgid, .seized = seizes, .options = seizes ? (int)c->args[3] : 0};
  if (!seizes) hold(w, SIGSTOP, 0);
  return answer(c, 0);
}

enum action on_ptrace(struct task *t, struct call *c) {
  pid_t pid = (pid_t)c->args[1];
  struct task *w = find_task(pid);
  if (c->args[0] == PTRACE_TRACEME) {
    if (t->traced.tracer || !find_task(t->process->parent)) return answer(c, -EPERM);
    t->traced = (struct traced){.tracer = t->process->parent};
    return answer(c, 0);
  }
  if (pid == 1) return refuse(c);
  if (!w) return answer(c, -ESRCH);
  if (c->args[0] == PTRACE_ATTACH || c->args[0] == PTRACE_SEIZE) return attach(t, c, w);
  if (w->traced.tracer != t->process->tgid) return answer(c, -ESRCH);
  if (c->args[0] == PTRACE_KILL) {
    kill(w->process->tgid, SIGKILL);
    reap_dying();
    return answer(c, 0);
  }
  if (c->args[0] == PTRACE_INTERRUPT) {
    if (!w->traced.seized) return answer(c, -EIO);
    if (!w->traced.stop) hold(w, SIGTRAP | EVENT_STOP << 8, 0);
    return answer(c, 0);
  }
  return w->traced.stop ? on_held(t, c, w) : answer(c, -ESRCH);
}
