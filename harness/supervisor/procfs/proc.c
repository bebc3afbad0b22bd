/* One process as /proc shows it: what the kernel counts by the host's clock and memory becomes fixed. */
#define _GNU_SOURCE
#include "proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rewrite/ranges.h"
#include "loop/traps.h"

enum { RESIDENT_KIB = 4096, RESIDENT_PAGES = 1024 };

static long read_own(pid_t pid, const char *name, char *to, size_t room) {
  char path[128];
  size_t have = 0;
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  for (ssize_t n; have + 1 < room && (n = read(fd, to + have, room - 1 - have)) > 0;) have += (size_t)n;
  close(fd);
  to[have] = 0;
  return (long)have;
}

/* Calls `each` with every line and lets it write its replacement. */
static long by_line(pid_t pid, const char *name, char *to, size_t room, int (*each)(char *, char *, size_t)) {
  static char text[PROC_ROOM];
  size_t have = 0;
  if (read_own(pid, name, text, sizeof text) < 0) return -1;
  for (char *line = text, *end; *line; line = end) {
    end = strchr(line, '\n');
    if (end) *end++ = 0;
    else end = line + strlen(line);
    int n = each(line, to + have, room - have);
    if (n < 0 || (size_t)n >= room - have) break;
    have += (size_t)n;
  }
  return (long)have;
}

/* Device and inode are the host's; the rest of the line is the layout, which is fixed. */
static pid_t whose; /* maps or status are at hand */

/* What is executed later is executable. */
static int will_be_executed(uint64_t address) {
  const struct task *t = find_task(whose);
  const struct range *r = t ? range_at(t->process->text, address) : NULL;
  return r && r->protection;
}

static int map_line(char *line, char *to, size_t room) {
  unsigned long from, until, offset;
  char mode[8], device[16];
  long inode;
  int rest = 0;
  if (sscanf(line, "%lx-%lx %7s %lx %15s %ld%n", &from, &until, mode, &offset, device, &inode, &rest) != 6) return 0;
  if (will_be_executed(from)) mode[2] = 'x';
  return snprintf(to, room, "%08lx-%08lx %s %08lx 00:00 0%s\n", from, until, mode, offset, line + rest);
}

/* The set of signals that are ignored (or else caught), as the program asked for it. */
static uint64_t asked_for(pid_t pid, int ignored, uint64_t told) {
  uint64_t all = UINT64_MAX;
  const struct task *t = find_task(pid);
  if (t) traps_correct(t->process, ignored ? &told : &all, ignored ? &all : &told);
  return told;
}

static int status_line(char *line, char *to, size_t room) {
  static const char *const resident[] = {"VmHWM:", "VmRSS:", "RssAnon:", "RssFile:", "RssShmem:", "VmPTE:"};
  static const char *const dropped[] = {"Cpus_allowed", "Mems_allowed", "voluntary_ctxt", "nonvoluntary_ctxt",
                                        "Speculation", "SigQ", "Seccomp", "x86_", "THP_", "untag_mask"};
  if (strncmp(line, "TracerPid:", 10) == 0) return snprintf(to, room, "TracerPid:\t0\n");
  if (strncmp(line, "State:", 6) == 0 && strchr(line, 't')) return snprintf(to, room, "State:\tR (running)\n");
  if (strncmp(line, "SigIgn:\t", 8) == 0 || strncmp(line, "SigCgt:\t", 8) == 0)
    return snprintf(to, room, "%.8s%016llx\n", line,
                    (unsigned long long)asked_for(whose, line[3] == 'I', strtoull(line + 8, NULL, 16)));
  for (size_t i = 0; i < sizeof resident / sizeof *resident; i++)
    if (strncmp(line, resident[i], strlen(resident[i])) == 0)
      return snprintf(to, room, "%s\t%8d kB\n", resident[i], RESIDENT_KIB);
  for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
    if (strncmp(line, dropped[i], strlen(dropped[i])) == 0) return 0;
  return snprintf(to, room, "%s\n", line);
}

/* Inodes, mounts, and what a timer's descriptor would tell of the real clock. */
static int descriptor_line(char *line, char *to, size_t room) {
  static const char *const dropped[] = {"mnt_id:", "ino:", "it_value:", "it_interval:", "ticks:", "inotify ", "lock:", "eventfd-id:"};
  for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
    if (strncmp(line, dropped[i], strlen(dropped[i])) == 0) return 0;
  char *inode = strncmp(line, "tfd:", 4) == 0 ? strstr(line, " pos:") : NULL;
  if (inode) *inode = 0;
  return snprintf(to, room, "%s\n", line);
}

/* Sockets with their inodes and addresses in the kernel, and counters: tables without lines. */
static long network_text(const char *name, char *to, size_t room) {
  static const char *const sockets[] = {"tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix", "netlink", "packet",
                                        "sockstat", "sockstat6", "snmp", "snmp6", "netstat", "softnet_stat"};
  if (strcmp(name, "dev") == 0)
    return snprintf(to, room, "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes packets\n    lo: 0 0 0 0\n");
  for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++)
    if (strcmp(name, sockets[i]) == 0) return snprintf(to, room, "  sl  local_address rem_address   st\n");
  return -1;
}

/* Fields 3 (state) and on, by number; a stopped guest looks as if it ran. */
static long stat_text(pid_t pid, char *to, size_t room) {
  static const int fixed[] = {10, 11, 12, 13, 14, 15, 16, 17, 22, 24, 39, 42, 43, 44};
  enum { IGNORED = 33, CAUGHT = 34 };
  char text[2048], set[24], *save = NULL, *name_end;
  if (read_own(pid, "stat", text, sizeof text) < 0 || !(name_end = strrchr(text, ')'))) return -1;
  int have = snprintf(to, room, "%.*s", (int)(name_end - text + 1), text), number = 3;
  for (char *word = strtok_r(name_end + 1, " \n", &save); word; word = strtok_r(NULL, " \n", &save), number++) {
    const char *shown = number == 3 && *word == 't' ? "R" : number == 24 ? "1024" : number == 22 ? "100000" : word;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
      if (fixed[i] == number && number != 24 && number != 22) shown = "0";
    if (number == IGNORED || number == CAUGHT) {
      snprintf(set, sizeof set, "%llu", (unsigned long long)(asked_for(pid, number == IGNORED, strtoull(word, NULL, 10)) & INT32_MAX));
      shown = set;
    }
    if ((size_t)have < room) have += snprintf(to + have, room - (size_t)have, " %s", shown);
  }
  if ((size_t)have + 2 < room) have += snprintf(to + have, room - (size_t)have, "\n");
  return have;
}

static long statm_text(pid_t pid, char *to, size_t room) {
  char text[256];
  if (read_own(pid, "statm", text, sizeof text) < 0) return -1;
  return snprintf(to, room, "%lu %d 0 0 0 0 0\n", strtoul(text, NULL, 10), RESIDENT_PAGES);
}

/* As the program found it, not as its kernel made it. */
static long vector_text(pid_t pid, char *to, size_t room) {
  const struct task *t = find_task(pid);
  if (!t || room < sizeof t->process->vector) return -1;
  memcpy(to, t->process->vector, sizeof t->process->vector);
  return (long)sizeof t->process->vector;
}

long process_text(pid_t pid, const char *name, char *to, size_t room) {
  static const struct {
    const char *name, *text;
  } fixed[] = {
      {"io", "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n"},
      {"schedstat", "0 0 0\n"}, {"sched", ""}, {"numa_maps", ""}, {"cgroup", "0::/\n"}, {"wchan", "0"},
      {"syscall", "running\n"}, {"stack", ""}, {"pagemap", ""}, {"oom_score", "0\n"}, {"mountstats", ""},
      {"smaps_rollup", ""}, {"cpuset", "/\n"}, {"arch_status", ""}, {"autogroup", "/autogroup-1 nice 0\n"},
      {"personality", "00000000\n"}, {"timers", ""}, {"loginuid", "4294967295"}, {"sessionid", "4294967295"},
      {"cpu_resctrl_groups", ""}, {"ksm_stat", ""}, {"ksm_merging_pages", "0\n"}, {"patch_state", "-1\n"},
      {"latency", ""},
      {"mounts", "overlay / overlay rw 0 0\nproc /proc proc rw 0 0\ntmpfs /dev tmpfs rw 0 0\n"},
      {"mountinfo", "1 0 0:64 / / rw - overlay overlay rw\n2 1 0:65 / /proc rw - proc proc rw\n"},
  };
  if (strncmp(name, "task/", 5) == 0 && strchr(name + 5, '/')) {
    pid = (pid_t)strtol(name + 5, NULL, 10);
    name = strchr(name + 5, '/') + 1;
  }
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    if (strcmp(name, fixed[i].name) == 0) return snprintf(to, room, "%s", fixed[i].text);
  whose = pid;
  if (strcmp(name, "maps") == 0 || strcmp(name, "smaps") == 0) return by_line(pid, "maps", to, room, map_line);
  if (strcmp(name, "status") == 0) return by_line(pid, "status", to, room, status_line);
  if (strncmp(name, "fdinfo/", 7) == 0) return by_line(pid, name, to, room, descriptor_line);
  if (strncmp(name, "net/", 4) == 0) return network_text(name + 4, to, room);
  if (strcmp(name, "auxv") == 0) return vector_text(pid, to, room);
  if (strcmp(name, "stat") == 0) return stat_text(pid, to, room);
  if (strcmp(name, "statm") == 0) return statm_text(pid, to, room);
  return -1;
}

/* The files of PID 1, which is ourselves, that every user may read: the kernel goes on refusing the rest. */
static long our_text(const char *name, char *to, size_t room) {
  static const char *const open[] = {"status", "sched", "schedstat", "cgroup", "mounts", "mountinfo"};
  static const char command[] = "/harness/init";
  static const char stat[] = "1 (init) S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 0 4096000 1024 18446744073709551615"
                             " 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
  if (strncmp(name, "task/1/", 7) == 0) name += 7;
  if (strcmp(name, "statm") == 0) return snprintf(to, room, "1000 %d 0 0 0 0 0\n", RESIDENT_PAGES);
  if (strcmp(name, "stat") == 0) return snprintf(to, room, "%s", stat);
  if (strcmp(name, "cmdline") == 0) return memcpy(to, command, sizeof command), (long)sizeof command;
  for (size_t i = 0; i < sizeof open / sizeof *open; i++)
    if (strcmp(name, open[i]) == 0) return process_text(1, name, to, room);
  return -1;
}

long proc_text(const char *path, char *to, size_t room) {
  char *rest = NULL;
  if (strncmp(path, "/proc/", 6) != 0) return machine_text(path, to, room);
  const char *below = path + 6;
  long pid = strtol(below, &rest, 10);
  if (rest == below || *rest != '/') return machine_text(path, to, room);
  return pid > 1 ? process_text((pid_t)pid, rest + 1, to, room) : pid == 1 ? our_text(rest + 1, to, room) : -1;
}
