/* System V shared memory without the clock's own segment, which takes the first place: all numbers are one less. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/answer.h"
#include "arch/arch.h"
#include "loop/calls.h"
#include "syscalls/time/clock.h"
#include "ptrace/guest.h"
#include "procfs/proc.h"

enum { NANO = 1000000000, STAT_OF_INDEX = 13, INFO = 14, STAT_OF_ANY = 15, NO_VERSION = 0xff };

/* 0 where the clock is not in a segment. */
static int taken(void) { return clock_segment() >= 0; }

/* Negative numbers are no segments and stay unchanged. */
static uint64_t real_number(uint64_t shown) { return (int)shown < 0 ? shown : shown + (uint64_t)taken(); }

static int command_of(const struct call *c) { return (int)c->args[1] & NO_VERSION; }

enum action on_shmget(struct task *t, struct call *c) {
  (void)t, (void)c;
  return taken() ? AFTER : RUN;
}

enum action after_shmget(struct task *t, struct call *c) {
  (void)t;
  return c->result > 0 ? answer(c, c->result - 1) : RUN;
}

static enum action with_real_number(struct task *t, const struct call *c) {
  struct call real = *c;
  real.args[0] = real_number(c->args[0]);
  arch_replace(t, &real);
  return AFTER;
}

enum action on_shmat(struct task *t, struct call *c) { return taken() ? with_real_number(t, c) : RUN; }

enum action after_shmat(struct task *t, struct call *c) {
  (void)t, (void)c;
  return DONE;
}

/* Without the clock's page its reader would crash. */
enum action on_shmdt(struct task *t, struct call *c) {
  return taken() && c->args[0] && c->args[0] == t->process->clock_at ? answer(c, -EINVAL) : RUN;
}

enum action on_shmctl(struct task *t, struct call *c) {
  int command = command_of(c);
  return !taken() || command == IPC_INFO || command == INFO ? AFTER : with_real_number(t, c);
}

/* How many there are, and how much of it: a page less. */
static void correct_sums(struct task *t, uint64_t address) {
  struct {
    int32_t used, pad;
    uint64_t total, resident, swapped;
  } sums;
  if (!guest_read(t, address, &sums, sizeof sums)) return;
  sums.used--;
  sums.total--;
  sums.resident = 0;
  sums.swapped = 0;
  guest_write(t, address, &sums, sizeof sums);
}

enum action after_shmctl(struct task *t, struct call *c) {
  int command = command_of(c);
  after_control(t, c);
  if (!taken()) return RUN;
  if (command == INFO && c->result >= 0) correct_sums(t, c->args[2]);
  if (command == IPC_INFO || command == INFO || command == STAT_OF_INDEX || command == STAT_OF_ANY)
    return answer(c, c->result > 0 ? c->result - 1 : c->result);
  return DONE;
}

/* Where the fields of a table's line stand: its number, and the times and sizes that reveal the host. */
struct columns {
  const char *name;
  int times[3], host[2];
};

/* A word of the table, as wide as it was. */
static size_t put_word(char *to, size_t room, const char *from, size_t width, const int64_t *value) {
  int n = value ? snprintf(to, room, "%*lld", (int)width, (long long)*value) : snprintf(to, room, "%.*s", (int)width, from);
  return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

static size_t put_line(const struct columns *columns, const char *line, size_t length, char *to, size_t room) {
  int64_t start = (clock_since_1970() - clock_now()) / NANO, zero = 0;
  size_t have = 0, at = 0;
  int shared = strcmp(columns->name, "shm") == 0;
  for (int field = 0; at < length; field++) {
    size_t from = at;
    while (at < length && (line[at] == ' ' || line[at] == '\t')) at++;
    while (at < length && line[at] != ' ' && line[at] != '\t') at++;
    int64_t number = strtoll(line + from, NULL, 10), less = number - taken();
    const int64_t *value = field == 1 && shared ? &less : NULL;
    for (int i = 0; i < 3; i++)
      if (field == columns->times[i] && number) value = &start;
    for (int i = 0; i < 2; i++)
      if (field == columns->host[i] && shared) value = &zero;
    have += put_word(to + have, room - have, line + from, at - from, value);
  }
  if (have + 1 < room) to[have++] = '\n';
  return have;
}

long queue_text(const char *name, char *to, size_t room) {
  static const struct columns tables[] = {
      {"shm", {11, 12, 13}, {14, 15}}, {"msg", {11, 12, 13}, {-1, -1}}, {"sem", {8, 9, -1}, {-1, -1}}};
  const struct columns *columns = NULL;
  static char table[1 << 18];
  char path[64];
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (strcmp(name, tables[i].name) == 0) columns = &tables[i];
  snprintf(path, sizeof path, "/proc/sysvipc/%s", name);
  FILE *file = columns ? fopen(path, "re") : NULL;
  if (!file) return -1;
  size_t size = fread(table, 1, sizeof table - 1, file), have = 0;
  fclose(file);
  table[size] = 0;
  int number = 0;
  for (char *line = table, *end; (end = strchr(line, '\n')); line = end + 1, number++) {
    *end = 0;
    int first = number == 0, ours = number > 0 && strcmp(name, "shm") == 0 && taken() && number == 1;
    if (ours) continue;
    if (first) have += (size_t)snprintf(to + have, room - have, "%s\n", line);
    else have += put_line(columns, line, (size_t)(end - line), to + have, room - have);
  }
  return (long)have;
}
