/* Runs inside the sandbox after the guest is gone, only when the state is read through the archive API. */
#define _GNU_SOURCE
#include "hidden.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MAX_DEPTH = 512 };

static long found;
static dev_t root_device;
static long changed_since;

/* security.* is either in the archive (file capabilities) or the engine's own label. */
static int has_hidden_xattr(int dir, const char *name) {
  char path[64 + 256], list[65536];
  snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
  ssize_t size = llistxattr(path, list, sizeof list);
  if (size < 0) return 1;
  for (char *p = list; p < list + size; p += strlen(p) + 1)
    if (strncmp(p, "security.", 9) != 0) return 1;
  return 0;
}

static void walk(int dir, int depth) {
  DIR *stream = depth > MAX_DEPTH ? NULL : fdopendir(dir);
  if (!stream) {
    found++;
    close(dir);
    return;
  }
  for (struct dirent *entry; (entry = readdir(stream));) {
    struct stat st;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
      found++;
      continue;
    }
    if (S_ISDIR(st.st_mode) && st.st_dev != root_device) continue;
    int changed = st.st_ctim.tv_sec >= changed_since;
    if (changed && (S_ISSOCK(st.st_mode) || has_hidden_xattr(dir, entry->d_name))) found++;
    if (!S_ISDIR(st.st_mode)) continue;
    int below = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0) walk(below, depth + 1);
    else if (changed) found++;
  }
  closedir(stream);
}

long count_hidden(long since) {
  struct stat st;
  int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 || fstat(root, &st) != 0) return -1;
  root_device = st.st_dev;
  changed_since = since;
  walk(root, 0);
  return found;
}
