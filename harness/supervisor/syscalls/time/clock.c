/* Virtual time: starts at a given moment, ticks with events, jumps when all threads wait. */
#define _GNU_SOURCE
#include "clock.h"

#include <errno.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

#include "ptrace/guest.h"
#include "loop/work.h"

enum { NANO = 1000000000 };
/* The machine seems to have been up for this long, so that no monotonic clock shows a suspicious zero. */
static const int64_t UP = 1000LL * NANO;
static const int64_t FAR = 1LL << 61;

static int64_t start, last;
static unsigned looks; /* at the clock by stops, with no other call between */
static struct clock_page own, *page = &own;
static int segment = -1;

/* System V memory is attached by number: no guest has a descriptor of it, and none can make it smaller. */
void clock_begin(int64_t seconds) {
  start = seconds * NANO;
  segment = shmget(IPC_PRIVATE, sizeof *page, IPC_CREAT | 0666);
  void *mapped = segment < 0 ? (void *)-1 : shmat(segment, NULL, 0);
  /* Removed as soon as no process has it attached, so that it ends with us. */
  if (segment >= 0) shmctl(segment, IPC_RMID, NULL);
  if (mapped == (void *)-1) segment = -1;
  else page = mapped;
}

/* Guests read the clock by moving it, and can write anything to the page: it never goes back, nor out of range. */
int64_t clock_now(void) {
  int64_t seen = __atomic_load_n(&page->now, __ATOMIC_RELAXED);
  if (seen > last && seen < FAR) last = seen;
  return last;
}

static void set(int64_t now) {
  last = now;
  __atomic_store_n(&page->now, now, __ATOMIC_RELAXED);
}

/* A stop takes about sixteen ticks of the real clock: so a loop of stops never waits longer than in real time. */
static int64_t tick_of(unsigned repeated) {
  enum { PATIENCE = 4096, DOUBLINGS = 4 };
  unsigned doublings = repeated / PATIENCE;
  return (int64_t)CLOCK_TICK << (doublings < DOUBLINGS ? doublings : DOUBLINGS);
}

void clock_event(unsigned calls) {
  looks = 0;
  set(clock_now() + tick_of(calls));
}

void clock_look(unsigned calls) {
  looks++;
  set(clock_now() + tick_of(calls > looks ? calls : looks));
}

void clock_set_back(int64_t when) { set(when); }
void clock_jump(int64_t when) {
  if (when > clock_now()) set(when);
}
void clock_show_work(int64_t of_process, int64_t of_thread) {
  __atomic_store_n(&page->without_process, of_process, __ATOMIC_RELAXED);
  __atomic_store_n(&page->without_thread, of_thread, __ATOMIC_RELAXED);
}
void clock_limit(int64_t when) { __atomic_store_n(&page->limit, when, __ATOMIC_RELAXED); }
void clock_allow_untraced(int allows) { __atomic_store_n(&page->allows_untraced, allows, __ATOMIC_RELAXED); }

/* The guest's count is compared with the time that so many calls take. */
int64_t clock_untraced(void) {
  static uint64_t counted;
  static int64_t until;
  uint64_t count = (uint64_t)__atomic_load_n(&page->untraced, __ATOMIC_RELAXED), made = count - counted;
  int64_t now = clock_now();
  uint64_t most = now > until ? (uint64_t)(now - until) / CLOCK_TICK : 0;
  until = now;
  counted = count;
  if (made != 0) looks = 0;
  return made <= most ? (int64_t)made : 0;
}

int64_t clock_since_1970(void) { return start + clock_now(); }
int clock_segment(void) { return segment; }
struct clock_settings clock_settings(uint64_t address) { return (struct clock_settings){address, start, UP}; }

uint64_t clock_cycles(void) {
  clock_look(0);
  return (uint64_t)(UP + clock_now());
}

int64_t clock_read(long id) {
  int64_t now = clock_now();
  switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI: return start + now;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM: return UP + now;
    default: return -1;
  }
}

int64_t clock_shown(const struct task *t, long id) {
  int64_t shown = clock_read(id);
  return shown < 0 ? work_shown(t, id) : shown;
}

int64_t clock_after(int64_t nanoseconds) {
  int64_t now = clock_now();
  if (nanoseconds <= 0) return now;
  return nanoseconds > FAR - now ? FAR : now + nanoseconds;
}

int clock_span(struct task *t, uint64_t address, int64_t *nanoseconds) {
  int64_t raw[2];
  if (!guest_read(t, address, raw, sizeof raw)) return -EFAULT;
  if (raw[0] < 0 || raw[1] < 0 || raw[1] >= NANO) return -EINVAL;
  *nanoseconds = raw[0] > FAR / NANO ? FAR : raw[0] * NANO + raw[1];
  return 0;
}

int clock_deadline(struct task *t, uint64_t address, int absolute, long id, int64_t *deadline) {
  int64_t span;
  *deadline = NEVER;
  if (address == 0) return 0;
  int error = clock_span(t, address, &span);
  if (error) return error;
  *deadline = clock_after(absolute ? span - clock_shown(t, id) : span);
  return 0;
}
