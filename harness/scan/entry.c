/* Reads and compares single paths; nothing here follows a link, since a stranger's program made them. */
#define _GNU_SOURCE
#include "entry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MAX_NAMES = 1024, MARKS_STATUS = 3 };

static const char KERNELS[] = "trusted.overlay.";
/* Where overlayfs mounted with userxattr, and fuse-overlayfs, keep what they know of a path. */
static const char *const FOREIGN[] = {"user.overlay.", "user.fuseoverlayfs.", "user.containers.override_stat"};
/* Those that take nothing from the path and add nothing to it. */
static const char *const HARMLESS[] = {"origin", "impure", "uuid", "nlink", "upper", "protattr"};
enum { FOREIGN_COUNT = sizeof FOREIGN / sizeof *FOREIGN, HARMLESS_COUNT = sizeof HARMLESS / sizeof *HARMLESS };

/* The upper root bears marks that only the kernel can have set: what else looks like a mark is the guest's own. */
static int kernels_alone;

void give_up(const char *what, const char *path) {
  fprintf(stderr, "scan: %s: %s (%s)\n", path, what, strerror(errno));
  exit(1);
}

static void give_up_on_mark(const char *what, const char *path) {
  fprintf(stderr, "scan: %s: %s, which this scan does not follow\n", path, what);
  exit(MARKS_STATUS);
}

static int begins(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

void marks_of(const char *upper_root) {
  static char list[XATTR_TEXT];
  ssize_t size = llistxattr(upper_root, list, sizeof list);
  if (size < 0 && errno != ENOTSUP) give_up("cannot list extended attributes", upper_root);
  for (char *p = list; p < list + size; p += strlen(p) + 1)
    if (begins(p, KERNELS) && strcmp(p + sizeof KERNELS - 1, "opaque") != 0) kernels_alone = 1;
}

void refuse_mark_of(const char *name, const char *path) {
  if (!kernels_alone && begins(name, ".wh.")) give_up_on_mark("a whiteout as fuse-overlayfs writes them", path);
}

int is_whiteout(const struct stat *st) { return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0); }

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static char *hex(char *out, const char *end, const char *bytes, size_t size) {
  for (size_t i = 0; i < size && out + 3 < end; i++) out += sprintf(out, "%02x", (unsigned char)bytes[i]);
  return out;
}

/* overlayfs features that move content elsewhere, and marks that are not known, would make this scan wrong without a sign of it. */
static int overlay_attribute(const char *path, const char *name, const char *value, ssize_t size, struct entry *e) {
  for (int i = 0; i < FOREIGN_COUNT; i++)
    if (!kernels_alone && begins(name, FOREIGN[i])) give_up_on_mark("a mark of fuse-overlayfs, or of overlayfs with userxattr", path);
  if (!begins(name, KERNELS)) return 0;
  const char *mark = name + sizeof KERNELS - 1;
  for (int i = 0; i < HARMLESS_COUNT; i++)
    if (strcmp(mark, HARMLESS[i]) == 0) return 1;
  if (strcmp(mark, "opaque") == 0 && size == 1 && *value == 'y') return e->opaque = 1;
  give_up_on_mark(strcmp(mark, "redirect") == 0 || strcmp(mark, "metacopy") == 0 ? "overlayfs redirect_dir or metacopy is on"
                                                                                 : "a mark of overlayfs that is not known",
                  path);
  return 1;
}

static void read_xattrs(const char *path, struct entry *e) {
  static char list[XATTR_TEXT], value[XATTR_TEXT];
  char *names[MAX_NAMES], *out = e->xattrs, *end = e->xattrs + sizeof e->xattrs;
  size_t count = 0;
  ssize_t size = llistxattr(path, list, sizeof list);
  if (size < 0 && errno != ENOTSUP) give_up("cannot list extended attributes", path);
  for (char *p = list; p < list + size; p += strlen(p) + 1) {
    if (count == MAX_NAMES) give_up("too many extended attributes", path);
    names[count++] = p;
  }
  qsort(names, count, sizeof *names, by_name);
  for (size_t i = 0; i < count; i++) {
    if (strncmp(names[i], "security.", 9) == 0 && strcmp(names[i], "security.capability") != 0) continue;
    ssize_t length = lgetxattr(path, names[i], value, sizeof value);
    if (length < 0) give_up("cannot read an extended attribute", path);
    if (overlay_attribute(path, names[i], value, length, e)) continue;
    if (out + 2 * (strlen(names[i]) + (size_t)length) + 4 >= end) give_up("extended attributes too large", path);
    out = hex(out, end, names[i], strlen(names[i]));
    *out++ = '=';
    out = hex(out, end, value, (size_t)length);
    *out++ = ',';
  }
  *out = 0;
}

int read_entry(const char *path, struct entry *e) {
  e->opaque = 0;
  e->xattrs[0] = 0;
  if (lstat(path, &e->st) != 0) return errno;
  if (!is_whiteout(&e->st)) read_xattrs(path, e);
  return 0;
}

static int same_content(const char *path_a, const char *path_b) {
  static char a[65536], b[65536];
  int fa = open(path_a, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), fb = open(path_b, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  ssize_t na = 1, nb = 1;
  if (fa < 0) give_up("cannot read", path_a);
  if (fb < 0) give_up("cannot read", path_b);
  while (na > 0 && na == nb) {
    na = read(fa, a, sizeof a);
    nb = read(fb, b, sizeof b);
    if (na < 0 || nb < 0) give_up("cannot read", na < 0 ? path_a : path_b);
    if (na == nb && memcmp(a, b, (size_t)na) != 0) nb = -1;
  }
  close(fa);
  close(fb);
  return na == nb;
}

static int same_target(const char *path_a, const char *path_b) {
  char a[PATH_MAX], b[PATH_MAX];
  ssize_t na = readlink(path_a, a, sizeof a), nb = readlink(path_b, b, sizeof b);
  return na >= 0 && na == nb && memcmp(a, b, (size_t)na) == 0;
}

int same_entry(const char *path_a, const struct entry *a, const char *path_b, const struct entry *b) {
  if (a->st.st_mode != b->st.st_mode || a->st.st_uid != b->st.st_uid || a->st.st_gid != b->st.st_gid) return 0;
  if (strcmp(a->xattrs, b->xattrs) != 0) return 0;
  if (S_ISREG(a->st.st_mode)) return a->st.st_size == b->st.st_size && same_content(path_a, path_b);
  if (S_ISLNK(a->st.st_mode)) return same_target(path_a, path_b);
  if (S_ISCHR(a->st.st_mode) || S_ISBLK(a->st.st_mode)) return a->st.st_rdev == b->st.st_rdev;
  return 1;
}
