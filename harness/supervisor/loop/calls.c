/* Every system call of x86-64, classified once; what is named nowhere here fails closed. */
#define _GNU_SOURCE
#include "calls.h"

#include <errno.h>
#include <sys/syscall.h>

#include "arch/arch.h"
#include "ptrace/kernel.h"
#include "supervisor.h"


static enum action unclassified(struct task *t, struct call *c) {
  (void)t;
  give_up_on(c->nr >= 0 && c->nr < 1000 ? (int)c->nr : 999);
  c->result = -ENOSYS;
  return DONE;
}

#define PASSES {0, 0, 1}
#define NO_SUCH {answer_nosys, 0, 0}
#define FORBIDDEN {answer_perm, 0, 0}

static const struct handler handlers[MAX_CALLS] = {
    /* Memory, identity and plain file work: the layout is fixed, one thread runs, the kernel's answer follows. */
    [SYS_close] = PASSES, [SYS_lseek] = PASSES, [SYS_mmap] = {on_map, after_map, 0}, [SYS_mprotect] = {on_protect, after_protect, 0},
    [SYS_munmap] = PASSES, [SYS_brk] = PASSES, [SYS_mremap] = PASSES, [SYS_madvise] = PASSES,
    [SYS_msync] = PASSES, [SYS_mlock] = PASSES, [SYS_munlock] = PASSES, [SYS_mlockall] = PASSES,
    [SYS_munlockall] = PASSES, [SYS_mlock2] = PASSES, [SYS_membarrier] = PASSES, [SYS_pkey_alloc] = NO_SUCH,
    [SYS_pkey_free] = NO_SUCH, [SYS_pkey_mprotect] = NO_SUCH, [SYS_mincore] = {observe_exit, after_mincore, 0}, [SYS_mbind] = NO_SUCH,
    [SYS_get_mempolicy] = NO_SUCH, [SYS_set_mempolicy] = NO_SUCH, [SYS_migrate_pages] = NO_SUCH,
    [SYS_move_pages] = NO_SUCH, [SYS_remap_file_pages] = NO_SUCH, [SYS_memfd_create] = PASSES,
    [SYS_memfd_secret] = NO_SUCH,
    [SYS_rt_sigaction] = {on_sigaction, after_sigaction, 1}, [SYS_rt_sigprocmask] = PASSES, [SYS_rt_sigreturn] = PASSES,
    [SYS_sigaltstack] = PASSES, [SYS_pipe] = PASSES, [SYS_pipe2] = PASSES,
    [SYS_dup] = PASSES, [SYS_dup2] = PASSES, [SYS_dup3] = PASSES, [SYS_getpid] = PASSES, [SYS_gettid] = PASSES,
    [SYS_getuid] = PASSES, [SYS_geteuid] = PASSES, [SYS_getgid] = PASSES,
    [SYS_getegid] = PASSES, [SYS_getresuid] = PASSES, [SYS_getresgid] = PASSES, [SYS_getgroups] = PASSES,
    [SYS_setuid] = PASSES, [SYS_setgid] = PASSES, [SYS_setreuid] = PASSES, [SYS_setregid] = PASSES,
    [SYS_setresuid] = PASSES, [SYS_setresgid] = PASSES, [SYS_setgroups] = PASSES, [SYS_setfsuid] = PASSES,
    [SYS_setfsgid] = PASSES, [SYS_getpgid] = PASSES, [SYS_getpgrp] = PASSES, [SYS_setpgid] = PASSES,
    [SYS_getsid] = PASSES, [SYS_setsid] = PASSES, [SYS_capget] = PASSES, [SYS_capset] = PASSES,
    [SYS_umask] = PASSES, [SYS_getcwd] = PASSES, [SYS_chdir] = PASSES, [SYS_fchdir] = PASSES,
    [SYS_rename] = {observe_exit, after_entries, 0}, [SYS_renameat] = {observe_exit, after_entries, 0}, [SYS_renameat2] = {observe_exit, after_entries, 0},
    [SYS_rmdir] = {observe_exit, after_entries, 0}, 
    [SYS_unlink] = {on_unlink, 0, 0}, [SYS_unlinkat] = {on_unlink, after_entries, 0},
    [SYS_chmod] = PASSES, [SYS_fchmod] = PASSES,
    [SYS_fchmodat] = PASSES, [SYS_fchmodat2] = PASSES, [SYS_chown] = PASSES, [SYS_fchown] = PASSES,
    [SYS_lchown] = PASSES, [SYS_fchownat] = PASSES,
    [SYS_truncate] = {observe_exit, after_resize, 0}, [SYS_ftruncate] = {observe_exit, after_resize, 0},
    [SYS_fallocate] = {observe_exit, after_resize, 0}, [SYS_fadvise64] = PASSES,
    [SYS_readahead] = PASSES, [SYS_sync] = PASSES, [SYS_fsync] = PASSES, [SYS_fdatasync] = PASSES,
    [SYS_syncfs] = PASSES, [SYS_sync_file_range] = PASSES, [SYS_setxattr] = PASSES, [SYS_lsetxattr] = PASSES,
    [SYS_fsetxattr] = PASSES, [SYS_getxattr] = PASSES, [SYS_lgetxattr] = PASSES, [SYS_fgetxattr] = PASSES,
    [SYS_listxattr] = PASSES, [SYS_llistxattr] = PASSES, [SYS_flistxattr] = PASSES, [SYS_removexattr] = PASSES,
    [SYS_lremovexattr] = PASSES, [SYS_fremovexattr] = PASSES, [SYS_close_range] = PASSES,
   
    [SYS_socket] = PASSES, [SYS_socketpair] = PASSES, [SYS_bind] = {on_bind, after_bind, 0}, [SYS_listen] = {on_listen, 0, 0},
    [SYS_getsockname] = PASSES, [SYS_getpeername] = PASSES, [SYS_setsockopt] = {on_option, 0, 0},
    [SYS_getsockopt] = {on_option, after_option, 0},
    [SYS_shutdown] = PASSES, [SYS_eventfd] = PASSES, [SYS_eventfd2] = PASSES, [SYS_signalfd] = {on_signalfd, 0, 0},
    [SYS_signalfd4] = {on_signalfd, 0, 0}, [SYS_epoll_create] = PASSES, [SYS_epoll_create1] = PASSES, [SYS_epoll_ctl] = PASSES,
    [SYS_inotify_init] = {on_inotify_init, 0, 0}, [SYS_inotify_init1] = {on_inotify_init, 0, 0}, [SYS_inotify_add_watch] = PASSES,
    [SYS_inotify_rm_watch] = PASSES, [SYS_fork] = PASSES, [SYS_vfork] = PASSES, [SYS_execve] = PASSES,
    [SYS_execveat] = PASSES, [SYS_exit_group] = PASSES, [SYS_set_robust_list] = PASSES,
    [SYS_get_robust_list] = PASSES, [SYS_getrlimit] = PASSES, [SYS_setrlimit] = PASSES, [SYS_prlimit64] = PASSES,
    [SYS_getpriority] = PASSES, [SYS_setpriority] = PASSES, [SYS_sched_getparam] = PASSES,
    [SYS_sched_getscheduler] = PASSES, [SYS_sched_setscheduler] = PASSES, [SYS_sched_setparam] = PASSES,
    [SYS_sched_get_priority_max] = PASSES, [SYS_sched_get_priority_min] = PASSES, [SYS_sched_getattr] = PASSES,
    [SYS_sched_setattr] = PASSES, [SYS_ioprio_get] = PASSES, [SYS_ioprio_set] = PASSES, [SYS_seccomp] = {on_seccomp, 0, 0},
    [SYS_sched_rr_get_interval] = {on_rr_interval, 0, 0},
    /* Time. */
    [SYS_clock_gettime] = {on_clock_gettime, 0, 0}, [SYS_clock_getres] = {on_clock_getres, 0, 0},
    [SYS_gettimeofday] = {on_gettimeofday, 0, 0}, [SYS_time] = {on_time, 0, 0},
    [SYS_nanosleep] = {on_nanosleep, 0, 0}, [SYS_clock_nanosleep] = {on_clock_nanosleep, 0, 0},
    [SYS_times] = {on_times, 0, 0}, [SYS_getrusage] = {on_getrusage, 0, 0}, [SYS_alarm] = {on_alarm, 0, 0},
    [SYS_setitimer] = {on_setitimer, 0, 0}, [SYS_getitimer] = {on_getitimer, 0, 0},
    [SYS_timer_create] = {on_timer_create, 0, 0}, [SYS_timer_settime] = {on_timer_settime, 0, 0},
    [SYS_timer_gettime] = {on_timer_gettime, 0, 0}, [SYS_timer_getoverrun] = {on_timer_getoverrun, 0, 0},
    [SYS_timer_delete] = {on_timer_delete, 0, 0}, [SYS_timerfd_create] = {on_timerfd_create, after_timerfd_create, 0},
    [SYS_timerfd_settime] = {on_timerfd_settime, 0, 0}, [SYS_timerfd_gettime] = {on_timerfd_gettime, 0, 0},
    [SYS_clock_settime] = FORBIDDEN, [SYS_settimeofday] = FORBIDDEN, [SYS_adjtimex] = FORBIDDEN,
    [SYS_clock_adjtime] = FORBIDDEN,
    /* Identity. */
    [SYS_getrandom] = {on_getrandom, after_getrandom, 0}, [SYS_uname] = {on_uname, 0, 0}, [SYS_sysinfo] = {on_sysinfo, 0, 0},
    [SYS_getcpu] = {on_getcpu, 0, 0}, [SYS_sched_getaffinity] = {on_getaffinity, 0, 0},
    [SYS_sched_setaffinity] = {on_setaffinity, 0, 0}, [SYS_personality] = {on_personality, 0, 0},
    [SYS_prctl] = {on_prctl, 0, 0}, [SYS_arch_prctl] = {on_arch_prctl, 0, 0},
    /* Descriptors that may sleep. */
    [SYS_read] = {on_read, after_write, 0}, [SYS_readv] = {on_read, after_write, 0},
    [SYS_pread64] = {on_read, after_write, 0}, [SYS_preadv] = {on_read, after_write, 0},
    [SYS_preadv2] = {on_read, after_write, 0}, [SYS_recvfrom] = {on_recvfrom, after_recvfrom, 0},
    [SYS_recvmsg] = {on_read, after_write, 0}, [SYS_accept] = {on_accept, 0, 0}, [SYS_accept4] = {on_accept, 0, 0},
    [SYS_write] = {on_write, after_write, 0}, [SYS_writev] = {on_write, after_write, 0},
    [SYS_pwrite64] = {on_write, after_write, 0}, [SYS_pwritev] = {on_write, after_write, 0},
    [SYS_pwritev2] = {on_write, after_write, 0}, [SYS_sendto] = {on_write, after_write, 0},
    [SYS_sendmsg] = {on_write, after_write, 0}, [SYS_sendmmsg] = {on_sendmmsg, after_sendmmsg, 0}, [SYS_recvmmsg] = {on_recvmmsg, after_recvmmsg, 0},
    [SYS_connect] = {on_connect, after_connect, 0}, [SYS_flock] = {on_flock, 0, 0}, [SYS_fcntl] = {on_fcntl, after_fcntl, 0},
    [SYS_sendfile] = {on_copy, after_copy, 0}, [SYS_splice] = {on_copy, after_copy, 0},
    [SYS_copy_file_range] = {on_copy, 0, 0}, [SYS_tee] = {on_copy, after_copy, 0},
    [SYS_vmsplice] = {on_copy, after_copy, 0},
    /* Asked in loops until another task has done something: the caller must come to a stop. */
    [SYS_access] = {on_look, 0, 0}, [SYS_faccessat] = {on_look, 0, 0}, [SYS_faccessat2] = {on_look, 0, 0},
    [SYS_ioctl] = {on_ioctl, after_ioctl, 0}, [SYS_getppid] = {on_look, 0, 0}, [SYS_rt_sigpending] = {on_look, 0, 0},
    [SYS_link] = {observe_exit, after_entries, 0}, [SYS_linkat] = {observe_exit, after_entries, 0},
    /* Queues and semaphores. */
    [SYS_mq_open] = PASSES, [SYS_mq_unlink] = PASSES, [SYS_mq_getsetattr] = PASSES, [SYS_mq_notify] = PASSES,
    [SYS_mq_timedsend] = {on_queue, after_queue, 0}, [SYS_mq_timedreceive] = {on_queue, after_queue, 0},
    [SYS_msgget] = PASSES, [SYS_semget] = PASSES, [SYS_shmget] = {on_shmget, after_shmget, 0}, [SYS_shmat] = {on_shmat, after_shmat, 0}, [SYS_shmdt] = {on_shmdt, 0, 0},
    [SYS_msgsnd] = {on_message, after_message, 0}, [SYS_msgrcv] = {on_message, after_message, 0},
    [SYS_semop] = {on_semaphore, after_semaphore, 0}, [SYS_semtimedop] = {on_semaphore, after_semaphore, 0},
    [SYS_msgctl] = {observe_exit, after_control, 0}, [SYS_semctl] = {observe_exit, after_control, 0},
    [SYS_shmctl] = {on_shmctl, after_shmctl, 0},
    [SYS_poll] = {on_poll, 0, 0}, [SYS_ppoll] = {on_poll, after_ppoll, 0},
    [SYS_select] = {on_select, after_select, 0}, [SYS_pselect6] = {on_select, after_select, 0},
    [SYS_epoll_wait] = {on_epoll, after_epoll, 0}, [SYS_epoll_pwait] = {on_epoll, after_epoll, 0},
    [SYS_epoll_pwait2] = {on_epoll, after_epoll, 0},
    /* Threads, processes, signals. */
    [SYS_futex] = {on_futex, 0, 0}, [SYS_set_tid_address] = {on_tid_address, 0, 0},
    [SYS_sched_yield] = {on_yield, 0, 0}, [SYS_clone] = {on_clone, 0, 0}, [SYS_exit] = {0, 0, 0},
    [SYS_wait4] = {on_wait4, after_wait4, 0}, [SYS_waitid] = {on_waitid, after_waitid, 0},
    [SYS_kill] = {on_kill, after_kill, 0}, [SYS_tkill] = {on_kill, after_kill, 0},
    [SYS_tgkill] = {on_kill, after_kill, 0}, [SYS_rt_sigqueueinfo] = {on_kill, after_kill, 0},
    [SYS_rt_tgsigqueueinfo] = {on_kill, after_kill, 0}, [SYS_pause] = {on_pause, 0, 0},
    [SYS_rt_sigsuspend] = {on_sigsuspend, 0, 0}, [SYS_rt_sigtimedwait] = {on_sigtimedwait, 0, 0},
    [SYS_pidfd_send_signal] = {on_kill, after_kill, 0}, [SYS_pidfd_open] = PASSES,
    [SYS_restart_syscall] = {on_restart, 0, 0},
    /* Files' numbers and times; folders' order. */
    [SYS_stat] = {on_stat, after_stat, 0}, [SYS_lstat] = {on_stat, after_stat, 0},
    [SYS_fstat] = {on_fstat, after_stat, 0}, [SYS_newfstatat] = {on_newfstatat, after_newfstatat, 0},
    [SYS_statx] = {on_statx, after_statx, 0}, [SYS_statfs] = {observe_exit, after_statfs, 0},
    [SYS_fstatfs] = {observe_exit, after_statfs, 0}, [SYS_getdents64] = {on_getdents, 0, 0},
    [SYS_getdents] = {on_getdents, 0, 0},
    [SYS_mkdir] = {observe_exit, after_make, 0}, [SYS_mkdirat] = {observe_exit, after_make, 0},
    [SYS_symlink] = {observe_exit, after_make, 0}, [SYS_symlinkat] = {observe_exit, after_make, 0},
    [SYS_mknod] = {observe_exit, after_make, 0}, [SYS_mknodat] = {observe_exit, after_make, 0},
    [SYS_utime] = {on_utimes, after_utimes, 0}, [SYS_utimes] = {on_utimes, after_utimes, 0},
    [SYS_futimesat] = {on_utimes, after_utimes, 0}, [SYS_utimensat] = {on_utimes, after_utimes, 0},
    [SYS_readlink] = {on_readlink, after_readlink, 0}, [SYS_readlinkat] = {on_readlink, after_readlink, 0},
    [SYS_open] = {on_open, after_open, 0}, [SYS_openat] = {on_open, after_open, 0},
    [SYS_openat2] = {on_open, after_open, 0}, [SYS_creat] = {on_open, after_open, 0},
    /* Always refused: their effects or answers cannot be made the same. */
    [SYS_rseq] = NO_SUCH, [SYS_clone3] = NO_SUCH, [SYS_io_uring_setup] = NO_SUCH, [SYS_io_uring_enter] = NO_SUCH,
    [SYS_io_uring_register] = NO_SUCH, [SYS_perf_event_open] = FORBIDDEN, [SYS_userfaultfd] = FORBIDDEN,
    [SYS_bpf] = FORBIDDEN, [SYS_process_vm_readv] = {on_process_vm, 0, 0}, [SYS_process_vm_writev] = {on_process_vm, 0, 0},
    [SYS_ptrace] = {on_ptrace, 0, 0},
    [SYS_pidfd_getfd] = {on_getfd, 0, 0}, [SYS_kcmp] = FORBIDDEN, [SYS_setns] = FORBIDDEN, [SYS_unshare] = FORBIDDEN,
    [SYS_mount] = FORBIDDEN, [SYS_umount2] = FORBIDDEN, [SYS_pivot_root] = FORBIDDEN, [SYS_chroot] = FORBIDDEN,
    [SYS_swapon] = FORBIDDEN, [SYS_swapoff] = FORBIDDEN, [SYS_reboot] = FORBIDDEN, [SYS_sethostname] = FORBIDDEN,
    [SYS_setdomainname] = FORBIDDEN, [SYS_syslog] = FORBIDDEN, [SYS_quotactl] = FORBIDDEN,
    [SYS_acct] = FORBIDDEN, [SYS_iopl] = FORBIDDEN, [SYS_ioperm] = FORBIDDEN, [SYS_init_module] = FORBIDDEN,
    [SYS_finit_module] = FORBIDDEN, [SYS_delete_module] = FORBIDDEN, [SYS_kexec_load] = FORBIDDEN,
    [SYS_vhangup] = FORBIDDEN, [SYS_add_key] = FORBIDDEN, [SYS_request_key] = FORBIDDEN, [SYS_keyctl] = FORBIDDEN,
    [SYS_fanotify_init] = FORBIDDEN, [SYS_landlock_create_ruleset] = NO_SUCH, [SYS_modify_ldt] = NO_SUCH,
    [SYS_open_by_handle_at] = FORBIDDEN, [SYS_name_to_handle_at] = FORBIDDEN, [SYS_futex_waitv] = NO_SUCH,
    [SYS_set_mempolicy_home_node] = NO_SUCH, [SYS_process_madvise] = NO_SUCH, [SYS_process_mrelease] = NO_SUCH,
    [SYS_landlock_add_rule] = NO_SUCH, [SYS_landlock_restrict_self] = NO_SUCH, [SYS_io_setup] = NO_SUCH,
    [SYS_io_destroy] = NO_SUCH, [SYS_io_submit] = NO_SUCH, [SYS_io_cancel] = NO_SUCH, [SYS_io_getevents] = NO_SUCH,
    [SYS_io_pgetevents] = NO_SUCH, [SYS_fanotify_mark] = FORBIDDEN, [SYS_kexec_file_load] = FORBIDDEN,
    [SYS_quotactl_fd] = FORBIDDEN, [SYS_mount_setattr] = FORBIDDEN, [SYS_move_mount] = FORBIDDEN,
    [SYS_open_tree] = FORBIDDEN, [SYS_fsopen] = FORBIDDEN, [SYS_fsconfig] = FORBIDDEN, [SYS_fsmount] = FORBIDDEN,
    [SYS_fspick] = FORBIDDEN,
    /* Numbers without a call on any kernel of this processor, or on the one that uname names. */
    [SYS__sysctl] = NO_SUCH, [SYS_uselib] = NO_SUCH, [SYS_create_module] = NO_SUCH, [SYS_get_kernel_syms] = NO_SUCH,
    [SYS_query_module] = NO_SUCH, [SYS_nfsservctl] = NO_SUCH, [SYS_getpmsg] = NO_SUCH, [SYS_putpmsg] = NO_SUCH,
    [SYS_afs_syscall] = NO_SUCH, [SYS_tuxcall] = NO_SUCH, [SYS_security] = NO_SUCH, [SYS_vserver] = NO_SUCH,
    [SYS_epoll_ctl_old] = NO_SUCH, [SYS_epoll_wait_old] = NO_SUCH, [SYS_set_thread_area] = NO_SUCH,
    [SYS_get_thread_area] = NO_SUCH, [SYS_lookup_dcookie] = NO_SUCH, [SYS_ustat] = NO_SUCH, [SYS_sysfs] = NO_SUCH,
    [451] = NO_SUCH, [453] = NO_SUCH, [454] = NO_SUCH, [455] = NO_SUCH, [456] = NO_SUCH, [457] = NO_SUCH,
    [458] = NO_SUCH, [459] = NO_SUCH, [460] = NO_SUCH, [461] = NO_SUCH, [462] = NO_SUCH, [463] = NO_SUCH,
    [464] = NO_SUCH, [465] = NO_SUCH, [466] = NO_SUCH, [467] = NO_SUCH, [468] = NO_SUCH, [469] = NO_SUCH,
};

static const struct handler none = {unclassified, 0, 0};

int is_classified(long nr) { return handler_of(nr) != &none; }

const struct handler *handler_of(long nr) {
  if (nr < 0 || nr >= MAX_CALLS) return &none;
  const struct handler *h = &handlers[nr];
  return h->passes || h->entry || h->exit || nr == SYS_exit ? h : &none;
}

/* The kernel takes up a call that a signal without a handler cut short: here it begins anew, with its old deadline. */
enum action on_restart(struct task *t, struct call *c) {
  if (handler_of(t->kept.nr)->entry == on_restart || !handler_of(t->kept.nr)->entry) return RUN;
  *c = t->kept;
  t->deadline = t->until;
  t->retry = 1;
  enum action action = handler_of(c->nr)->entry(t, c);
  if (action == RUN) arch_replace(t, c);
  return action;
}
