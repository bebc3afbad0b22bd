/* Files of /proc and /sys that tell of the host: their texts are made here. */
#ifndef REENACT_PROC_H
#define REENACT_PROC_H
#include "ptrace/task.h"

enum { PROC_ROOM = 1 << 20 };

/* The text of the file at `path` (absolute, without links), or -1 when the kernel's own will do. */
long proc_text(const char *path, char *to, size_t room);

/* Machine-wide files; -1 for one that is none. */
long machine_text(const char *path, char *to, size_t room);

/* Of the host's other files: fixed texts, or nothing; -1 for one that tells nothing of the host. */
long host_text(const char *path, char *to, size_t room);

/* The tables of /proc/sysvipc: the guests' own lines, without the clock's. */
long queue_text(const char *name, char *to, size_t room);

/* Files of one process, `name` below /proc/PID; `pid` as the supervisor sees it. */
long process_text(pid_t pid, const char *name, char *to, size_t room);

#endif
