/* The one table of system calls: which pass, which are examined and by which handler, which do not exist. */
#ifndef REENACT_CALLS_H
#define REENACT_CALLS_H
#include "ptrace/task.h"

enum { MAX_CALLS = 512 };

struct handler {
  enum action (*entry)(struct task *t, struct call *c); /* before the kernel does it */
  enum action (*exit)(struct task *t, struct call *c);  /* after AFTER: RUN, DONE or AGAIN */
  int passes;                                           /* never stops: it reveals and orders nothing */
};

/* The table's entry for a call's number. */
const struct handler *handler_of(long nr);

/* 0 for a number that the table does not name. */
int is_classified(long nr);

/* Families of handlers, each in a file of its own. */
enum action on_clock_gettime(struct task *t, struct call *c), on_clock_getres(struct task *t, struct call *c),
    on_gettimeofday(struct task *t, struct call *c), on_time(struct task *t, struct call *c),
    on_nanosleep(struct task *t, struct call *c), on_clock_nanosleep(struct task *t, struct call *c),
    on_times(struct task *t, struct call *c), on_getrusage(struct task *t, struct call *c);
enum action on_alarm(struct task *t, struct call *c), on_setitimer(struct task *t, struct call *c),
    on_getitimer(struct task *t, struct call *c);
enum action on_timer_create(struct task *t, struct call *c), on_timer_settime(struct task *t, struct call *c),
    on_timer_gettime(struct task *t, struct call *c), on_timer_getoverrun(struct task *t, struct call *c),
    on_timer_delete(struct task *t, struct call *c);
enum action on_timerfd_create(struct task *t, struct call *c), after_timerfd_create(struct task *t, struct call *c),
    on_timerfd_settime(struct task *t, struct call *c), on_timerfd_gettime(struct task *t, struct call *c);
enum action on_getrandom(struct task *t, struct call *c), after_getrandom(struct task *t, struct call *c), on_uname(struct task *t, struct call *c),
    on_sysinfo(struct task *t, struct call *c), on_getcpu(struct task *t, struct call *c),
    on_getaffinity(struct task *t, struct call *c), on_setaffinity(struct task *t, struct call *c),
    on_personality(struct task *t, struct call *c), on_prctl(struct task *t, struct call *c),
    on_seccomp(struct task *t, struct call *c),
    on_arch_prctl(struct task *t, struct call *c);
enum action on_read(struct task *t, struct call *c), on_write(struct task *t, struct call *c),
    after_write(struct task *t, struct call *c), on_flock(struct task *t, struct call *c),
    on_accept(struct task *t, struct call *c), on_connect(struct task *t, struct call *c),
    on_copy(struct task *t, struct call *c), after_copy(struct task *t, struct call *c), on_fcntl(struct task *t, struct call *c),
    on_ioctl(struct task *t, struct call *c), after_ioctl(struct task *t, struct call *c), on_option(struct task *t, struct call *c),
    after_option(struct task *t, struct call *c), after_fcntl(struct task *t, struct call *c);
enum action on_bind(struct task *t, struct call *c), after_bind(struct task *t, struct call *c), on_listen(struct task *t, struct call *c),
    after_connect(struct task *t, struct call *c);
enum action on_recvmmsg(struct task *t, struct call *c), after_recvmmsg(struct task *t, struct call *c),
    on_sendmmsg(struct task *t, struct call *c), after_sendmmsg(struct task *t, struct call *c),
    on_recvfrom(struct task *t, struct call *c), after_recvfrom(struct task *t, struct call *c);
enum action on_poll(struct task *t, struct call *c), on_select(struct task *t, struct call *c),
    after_select(struct task *t, struct call *c), after_ppoll(struct task *t, struct call *c),
    on_epoll(struct task *t, struct call *c);
enum action on_inotify_init(struct task *t, struct call *c);
enum action on_signalfd(struct task *t, struct call *c), after_epoll(struct task *t, struct call *c);
enum action on_look(struct task *t, struct call *c);
enum action on_queue(struct task *t, struct call *c), after_queue(struct task *t, struct call *c),
    on_message(struct task *t, struct call *c), after_message(struct task *t, struct call *c),
    on_semaphore(struct task *t, struct call *c), after_semaphore(struct task *t, struct call *c),
    after_control(struct task *t, struct call *c);
enum action on_shmget(struct task *t, struct call *c), after_shmget(struct task *t, struct call *c);
enum action on_shmat(struct task *t, struct call *c), after_shmat(struct task *t, struct call *c);
enum action on_shmctl(struct task *t, struct call *c), after_shmctl(struct task *t, struct call *c);
enum action on_shmdt(struct task *t, struct call *c);
enum action on_readlink(struct task *t, struct call *c), after_readlink(struct task *t, struct call *c);
enum action on_futex(struct task *t, struct call *c), on_tid_address(struct task *t, struct call *c),
    on_yield(struct task *t, struct call *c),
    on_clone(struct task *t, struct call *c);
enum action on_wait4(struct task *t, struct call *c), after_wait4(struct task *t, struct call *c),
    on_waitid(struct task *t, struct call *c), after_waitid(struct task *t, struct call *c);
enum action on_kill(struct task *t, struct call *c), after_kill(struct task *t, struct call *c),
    on_pause(struct task *t, struct call *c), on_sigsuspend(struct task *t, struct call *c),
    on_sigtimedwait(struct task *t, struct call *c), on_sigaction(struct task *t, struct call *c),
    after_sigaction(struct task *t, struct call *c);
enum action on_fstat(struct task *t, struct call *c), on_newfstatat(struct task *t, struct call *c);
enum action on_stat(struct task *t, struct call *c), on_statx(struct task *t, struct call *c),
    observe_exit(struct task *t, struct call *c), after_stat(struct task *t, struct call *c),
    after_newfstatat(struct task *t, struct call *c), after_statx(struct task *t, struct call *c),
    after_statfs(struct task *t, struct call *c), on_getdents(struct task *t, struct call *c);
enum action on_open(struct task *t, struct call *c), after_open(struct task *t, struct call *c);
enum action after_make(struct task *t, struct call *c), after_resize(struct task *t, struct call *c);
enum action on_unlink(struct task *t, struct call *c), after_entries(struct task *t, struct call *c);
enum action on_utimes(struct task *t, struct call *c), after_utimes(struct task *t, struct call *c);
enum action on_rr_interval(struct task *t, struct call *c), after_mincore(struct task *t, struct call *c);
enum action on_map(struct task *t, struct call *c), on_protect(struct task *t, struct call *c);
enum action after_map(struct task *t, struct call *c), after_protect(struct task *t, struct call *c);
enum action on_ptrace(struct task *t, struct call *c), on_process_vm(struct task *t, struct call *c),
    on_getfd(struct task *t, struct call *c);
enum action on_restart(struct task *t, struct call *c);
enum action answer_perm(struct task *t, struct call *c), answer_nosys(struct task *t, struct call *c);

#endif
