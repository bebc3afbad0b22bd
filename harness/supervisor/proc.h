/* Files of /proc and /sys that tell of the host: their texts are made here. */
#ifndef REENACT_PROC_H
#define REENACT_PROC_H
#include "task.h"

enum { PROC_ROOM = 1 << 20 };

/* The text of the file at `path` (absolute, clean) for this guest, or -1 when the kernel's own will do. */
long proc_text(struct task *t, const char *path, char *to, size_t room);

/* Machine-wide files; -1 for one that is none. */
long machine_text(const char *path, char *to, size_t room);

/* Files of one process, `name` below /proc/PID; `pid` as the supervisor sees it. */
long process_text(pid_t pid, const char *name, char *to, size_t room);

#endif
