/* The clock functions that guests find where the kernel's vDSO stands: a read moves the shared clock by one tick. */
#include "call.h"
#include "page.h"

enum { NANO = 1000000000, MICRO = 1000, KINDS = 12, PROCESS = 2, THREAD = 3 };
enum { REAL = 1 << 0 | 1 << 5 | 1 << 8 | 1 << 11, UP = 1 << 1 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 9, CPU = 1 << PROCESS | 1 << THREAD };

struct span {
  int64_t seconds, parts;
};

extern const struct clock_settings settings __attribute__((visibility("hidden")));

/* One event later; -1 when the supervisor has to see it. */
static int64_t tick(void) {
  struct clock_page *page = (struct clock_page *)settings.page;
  if (__atomic_load_n(&page->now, __ATOMIC_RELAXED) + CLOCK_TICK >= __atomic_load_n(&page->limit, __ATOMIC_RELAXED))
    return -1;
  return __atomic_add_fetch(&page->now, CLOCK_TICK, __ATOMIC_RELAXED);
}

static int is_among(int kinds, int id) { return id >= 0 && id < KINDS && kinds >> id & 1; }

int __vdso_clock_gettime(int id, struct span *to) {
  int64_t now;
  if (!is_among(REAL | UP | CPU, id) || (now = tick()) < 0) return (int)make_call(NR_CLOCK_GETTIME, id, (long)to);
  const struct clock_page *page = (const struct clock_page *)settings.page;
  if (id == PROCESS) now -= __atomic_load_n(&page->without_process, __ATOMIC_RELAXED);
  else if (id == THREAD) now -= __atomic_load_n(&page->without_thread, __ATOMIC_RELAXED);
  else if (is_among(REAL, id)) now += settings.since_1970;
  else if (is_among(UP, id)) now += settings.up;
  to->seconds = now / NANO;
  to->parts = now % NANO;
  return 0;
}

int __vdso_gettimeofday(struct span *to, int32_t *zone) {
  int64_t now = tick();
  if (now < 0) return (int)make_call(NR_GETTIMEOFDAY, (long)to, (long)zone);
  now += settings.since_1970;
  if (to) to->seconds = now / NANO, to->parts = now % NANO / MICRO;
  if (zone) zone[0] = zone[1] = 0;
  return 0;
}

int64_t __vdso_time(int64_t *to) {
  int64_t now = tick();
  if (now < 0) return make_call(NR_TIME, (long)to, 0);
  now = (now + settings.since_1970) / NANO;
  if (to) *to = now;
  return now;
}

int __vdso_clock_getres(int id, struct span *to) {
  if (!is_among(REAL | UP | CPU, id)) return (int)make_call(NR_CLOCK_GETRES, id, (long)to);
  if (to) to->seconds = 0, to->parts = 1;
  return 0;
}

int __vdso_getcpu(uint32_t *cpu, uint32_t *node) {
  if (cpu) *cpu = 0;
  if (node) *node = 0;
  return 0;
}

#define ALSO(type, name, parameters) type name parameters __attribute__((weak, alias("__vdso_" #name)))
ALSO(int, clock_gettime, (int, struct span *));
ALSO(int, gettimeofday, (struct span *, int32_t *));
ALSO(int64_t, time, (int64_t *));
ALSO(int, clock_getres, (int, struct span *));
ALSO(int, getcpu, (uint32_t *, uint32_t *));
