/* The probe: reads limits, privileges and versions where the kernel and the image state them. */
#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* harness/seccomp.json answers this persona, which no program asks for, with an errno of its own. */
enum { SENTINEL_PERSONA = 0x52454e41 };

static const char *separator = "{";

static void field(const char *name) {
  printf("%s\"%s\":", separator, name);
  separator = ",";
}

static void number(const char *name, long long value) {
  field(name);
  printf("%lld", value);
}

/* Only printable ASCII leaves: these bytes come from a stranger's image. */
static void text(const char *name, const char *bytes, size_t size) {
  field(name);
  putchar('"');
  for (size_t i = 0; i < size; i++)
    if (bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '"' && bytes[i] != '\\') putchar(bytes[i]);
  putchar('"');
}

/* The first of the two files (cgroup v1, then v2) that can be read; the field is left out if neither can. */
static void cgroup(const char *name, const char *v1, const char *v2) {
  char buffer[256];
  int fd = open(v1, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fd = open(v2, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t size = read(fd, buffer, sizeof buffer);
  close(fd);
  if (size > 0) text(name, buffer, (size_t)size - (buffer[size - 1] == '\n'));
}

/* What stands behind "key:" in the first such line of a file of /proc; left out where there is none. */
static void line_of(const char *path, const char *name, const char *key) {
  char line[512];
  FILE *file = fopen(path, "re");
  size_t length = strlen(key);
  while (file && fgets(line, sizeof line, file)) {
    const char *rest = line + length;
    if (strncmp(line, key, length) != 0 || rest[strspn(rest, " \t")] != ':') continue;
    rest += strspn(rest, ": \t");
    text(name, rest, strcspn(rest, "\n"));
    break;
  }
  if (file) fclose(file);
}

/* By what names it: whatever cpuid tells a program where it is not answered by the supervisor. */
static void processor(void) {
  static const char path[] = "/proc/cpuinfo";
  line_of(path, "cpu_name", "model name");
  line_of(path, "cpu_vendor", "vendor_id");
  line_of(path, "cpu_family", "cpu family");
  line_of(path, "cpu_model", "model");
  line_of(path, "cpu_stepping", "stepping");
}

static void limit(const char *name, int resource) {
  struct rlimit r;
  if (getrlimit(resource, &r) == 0) number(name, r.rlim_max == RLIM_INFINITY ? -1 : (long long)r.rlim_max);
}

static long interfaces(void) {
  long count = 0;
  DIR *net = opendir("/sys/class/net");
  for (struct dirent *e; net && (e = readdir(net));) count += e->d_name[0] != '.' && strcmp(e->d_name, "lo") != 0;
  if (net) closedir(net);
  return net ? count : -1;
}

/* /work must be empty: what an image brings there would be part of no state. */
static long entries(const char *folder) {
  long count = 0;
  DIR *dir = opendir(folder);
  for (struct dirent *e; dir && (e = readdir(dir));) count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
  if (dir) closedir(dir);
  return dir ? count : -1;
}

/* A mount that is not read-only would let a guest change the harness or the evidence of its input. */
static long write_errno(const char *folder) {
  char path[64];
  snprintf(path, sizeof path, "%s/.probe", folder);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  close(fd);
  unlink(path);
  return 0;
}

/* Prints what follows `mark` in the file, up to a character that ends it; 1 if it was found. */
static int marked(const char *name, const char *path, const char *mark, const char *prefix) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC), ok = 0;
  if (fd < 0) return 0;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
    size_t size = (size_t)st.st_size;
    char *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    char *at = map == MAP_FAILED ? NULL : memmem(map, size, mark, strlen(mark));
    if (at) {
      char line[128];
      char *start = at + strlen(mark), *end = start;
      while (end < map + size && end - start < 64 && *end > ' ' && *end <= '~') end++;
      while (end > start && (end[-1] == '.' || end[-1] == ',')) end--;
      int n = snprintf(line, sizeof line, "%s%.*s", prefix, (int)(end - start), start);
      text(name, line, (size_t)n);
      ok = 1;
    }
    if (map != MAP_FAILED) munmap(map, size);
  }
  close(fd);
  return ok;
}

static void libc_version(void) {
  static const char *const glibc[] = {
      "/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6",
      "/lib/aarch64-linux-gnu/libc.so.6", "/lib/libc.so.6", "/usr/lib64/libc.so.6", "/usr/lib/libc.so.6"};
  for (size_t i = 0; i < sizeof glibc / sizeof *glibc; i++)
    if (marked("libc", glibc[i], "stable release version ", "glibc ")) return;
  if (access("/lib/ld-musl-x86_64.so.1", F_OK) == 0) text("libc", "musl", 4);
}

/* GCC and clang leave their version in .comment; distributions often strip it, then nothing is claimed. */
static void compiler_version(const char *program) {
  char path[4096];
  const char *folders = strchr(program, '/') ? "" : getenv("PATH");
  while (folders) {
    size_t length = strcspn(folders, ":");
    int n = snprintf(path, sizeof path, "%.*s%s%s", (int)length, folders, length ? "/" : "", program);
    if (n > 0 && (size_t)n < sizeof path && access(path, X_OK) == 0) {
      if (!marked("compiler", path, "clang version ", "clang ")) marked("compiler", path, "GCC: (", "gcc (");
      return;
    }
    folders = folders[length] ? folders + length + 1 : NULL;
  }
}

void print_probe(const char *program, const char *mechanisms) {
  struct utsname host;
  uname(&host);
  number("uid", getuid());
  number("gid", getgid());
  text("hostname", host.nodename, strlen(host.nodename));
  text("kernel", host.release, strlen(host.release));
  text("machine", host.machine, strlen(host.machine));
  processor();
  static const char status[] = "/proc/self/status";
  line_of(status, "no_new_privs", "NoNewPrivs");
  line_of(status, "seccomp", "Seccomp");
  line_of(status, "cap_permitted", "CapPrm");
  line_of(status, "cap_bounding", "CapBnd");
  errno = 0;
  number("seccomp_sentinel", personality(SENTINEL_PERSONA) == -1 ? errno : 0);
  limit("rlimit_core", RLIMIT_CORE);
  limit("rlimit_fsize", RLIMIT_FSIZE);
  cgroup("memory_limit", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max");
  cgroup("memory_and_swap_limit", "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", "/dev/null");
  cgroup("swap_limit", "/sys/fs/cgroup/memory.swap.max", "/dev/null");
  cgroup("pids_limit", "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max");
  cgroup("cpu_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu.max");
  number("interfaces", interfaces());
  number("harness_write_errno", write_errno("/harness"));
  number("case_write_errno", write_errno("/case"));
  number("work_write_errno", write_errno("/work"));
  number("work_entries", entries("/work"));
  libc_version();
  if (program) compiler_version(program);
  if (mechanisms) text("mechanisms", mechanisms, strlen(mechanisms));
  puts("}");
  fflush(stdout);
}
