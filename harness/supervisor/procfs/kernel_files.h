/* Paths that lead to the kernel's own files below /proc and /sys, by whatever way. */
#ifndef REENACT_KERNEL_FILES_H
#define REENACT_KERNEL_FILES_H
#include <sys/stat.h>

#include "ptrace/task.h"

/* The absolute path, without links, dots and doubled slashes, of a file below /proc or /sys that `path` leads to from the
   guest's folder `at`; 0 for all others. `found` is what is there, or NULL. `to` has PATH_MAX bytes. */
int kernel_path(struct task *t, int at, const char *path, const struct stat *found, char *to);

#endif
