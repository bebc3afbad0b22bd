/* What else the kernel tells of its host below /proc and /sys: fixed where programs ask for it, and nothing elsewhere. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "syscalls/identity/identity.h"
#include "proc.h"

struct fixed {
  const char *path, *text;
};

#define CONTROLLER(name) name "\t0\t1\t1\n"

/* As a small machine has it that has nothing but what every kernel has. */
static const struct fixed machine[] = {
    {"/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n" CONTROLLER("cpuset") CONTROLLER("cpu")
                          CONTROLLER("cpuacct") CONTROLLER("blkio") CONTROLLER("memory") CONTROLLER("devices")
                              CONTROLLER("freezer") CONTROLLER("pids")},
    {"/proc/devices", "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n"},
    {"/proc/filesystems", "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\nnodev\tdevtmpfs\nnodev\tpipefs\n"
                          "nodev\tsockfs\nnodev\tdevpts\nnodev\tmqueue\nnodev\toverlay\n\text4\n"},
    {"/proc/tty/drivers", "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
                          "/dev/console         /dev/console    5       1 system:console\n"
                          "/dev/ptmx            /dev/ptmx       5       2 system\n"
                          "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
                          "pty_master           /dev/ptm      128 0-1048575 pty:master\n"},
    {"/proc/execdomains", "0-0\tLinux           \t[kernel]\n"},
};

/* Settings that the kernel takes from memory and processors, that count something, or that name the host's programs;
   a path that ends in a slash stands for all below it. */
static const struct fixed settings[] = {
    {"fs/file-max", "1048576\n"},
    {"fs/aio-nr", "0\n"},
    {"fs/epoll/max_user_watches", "1048576\n"},
    {"fs/fanotify/max_user_marks", "65536\n"},
    {"fs/inotify/max_user_watches", "65536\n"},
    {"fs/quota/", "0\n"},
    {"fs/xfs/", ""},
    {"kernel/bootloader_type", "0\n"},
    {"kernel/bootloader_version", "0\n"},
    {"kernel/core_pattern", "core\n"},
    {"kernel/hotplug", "\n"},
    {"kernel/hung_task_detect_count", "0\n"},
    {"kernel/modprobe", "/sbin/modprobe\n"},
    {"kernel/perf_event_max_sample_rate", "100000\n"},
    {"kernel/pty/nr", "0\n"},
    {"kernel/sched_domain/", ""},
    {"kernel/tainted", "0\n"},
    {"kernel/watchdog_cpumask", "0\n"},
    {"net/core/netdev_rss_key", "\n"},
    {"net/ipv4/tcp_fastopen_key", "00000000-00000000-00000000-00000000\n"},
    {"net/ipv4/tcp_max_orphans", "8192\n"},
    {"net/ipv4/tcp_mem", "22908\t30544\t45816\n"},
    {"net/ipv4/udp_mem", "45816\t61089\t91632\n"},
    {"user/max_fanotify_marks", "65536\n"},
    {"user/max_inotify_watches", "65536\n"},
    {"user/max_cgroup_namespaces", "7680\n"},
    {"user/max_ipc_namespaces", "7680\n"},
    {"user/max_mnt_namespaces", "7680\n"},
    {"user/max_net_namespaces", "7680\n"},
    {"user/max_pid_namespaces", "7680\n"},
    {"user/max_time_namespaces", "7680\n"},
    {"user/max_user_namespaces", "7680\n"},
    {"user/max_uts_namespaces", "7680\n"},
    {"vm/lowmem_reserve_ratio", "256\t256\t32\t0\t0\n"},
    {"vm/min_free_kbytes", "45056\n"},
    {"vm/user_reserve_kbytes", "65536\n"},
};

static long say(const char *words, char *to, size_t room) { return snprintf(to, room, "%s", words); }

static long setting_text(const char *name, char *to, size_t room) {
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    size_t n = strlen(settings[i].path);
    int whole = settings[i].path[n - 1] == '/';
    if (whole ? strncmp(name, settings[i].path, n) == 0 : strcmp(name, settings[i].path) == 0)
      return say(settings[i].text, to, room);
  }
  return -1;
}

/* The set of the first `count` processors, or of one, in the two ways it is written. */
static long set_text(int one, int list, char *to, size_t room) {
  int count = identity_cpus();
  if (list && one >= 0) return snprintf(to, room, "%d\n", one);
  if (list) return count == 1 ? say("0\n", to, room) : snprintf(to, room, "0-%d\n", count - 1);
  size_t have = 0;
  for (int word = (count - 1) / 32; word >= 0 && have < room; word--) {
    uint32_t bits = 0;
    for (int i = 0; i < 32; i++)
      if (word * 32 + i < count && (one < 0 || word * 32 + i == one)) bits |= 1U << i;
    have += (size_t)snprintf(to + have, room - have, word ? "%08x," : "%08x\n", bits);
  }
  return (long)have;
}

/* Each processor is a core of its own in one package, as cpuid has it; caches tell nothing. */
static long processor_text(const char *below, char *to, size_t room) {
  char *name;
  int cpu = strncmp(below, "cpu", 3) == 0 ? (int)strtol(below + 3, &name, 10) : -1;
  if (cpu < 0 || cpu >= identity_cpus() || strncmp(name, "/topology/", 10) != 0) return say("", to, room);
  name += 10;
  int list = strlen(name) > 5 && strcmp(name + strlen(name) - 5, "_list") == 0;
  if (strcmp(name, "core_id") == 0) return snprintf(to, room, "%d\n", cpu);
  if (strstr(name, "_id")) return say("0\n", to, room);
  int own = strncmp(name, "thread_siblings", 15) == 0 || strncmp(name, "core_cpus", 9) == 0;
  return set_text(own ? cpu : -1, list, to, room);
}

/* One node with all processors. */
static long node_text(const char *below, char *to, size_t room) {
  if (strstr(below, "cpulist")) return set_text(-1, 1, to, room);
  if (strstr(below, "cpumap")) return set_text(-1, 0, to, room);
  if (strstr(below, "distance")) return say("10\n", to, room);
  return say(strchr(below, '/') ? "" : "0\n", to, room);
}

/* The loopback interface is every sandbox's own; it counts what passes it, and the rest is the host's hardware. */
static long device_text(const char *path, char *to, size_t room) {
  static const char cpus[] = "/sys/devices/system/cpu/", nodes[] = "/sys/devices/system/node/";
  static const char loopback[] = "/sys/devices/virtual/net/lo/";
  if (strncmp(path, cpus, strlen(cpus)) == 0) return processor_text(path + strlen(cpus), to, room);
  if (strncmp(path, nodes, strlen(nodes)) == 0) return node_text(path + strlen(nodes), to, room);
  if (strncmp(path, loopback, strlen(loopback)) == 0)
    return strncmp(path + strlen(loopback), "statistics/", 11) == 0 ? say("0\n", to, room) : -1;
  return say("", to, room);
}

/* What is not there, or may not be read, stays so. */
long host_text(const char *path, char *to, size_t room) {
  struct stat st;
  if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, R_OK) != 0) return -1;
  for (size_t i = 0; i < sizeof machine / sizeof *machine; i++)
    if (strcmp(path, machine[i].path) == 0) return say(machine[i].text, to, room);
  if (strncmp(path, "/proc/sys/", 10) == 0) return setting_text(path + 10, to, room);
  if (strncmp(path, "/proc/sysvipc/", 14) == 0) return queue_text(path + 14, to, room);
  if (strncmp(path, "/sys/fs/cgroup/", 15) == 0) return -1;
  return strncmp(path, "/sys/", 5) == 0 ? device_text(path, to, room) : say("", to, room);
}
