/* Host side: lists what a container's overlay upper folder changed against the image's layers.
   usage: scan MAX_ENTRIES UPPER LOWER...   (layers topmost first)
   Each change is ten NUL-ended fields: change (A, C or D), mode (octal, with type), uid, gid, size, rdev,
   inode, path (from the root, without a leading slash), link target, extended attributes.
   "E" NUL ends a complete list. With a sentence on stderr: exit status 1 when the list would not be whole, 2 when it
   would be too long, 3 where overlayfs keeps its marks in another way than is followed here. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lower.h"

static const char *upper;
static long room_left;
static int depth;

enum { MAX_DEPTH = 256 }; /* folders: keeps the recursion within the stack */

static void put(const char *text) { fwrite(text, 1, strlen(text) + 1, stdout); }

static void put_number(unsigned long long value, const char *format) {
  char text[32];
  snprintf(text, sizeof text, format, value);
  put(text);
}

static void emit(char change, const char *relative, const char *path, const struct entry *e) {
  char target[PATH_MAX] = "";
  if (room_left-- <= 0) {
    fputs("scan: too many changed paths\n", stderr);
    exit(2);
  }
  if (change == 'D') {
    fprintf(stdout, "D%c0%c0%c0%c0%c0%c0%c%s%c%c%c", 0, 0, 0, 0, 0, 0, 0, relative, 0, 0, 0);
    return;
  }
  if (S_ISLNK(e->st.st_mode)) {
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0) give_up("cannot read link", path);
    target[n] = 0;
  }
  char kind[2] = {change, 0};
  put(kind);
  put_number(e->st.st_mode, "%llo");
  put_number(e->st.st_uid, "%llu");
  put_number(e->st.st_gid, "%llu");
  put_number((unsigned long long)e->st.st_size, "%llu");
  put_number(e->st.st_rdev, "%llu");
  put_number(S_ISDIR(e->st.st_mode) || e->st.st_nlink < 2 ? 0 : e->st.st_ino, "%llu");
  put(relative);
  put(target);
  put(e->xattrs);
}

static void join(char *out, const char *folder, const char *name) {
  if (snprintf(out, PATH_MAX, "%s%s%s", folder, *folder ? "/" : "", name) >= PATH_MAX) {
    errno = ENAMETOOLONG;
    give_up("path too long", folder);
  }
}

/* A name that only lower layers know, below an opaque folder, was deleted without a whiteout. */
static void deleted_by_opaque(const char *relative, const char *name) {
  char child[PATH_MAX], path[PATH_MAX];
  struct stat st;
  join(child, relative, name);
  join(path, upper, child);
  if (lstat(path, &st) != 0) emit('D', child, NULL, NULL);
}

static void scan_folder(const char *relative, int in_image);

static void scan_path(const char *relative, int parent_in_image) {
  static struct entry now, before;
  char path[PATH_MAX], old[PATH_MAX];
  join(path, upper, relative);
  if (read_entry(path, &now) != 0) give_up("cannot read", path);
  int in_image = parent_in_image && lower_find(relative, old, sizeof old, &before);
  if (is_whiteout(&now.st)) {
    if (in_image) emit('D', relative, NULL, NULL);
    return;
  }
  int opaque = now.opaque, folder = S_ISDIR(now.st.st_mode);
  int was_folder = in_image && S_ISDIR(before.st.st_mode);
  if (!in_image) emit('A', relative, path, &now);
  else if (!same_entry(path, &now, old, &before)) emit('C', relative, path, &now);
  if (!folder) return;
  if (was_folder && opaque) lower_names(relative, deleted_by_opaque);
  scan_folder(relative, was_folder);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void scan_folder(const char *relative, int in_image) {
  char path[PATH_MAX], **names = NULL;
  size_t count = 0, room = 0;
  join(path, upper, relative);
  if (!*relative) snprintf(path, sizeof path, "%s", upper);
  DIR *dir = opendir(path);
  if (!dir) give_up("cannot list", path);
  if (++depth > MAX_DEPTH) give_up("folders nested too deeply", path);
  for (struct dirent *d; (d = readdir(dir));) {
    if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
    if (count == room) names = realloc(names, (room = room ? 2 * room : 64) * sizeof *names);
    if (!names || !(names[count++] = strdup(d->d_name))) give_up("out of memory", path);
  }
  closedir(dir);
  if (count) qsort(names, count, sizeof *names, by_text);
  for (size_t i = 0; i < count; i++) {
    char child[PATH_MAX];
    refuse_mark_of(names[i], path);
    join(child, relative, names[i]);
    free(names[i]);
    scan_path(child, in_image);
  }
  free(names);
  depth--;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fputs("usage: scan MAX_ENTRIES UPPER LOWER...\n", stderr);
    return 64;
  }
  room_left = atol(argv[1]);
  upper = argv[2];
  marks_of(upper);
  lower_layers(argv + 3, (size_t)argc - 3);
  scan_folder("", 1);
  put("E");
  if (fflush(stdout) != 0) give_up("cannot write", "stdout");
  return 0;
}
