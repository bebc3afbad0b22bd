/* PID 1 of every sandbox: starts the program, outlives it, and says under a secret key how it ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appendix.h"
#include "command.h"
#include "hidden.h"
#include "not_started.h"
#include "probe.h"
#include "common/real_ms.h"
#include "reversed.h"
#include "loop/event_log.h"
#include "ptrace/mechanisms.h"
#include "rewrite/rewrite.h"
#include "loop/supervisor.h"
#include "trailer.h"

struct options {
  long timeout_ms; /* 0: none */
  int hidden;      /* look for what the archive API drops */
  int probe;       /* report on the sandbox instead of running a program */
  int full;        /* --determinism full */
  int taken;       /* process numbers to use up first */
  int watched;     /* traced where a folder is listed, whether or not the listing is reversed */
  int reversed;    /* folders in reverse order */
  struct supervision supervision;
  char **argv;
};

static uint8_t key[KEY_SIZE];

static void forget_key(void) {
  memset(key, 0, sizeof key);
  __asm__ volatile("" : : "r"(key) : "memory");
}

/* Without the whole key no ending could be proven, so nothing is started. */
static void read_key(void) {
  size_t have = 0;
  while (have < KEY_SIZE) {
    ssize_t n = read(0, key + have, KEY_SIZE - have);
    if (n == 0 || (n < 0 && errno != EINTR)) _exit(125);
    if (n > 0) have += (size_t)n;
  }
  int null = open("/dev/null", O_RDWR);
  if (null < 0 || dup2(null, 0) < 0) _exit(125);
  if (null > 2) close(null);
}

/* Opened before the guest runs: it may lower our RLIMIT_NOFILE afterwards. */
static int open_oom_counter(void) {
  int fd = open("/sys/fs/cgroup/memory/memory.oom_control", O_RDONLY | O_CLOEXEC);
  return fd >= 0 ? fd : open("/sys/fs/cgroup/memory.events", O_RDONLY | O_CLOEXEC);
}

static long read_oom_counter(int fd) {
  char text[1024];
  ssize_t size = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
  if (size <= 0) return -1;
  text[size] = 0;
  const char *at = strstr(text, "oom_kill ");
  return at ? atol(at + strlen("oom_kill ")) : -1;
}

/* The kernel should pick the guest, never us, when memory runs out. */
static void prefer_as_oom_victim(void) {
  prctl(PR_SET_DUMPABLE, 1);
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "500", 3) != 3) errno = 0;
  close(fd);
}

/* Starts the child; `failures` is where its errno comes from when it could not become the program.
   With a gate it waits there, until it is seized, by calling `submits`. */
static pid_t start(char **argv, int *failures, const int *gate, int (*submits)(int gate)) {
  int status[2];
  if (pipe2(status, O_CLOEXEC) != 0) _exit(125);
  pid_t child = fork();
  if (child < 0) _exit(125);
  if (child == 0) {
    sigset_t none;
    close(status[0]);
    forget_key();
    prefer_as_oom_victim();
    setsid();
    umask(022);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (gate) {
      close(gate[1]);
      if (!submits(gate[0])) argv = NULL;
    }
    if (argv) execvp(argv[0], argv);
    int error = argv ? errno : EPERM;
    _exit(write(status[1], &error, sizeof error) == sizeof error ? 127 : 126);
  }
  close(status[1]);
  *failures = status[0];
  return child;
}

/* The errno of an exec that failed, or 0. */
static int failure_of(int failures) {
  int failure = 0;
  while (read(failures, &failure, sizeof failure) < 0 && errno == EINTR) continue;
  close(failures);
  return failure;
}

/* Waits until the program ends (1) or its time is over (0), reaping orphans meanwhile.
   No signal ends this: a guest of the same user can send any. */
static int await(pid_t child, long deadline, int *status) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  for (;;) {
    int some;
    for (pid_t pid; (pid = waitpid(-1, &some, WNOHANG | __WALL)) > 0;)
      if (WIFSTOPPED(some)) reversed_stop(pid, some);
      else if (pid == child) {
        *status = some;
        return 1;
      }
    long left = deadline ? deadline - real_ms() : 3600000;
    if (left <= 0) return 0;
    struct timespec wait = {left / 1000, left % 1000 * 1000000};
    sigtimedwait(&wanted, NULL, &wait);
  }
}

/* A survivor could still write to the state or to stderr after the trailer. */
static void kill_everyone(void) {
  static const struct timespec pause = {0, 1000000};
  for (;;) {
    kill(-1, SIGKILL);
    pid_t pid = waitpid(-1, NULL, WNOHANG);
    if (pid < 0 && errno == ECHILD) return;
    if (pid == 0) nanosleep(&pause, NULL);
  }
}

static void describe(struct ending *end, const char *name, int status, int failure) {
  if (failure) {
    end->kind = "exec_failed", end->value = failure;
    say_why_not_started(name, failure);
  } else if (WIFSIGNALED(status)) end->kind = "signal", end->value = WTERMSIG(status);
  else end->value = WEXITSTATUS(status);
}

static void run_free(char **argv, long deadline, const struct options *o, struct ending *end) {
  int failures, status = 0, gate[2];
  if (o->watched && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) != 0) _exit(125);
  pid_t child = start(argv, &failures, o->watched ? gate : NULL, reversed_submit);
  if (o->watched) {
    close(gate[0]);
    if (!reversed_seize(child, gate[1], o->reversed)) end->kind = "unsupported", end->value = CANNOT_TRACE;
  }
  if (end->value) return;
  int failure = failure_of(failures);
  if (!await(child, deadline, &status)) end->kind = "timeout";
  else describe(end, argv[0], status, failure);
}

/* The same, but the seed decides everything the program can see. */
static void run_supervised(char **argv, long deadline, const struct supervision *s, struct ending *end) {
  int gate[2], failures;
  pin_pid();
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) != 0) _exit(125);
  pid_t child = start(argv, &failures, gate, submit);
  close(gate[0]);
  appendix_key(key);
  struct supervised found = supervise(child, gate[1], s, deadline);
  if (found.unsupported >= 0) end->kind = "unsupported", end->value = found.unsupported;
  else if (found.over) describe(end, argv[0], found.status, failure_of(failures));
  else end->kind = found.spinning ? "indeterminate_spin" : "timeout";
  if (strcmp(end->kind, "signal") == 0 || strcmp(end->kind, "exit") == 0) end->crash = found.crash;
  end->log = log_bytes(&end->log_size);
  end->unproven = unproven_places();
}

/* As on an engine that had more processes of its own in here. */
static void take_pids(int count) {
  for (pid_t pid; count > 0 && (pid = fork()) >= 0; count--) {
    if (pid == 0) _exit(0);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
}

static int run(const struct options *o) {
  struct ending end = {.kind = "exit", .hidden = -1};
  int oom = open_oom_counter();
  time_t began = time(NULL) - 1;
  long start_ms = real_ms(), deadline = o->timeout_ms ? start_ms + o->timeout_ms : 0;
  char **argv = o->argv;
  take_pids(o->taken);
  const char *name = strrchr(argv[0], '/');
  if (strcmp(name ? name + 1 : argv[0], "deterministic-run.sh") == 0) argv = resolve_command(argv);
  if (!argv) end.kind = "exec_failed", end.value = EINVAL;
  else if (o->full) run_supervised(argv, deadline, &o->supervision, &end);
  else run_free(argv, deadline, o, &end);
  end.ms = real_ms() - start_ms;
  kill_everyone();
  end.oom = read_oom_counter(oom);
  if (o->hidden) end.hidden = count_hidden(began);
  write_trailer(key, &end);
  return 0;
}

static struct options parse(char **argv) {
  struct options o = {0};
  for (argv++; *argv && strcmp(*argv, "--") != 0; argv++) {
    if (strcmp(*argv, "--timeout-ms") == 0 && argv[1]) o.timeout_ms = atol(*++argv);
    else if (strcmp(*argv, "--hidden") == 0) o.hidden = 1;
    else if (strcmp(*argv, "--core") == 0) o.supervision.core = 1;
    else if (strcmp(*argv, "--log") == 0) o.supervision.log = 1;
    else if (strcmp(*argv, "--probe") == 0) o.probe = 1;
    else if (strcmp(*argv, "--determinism") == 0 && argv[1]) o.full = strcmp(*++argv, "full") == 0;
    else if (strcmp(*argv, "--taken") == 0 && argv[1]) o.taken = atoi(*++argv);
    else if (strcmp(*argv, "--watched") == 0) o.watched = 1;
    else if (strcmp(*argv, "--reversed") == 0) o.watched = o.reversed = o.supervision.reversed = 1;
    else if (strcmp(*argv, "--chaos") == 0) o.supervision.chaos = 1;
    else if (strcmp(*argv, "--without") == 0 && argv[1] && do_without(argv[1])) argv++;
    else if (strcmp(*argv, "--seed") == 0 && argv[1]) o.supervision.seed = strtoull(*++argv, NULL, 10);
    else if (strcmp(*argv, "--clock-start") == 0 && argv[1]) o.supervision.clock_start = atol(*++argv);
    else if (strcmp(*argv, "--cpus") == 0 && argv[1]) o.supervision.cpus = atoi(*++argv);
    else _exit(64);
  }
  o.argv = *argv ? argv + 1 : argv;
  return o;
}

int main(int argc, char **argv) {
  const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;
  if (argc > 0 && strcmp(name ? name + 1 : argv[0], "deterministic-run.sh") == 0) {
    char **command = resolve_command(argv);
    if (!command) return 64;
    execvp(command[0], command);
    fprintf(stderr, "deterministic-run.sh: cannot run '%s': %s\n", command[0], strerror(errno));
    return errno == ENOENT ? 127 : 126;
  }
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  if (getpid() != 1 || prctl(PR_SET_DUMPABLE, 0) != 0) return 125;
  struct options o = parse(argv);
  read_key();
  if (o.probe) {
    struct ending end = {.kind = "exit", .oom = -1, .hidden = -1};
    print_probe(o.argv[0], o.full ? names_of(mechanisms_here()) : NULL);
    write_trailer(key, &end);
    return 0;
  }
  if (!o.argv[0]) return 64;
  return run(&o);
}
