/* The supervised threads: who they are, what they are doing, and the system call each one stands at. */
#ifndef REENACT_TASK_H
#define REENACT_TASK_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "syscalls/time/timer.h"

enum { NEVER = -1 };

/* A system call as the guest made it; every value is the guest's and hostile. */
struct call {
  long nr;
  uint64_t args[6];
  int64_t result; /* what a handler answers with DONE or YIELD, what the kernel answered in a second half */
};

/* What the kernel answers inside when a signal came first: it makes it EINTR, or makes the call again; UNHANDLED
   only without a handler, ALWAYS even after one, REST for the rest of the time. */
enum { RESTART = -512, RESTART_ALWAYS = -513, RESTART_UNHANDLED = -514, RESTART_REST = -516 };

/* What is to become of a system call. */
enum action {
  RUN,   /* the kernel does it; it will not sleep */
  DONE,  /* answered here: the kernel skips it */
  YIELD, /* answered here, and another task may run */
  AFTER, /* the kernel does it, and the second half looks at the answer */
  BLOCK, /* it waits: asked again whenever another task could have changed the answer, or at the deadline */
  AGAIN, /* a second half's BLOCK: the call is to be made once more */
  LEAVE, /* a signal ends it as result says, without the kernel's own wait, which its clock could end first */
};

enum state {
  READY,
  RUNNING,
  BLOCKED,  /* stopped at a call that would sleep */
  VFORKING, /* stopped until its vfork child has an own memory */
  STOPPED,  /* by job control */
  GONE,     /* a leader that ended before its threads */
};

/* Of the auxiliary vector, AT_NULL among them. */
enum { VECTOR_ENTRIES = 21 };

/* What a guest wants done about a signal, as rt_sigaction takes it. */
struct disposition {
  uint64_t handler, flags, restorer, mask;
};

/* Of the signals that traps raise; processes that were cloned so share them. */
enum { TRAP_SIGNALS = 2 };
struct dispositions {
  int holders;
  struct disposition of[TRAP_SIGNALS];
};

/* Processor time, nanoseconds. */
struct work {
  int64_t all, called; /* `called`: as far as it passed with system calls */
};

/* How a process with a timer that sends a signal has computed since it was set or fired last. */
struct computing {
  int met;
  int64_t due;                         /* which timer it is about */
  unsigned calls;
  int longs, since;                    /* stretches that took long; stops since the last of them */
  uint64_t place;                      /* where the last long stretches began */
  int64_t times, least, credit;        /* how many, the shortest one; what those at other places count */
  size_t ration;                       /* bytes that may be copied */
  uint64_t rewound_to, rewound_stack;  /* where it was made to stand */
  int rewound;                         /* how often, in one stretch */
};

struct process {
  pid_t tgid, parent;
  int tasks;          /* threads alive */
  int memory;         /* /proc/TGID/mem, or -1 */
  int handle;         /* pidfd, or -1 */
  uint64_t space;     /* identity of the address space, for private futexes */
  uint64_t clock_at;  /* the page that the clock's reader reads, or 0 */
  struct timer intervals[3];      /* alarm and setitimer: real, virtual, profiling */
  struct posix_timer *timers;     /* timer_create */
  struct computing computing;
  struct work work, children;
  int next_timer;
  struct dispositions *dispositions;
  struct ranges *text;            /* where its memory was written over, or will be; NULL: nowhere */
  uint64_t caller;                /* where a call was made for memory that is executed later; 0: nowhere yet */
  uint64_t vector[2 * VECTOR_ENTRIES]; /* the auxiliary vector as its program found it */
  int stops;                      /* stopped by a signal, or about to be */
  int works;                      /* one of its threads runs, while it is looked for who died */
};

/* An open of a FIFO that waits for a writer, its descriptor already there. */
struct meeting {
  int waits, met, leaves, fd;
  dev_t dev;
  ino_t ino;
};

/* By another guest (tracing.h). */
struct traced {
  pid_t tracer;    /* whose process, or 0 */
  int seized, options;
  int stop;        /* what a wait tells from bit 8 on, while it is held; 0 it runs */
  int at_signal;   /* that is not delivered yet; 0 it was held elsewhere */
  int told;        /* a wait has told of it */
};

/* At a futex; with priority inheritance also the lock's word in the waiter's memory, and who owns it. */
struct waiting {
  uint64_t space, address, order;
  uint32_t bits;
  int waiting, woken;
  enum { FUTEX_PLAIN, FUTEX_LOCKS, FUTEX_MOVES } kind; /* LOCKS waits for a lock, MOVES is to be moved to one */
  int moved;                                            /* by a requeue, to where its call does not say */
  uint64_t word, lock_space, lock_address;
  pid_t owner;
};

struct task {
  struct task *next, *previous, *same_bucket;
  pid_t tid;
  struct process *process;
  enum state state;
  struct user_regs_struct registers; /* as of the last stop */
  struct call call;
  int retry;          /* the handler was asked before for this very call */
  int leaves;         /* what the call at hand is answered with, because of a signal; 0 none */
  int narrow;         /* a call of 32 bits is at hand */
  int second_half;    /* an exit stop is awaited */
  int at_user;        /* its last stop was at the end of a call, or at an instruction that was answered */
  int again;          /* stopped at an exit stop whose call is to be repeated */
  int signal;         /* delivered at the next resume */
  int unasked;        /* interrupted at an entry stop before its handler was asked */
  int64_t deadline;   /* virtual time at which a blocked call ends, or NEVER */
  struct call kept;   /* the call blocked last, for the kernel to restart, */
  int64_t until;      /* and its deadline */
  size_t event;       /* in the log, counted from 1, that awaits its answer; 0 none */
  uint64_t clear_tid; /* address zeroed and woken at the thread's end, or 0 */
  uint64_t tried;     /* the progress at the last failed try */
  uint64_t heard;     /* the count of signals sent when it last ran or had none to take */
  pid_t vfork_child;  /* whom a VFORKING task waits for */
  struct waiting futex;
  struct traced traced;
  int untraced;       /* its clone asked for an untraced child */
  long replaced;      /* length of the text that an open is answered with, or -1 */
  int creates;        /* an open makes a file that was not there */
  int forced_nonblocking; /* the descriptor at hand does not wait, for the length of this call */
  uint64_t done;      /* bytes of a write that is made in pieces */
  struct vector *vector; /* the list of places of a call that waits, or NULL */
  int opens_fifo;
  struct meeting fifo;
  int spins;          /* goes in circles until another task does something */
  struct disposition wanted; /* by the rt_sigaction at hand, which `sets` one */
  int sets;
  int condemned;      /* the signal that ends its process is on its way */
  int once;           /* this signal's handler is about to be in place, and is the last */
  int no_clock;       /* asked for a signal in place of the time stamp counter */
  struct work work;
  int64_t chosen;     /* when its turn began, by the clock */
};

/* Every task, in the order of their making. */
extern struct task *tasks;
extern int task_count;

/* Counts what may have sent a signal or changed a child. */
extern uint64_t signals_sent;

/* The kernel itself may send some that are not counted: a guest asked it to, or has a terminal. */
extern int signals_unseen;

struct task *find_task(pid_t tid);

/* The thread that executes a program gets its leader's number. */
void renumber_task(struct task *t, pid_t tid);

/* A new thread of `process`, or of a new process when that is NULL. */
struct task *add_task(pid_t tid, struct process *process);
void remove_task(struct task *t);

/* A process that was just born has its parent's memory, or a copy. */
void inherit_memory(struct process *child, const struct process *parent, int same);

/* A new identity for an address space, never used before. */
uint64_t new_space(void);

/* After an exec, descriptors of the old memory are no longer valid. */
void forget_memory(struct process *p);

#endif
