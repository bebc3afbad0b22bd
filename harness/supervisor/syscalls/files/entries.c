/* unlink, rename, link and rmdir, which change the folder. */
#define _GNU_SOURCE
#include "entries.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>

#include "loop/calls.h"
#include "ptrace/guest.h"
#include "inodes.h"

void entry_changed(struct task *t, int at, const char *path) {
  char folder[PATH_MAX];
  struct stat st;
  size_t length = strlen(path);
  if (length >= sizeof folder) return;
  memcpy(folder, path, length + 1);
  while (length > 1 && folder[length - 1] == '/') length--;
  while (length > 0 && folder[length - 1] != '/') length--;
  folder[length] = 0;
  if (guest_lookup(t, at, length ? folder : ".", 0, &st)) inode_written(st.st_dev, st.st_ino);
}

/* The name at argument `index`, with the folder's descriptor before it where the call has one. */
static int name_at(struct task *t, const struct call *c, int index, int has_folder, char *path, int *at) {
  *at = has_folder ? (int)c->args[index - 1] : AT_FDCWD;
  return guest_text(t, c->args[index], path, PATH_MAX);
}

/* A file that exists will be gone: so one stop is enough. */
enum action on_unlink(struct task *t, struct call *c) {
  char path[PATH_MAX];
  struct stat st;
  int at, has_folder = c->nr == SYS_unlinkat;
  if (has_folder && c->args[2] & AT_REMOVEDIR) return AFTER;
  if (name_at(t, c, has_folder, has_folder, path, &at) && guest_lookup(t, at, path, AT_SYMLINK_NOFOLLOW, &st))
    entry_changed(t, at, path);
  return RUN;
}

static void change_at(struct task *t, const struct call *c, int index, int has_folder) {
  char path[PATH_MAX];
  int at;
  if (name_at(t, c, index, has_folder, path, &at)) entry_changed(t, at, path);
}

enum action after_entries(struct task *t, struct call *c) {
  if (c->result != 0) return RUN;
  switch (c->nr) {
    case SYS_rmdir: change_at(t, c, 0, 0); break;
    case SYS_unlinkat: change_at(t, c, 1, 1); break;
    case SYS_link: change_at(t, c, 1, 0); break;
    case SYS_linkat: change_at(t, c, 3, 1); break;
    case SYS_rename:
      change_at(t, c, 0, 0);
      change_at(t, c, 1, 0);
      break;
    default:
      change_at(t, c, 1, 1);
      change_at(t, c, 3, 1);
  }
  return RUN;
}
