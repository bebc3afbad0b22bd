/* The machine as /proc and /sys show it: uptime, load, memory and processors, the same everywhere. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "syscalls/time/clock.h"
#include "syscalls/identity/identity.h"
#include "proc.h"
#include "syscalls/identity/random.h"

enum { NANO = 1000000000, KIB = 1024 };

#define PRESSURE "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"

/* Text that grows in a buffer; what does not fit is left out. */
struct text {
  char *at;
  size_t room;
};

static void put(struct text *x, const char *words) {
  size_t n = strlen(words);
  if (n >= x->room) return;
  memcpy(x->at, words, n + 1);
  x->at += n;
  x->room -= n;
}

static void put_number(struct text *x, const char *format, unsigned long long value) {
  char line[128];
  snprintf(line, sizeof line, format, value);
  put(x, line);
}

static void uptime(struct text *x) {
  int64_t up = clock_read(1);
  put_number(x, "%llu.", (unsigned long long)(up / NANO));
  put_number(x, "%02llu 0.00\n", (unsigned long long)(up % NANO / 10000000));
}

static void stat_text(struct text *x) {
  put(x, "cpu  0 0 0 0 0 0 0 0 0 0\n");
  for (int i = 0; i < identity_cpus(); i++) put_number(x, "cpu%llu 0 0 0 0 0 0 0 0 0 0\n", (unsigned long long)i);
  put_number(x, "intr 0\nctxt 0\nbtime %llu\n", (unsigned long long)((clock_since_1970() - clock_read(1)) / NANO));
  put(x, "processes 20\nprocs_running 1\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void meminfo(struct text *x) {
  unsigned long long all = IDENTITY_MEMORY / KIB;
  put_number(x, "MemTotal:       %8llu kB\n", all);
  put_number(x, "MemFree:        %8llu kB\n", all / 2);
  put_number(x, "MemAvailable:   %8llu kB\n", all / 2);
  put(x, "Buffers:               0 kB\nCached:                0 kB\nSwapCached:            0 kB\n");
  put(x, "SwapTotal:             0 kB\nSwapFree:              0 kB\nDirty:                 0 kB\n");
  put(x, "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n");
}

static void cpuinfo(struct text *x) {
  for (int i = 0; i < identity_cpus(); i++) {
    put_number(x, "processor\t: %llu\n", (unsigned long long)i);
    put(x, "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 58\nmodel name\t: Reenact virtual cpu\n");
    put(x, "stepping\t: 9\ncpu MHz\t\t: 1000.000\ncache size\t: 8192 KB\nphysical id\t: 0\n");
    put_number(x, "siblings\t: %llu\n", (unsigned long long)identity_cpus());
    put_number(x, "core id\t\t: %llu\n", (unsigned long long)i);
    put_number(x, "cpu cores\t: %llu\n", (unsigned long long)identity_cpus());
    put(x, "flags\t\t: fpu tsc cx8 cmov mmx fxsr sse sse2 syscall nx lm pni ssse3 cx16 sse4_1 sse4_2 popcnt\n\n");
  }
}

static void cpu_list(struct text *x) {
  put(x, "0");
  if (identity_cpus() > 1) put_number(x, "-%llu", (unsigned long long)identity_cpus() - 1);
  put(x, "\n");
}

static void uuid(struct text *x) {
  uint8_t b[16];
  random_bytes(b, sizeof b);
  b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
  b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
  for (int i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) put(x, "-");
    put_number(x, "%02llx", b[i]);
  }
  put(x, "\n");
}

/* What the container uses, as its control group counts it; limits are the manifest's and stay. */
static long group_text(const char *path, char *to, size_t room) {
  static const char *const zero[] = {"memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.current",
                                     "memory.peak", "memory.failcnt", "memory.kmem.usage_in_bytes",
                                     "memory.kmem.max_usage_in_bytes", "memory.memsw.usage_in_bytes",
                                     "memory.memsw.max_usage_in_bytes", "cpuacct.usage_sys", "cpuacct.usage_user",
                                     "cpuacct.usage", "pids.current", "pids.peak"};
  static const char *const empty[] = {"memory.stat", "memory.numa_stat", "cpu.stat", "cpuacct.stat", "io.stat",
                                      "cpuacct.usage_percpu", "cpuacct.usage_all", "cpuacct.usage_percpu_sys",
                                      "cpuacct.usage_percpu_user", "memory.pressure", "cpu.pressure", "io.pressure",
                                      "cgroup.procs", "cgroup.threads", "tasks"};
  static const char *const processors[] = {"cpuset.cpus", "cpuset.effective_cpus", "cpuset.cpus.effective"};
  const char *name = strrchr(path, '/');
  if (strncmp(path, "/sys/fs/cgroup/", 15) != 0 || access(path, F_OK) != 0) return -1;
  for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
    if (strcmp(name + 1, zero[i]) == 0) return snprintf(to, room, "0\n");
  for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
    if (strcmp(name + 1, empty[i]) == 0) return snprintf(to, room, "%s", "");
  for (size_t i = 0; i < sizeof processors / sizeof *processors; i++)
    if (strcmp(name + 1, processors[i]) == 0) {
      struct text x = {to, room};
      cpu_list(&x);
      return (long)strlen(to);
    }
  return -1;
}

long machine_text(const char *path, char *to, size_t room) {
  static const struct {
    const char *path;
    void (*write)(struct text *x);
    const char *fixed;
  } files[] = {
      {"/proc/uptime", uptime, NULL},
      {"/proc/stat", stat_text, NULL},
      {"/proc/meminfo", meminfo, NULL},
      {"/proc/cpuinfo", cpuinfo, NULL},
      {"/proc/loadavg", NULL, "0.00 0.00 0.00 1/1 20\n"},
      {"/proc/version", NULL, "Linux version 6.1.0 (reenact) #1 Reenact\n"},
      {"/proc/schedstat", NULL, ""},
      {"/proc/partitions", NULL, ""},
      {"/proc/locks", NULL, ""},
      {"/proc/timer_list", NULL, ""},
      {"/proc/pressure/cpu", NULL, PRESSURE},
      {"/proc/pressure/memory", NULL, PRESSURE},
      {"/proc/pressure/io", NULL, PRESSURE},
      {"/proc/sys/kernel/ns_last_pid", NULL, "20\n"},
      {"/proc/sys/fs/inode-nr", NULL, "0\t0\n"},
      {"/proc/sys/fs/inode-state", NULL, "0\t0\t0\t0\t0\t0\t0\n"},
      {"/proc/sys/fs/dentry-state", NULL, "0\t0\t45\t0\t0\t0\n"},
      {"/proc/vmstat", NULL, ""},
      {"/proc/diskstats", NULL, ""},
      {"/proc/interrupts", NULL, ""},
      {"/proc/softirqs", NULL, ""},
      {"/proc/zoneinfo", NULL, ""},
      {"/proc/buddyinfo", NULL, ""},
      {"/proc/swaps", NULL, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"},
      {"/proc/cmdline", NULL, "reenact\n"},
      {"/proc/sys/kernel/osrelease", NULL, "6.1.0\n"},
      {"/proc/sys/kernel/version", NULL, "#1 Reenact\n"},
      {"/proc/sys/kernel/hostname", NULL, "reenact\n"},
      {"/proc/sys/kernel/pid_max", NULL, "32768\n"},
      {"/proc/sys/kernel/threads-max", NULL, "32768\n"},
      {"/proc/sys/fs/file-nr", NULL, "0\t0\t1024\n"},
      {"/proc/sys/kernel/random/entropy_avail", NULL, "256\n"},
      {"/proc/sys/kernel/random/boot_id", NULL, "00000000-0000-4000-8000-000000000001\n"},
      {"/proc/sys/kernel/random/uuid", uuid, NULL},
      {"/sys/devices/system/cpu/online", cpu_list, NULL},
      {"/sys/devices/system/cpu/possible", cpu_list, NULL},
      {"/sys/devices/system/cpu/present", cpu_list, NULL},
      {"/sys/devices/system/node/node0/meminfo", NULL, ""},
      {"/sys/devices/system/node/node0/numastat", NULL, ""},
      {"/sys/devices/system/node/node0/vmstat", NULL, ""},
      {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", NULL, "1000000\n"},
      {"/sys/kernel/mm/transparent_hugepage/enabled", NULL, "always madvise [never]\n"},
      {"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", NULL, "2097152\n"},
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    struct text x = {to, room};
    if (strcmp(files[i].path, path) != 0) continue;
    *to = 0;
    if (files[i].write) files[i].write(&x);
    else put(&x, files[i].fixed);
    return (long)strlen(to);
  }
  long group = group_text(path, to, room);
  return group >= 0 ? group : host_text(path, to, room);
}
