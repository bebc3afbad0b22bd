/* /proc/PID/mem as a guest may read it. */
#ifndef REENACT_MEMORY_FILE_H
#define REENACT_MEMORY_FILE_H
#include <sys/stat.h>

#include "ptrace/task.h"

/* read or pread of a process's memory, of which something was written over: the bytes as they were. RUN for all others. */
enum action read_memory_file(struct task *t, struct call *c, int fd, const struct stat *st);

#endif
