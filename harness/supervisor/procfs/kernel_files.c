/* Finds the path by which a file of the kernel's own is known: links are followed as the guest would, not as we would. */
#define _GNU_SOURCE
#include "kernel_files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { MOST_MOUNTS = 64, MOST_LINKS = 40 };

/* The devices of all file systems of these kinds. */
static int find_devices(dev_t *devices) {
  static const char *const kinds[] = {"proc ", "sysfs ", "cgroup ", "cgroup2 "};
  char line[4096];
  unsigned first, second;
  int count = 0;
  FILE *mounts = fopen("/proc/self/mountinfo", "re");
  while (mounts && count < MOST_MOUNTS && fgets(line, sizeof line, mounts)) {
    const char *kind = strstr(line, " - ");
    if (!kind || sscanf(line, "%*d %*d %u:%u", &first, &second) != 2) continue;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
      if (strncmp(kind + 3, kinds[i], strlen(kinds[i])) == 0) devices[count++] = makedev(first, second);
  }
  if (mounts) fclose(mounts);
  return count;
}

static int is_kernels(const struct stat *st) {
  static dev_t devices[MOST_MOUNTS + 4];
  static int count = -1;
  if (count < 0) count = find_devices(devices);
  for (int i = 0; i < count; i++)
    if (devices[i] == st->st_dev) return 1;
  return 0;
}

static int is_below_kernels(const char *path) {
  return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0;
}

/* The folder a relative path starts from; 0 where it is unknown. */
static int folder_of(struct task *t, int at, char *to, size_t room) {
  char link[64];
  if (at == AT_FDCWD) snprintf(link, sizeof link, "/proc/%d/cwd", (int)t->tid);
  else snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)t->tid, at);
  ssize_t n = readlink(link, to, room - 1);
  to[n > 0 ? n : 0] = 0;
  return *to == '/';
}

/* Where the link at `path` leads for this guest; /proc/self would be ourselves. 0: it is none. */
static int link_of(struct task *t, const char *path, char *to) {
  if (strcmp(path, "/proc/self") == 0) return sprintf(to, "%d", (int)t->process->tgid);
  if (strcmp(path, "/proc/thread-self") == 0) return sprintf(to, "%d/task/%d", (int)t->process->tgid, (int)t->tid);
  ssize_t n = readlink(path, to, PATH_MAX - 1);
  if (n <= 0) return 0;
  to[n] = 0;
  /* "pipe:[7]" leads to no path. */
  return *to == '/' || !strchr(to, ':');
}

static void drop_last(char *path, size_t *length) {
  while (*length > 0 && path[--*length] != '/') continue;
  path[*length] = 0;
}

/* `rest` is what has still to be walked, and is used up. */
static int walk_links(struct task *t, char *rest, char *to) {
  char link[PATH_MAX], next[PATH_MAX];
  size_t length = 0;
  *to = 0;
  for (int links = 0; *rest;) {
    size_t skip = strspn(rest, "/"), name = strcspn(rest + skip, "/");
    const char *word = rest + skip;
    if (name == 2 && word[0] == '.' && word[1] == '.') drop_last(to, &length);
    else if (name > 0 && !(name == 1 && *word == '.')) {
      if (length + name + 2 > PATH_MAX) return 0;
      length += (size_t)sprintf(to + length, "/%.*s", (int)name, word);
      if (link_of(t, to, link)) {
        if (++links > MOST_LINKS || snprintf(next, sizeof next, "%s%s", link, word + name) >= (int)sizeof next) return 0;
        if (*link == '/') *to = 0, length = 0;
        else drop_last(to, &length);
        strcpy(rest, next);
        continue;
      }
    }
    memmove(rest, word + name, strlen(word + name) + 1);
  }
  return 1;
}

int kernel_path(struct task *t, int at, const char *path, const struct stat *found, char *to) {
  char rest[PATH_MAX];
  size_t length = 0;
  if (!is_below_kernels(path) && !(found && is_kernels(found))) return 0;
  if (*path != '/') {
    if (!folder_of(t, at, rest, sizeof rest - 1)) return 0;
    length = strlen(rest);
    rest[length++] = '/';
  }
  if (length + strlen(path) >= sizeof rest) return 0;
  strcpy(rest + length, path);
  return walk_links(t, rest, to) && is_below_kernels(to);
}
