/* Reaching into a guest: its memory and its descriptors, where every pointer, length and number is hostile. */
#ifndef REENACT_GUEST_H
#define REENACT_GUEST_H
#include <sys/stat.h>

#include "task.h"

/* 1 when all `size` bytes could be read. */
int guest_read(struct task *t, uint64_t address, void *to, size_t size);

/* 1 when all `size` bytes could be written. */
int guest_write(struct task *t, uint64_t address, const void *from, size_t size);

/* As many bytes as can be read, for structures that may end at the end of a mapping. */
size_t guest_read_some(struct task *t, uint64_t address, void *to, size_t size);

/* A NUL-ended text of less than `room` bytes; 0 when there is none. */
int guest_text(struct task *t, uint64_t address, char *to, size_t room);

/* Opens the guest's memory anew; 0 when the program may not be read, as one with mode 0111. */
int guest_readable(struct task *t);

/* Our own duplicate of the guest's descriptor, to be closed before another guest runs; -1 without one. */
int guest_descriptor(struct task *t, int fd);

/* What `path` is, from the guest's folder `at`; 0 when nothing is there. A link at its end is followed unless `flags`
   are AT_SYMLINK_NOFOLLOW. */
int guest_lookup(struct task *t, int at, const char *path, int flags, struct stat *st);

/* The same for a path of many names, whose links are followed unless `flags` say AT_SYMLINK_NOFOLLOW: 0 or an errno.
   It is EXDEV when the way leaves the mount it starts in: under /proc/self we would find ourselves. */
int guest_walk(struct task *t, int at, const char *path, int flags, struct stat *st);

/* The poll events among `events` that are there now, for one of the guest's descriptors; -1 if unknown. */
int guest_poll(struct task *t, int fd, short events);

/* Reads a whole file of /proc/TID into `to`, NUL-ended; its length, or -1. */
long guest_proc(struct task *t, const char *name, char *to, size_t room);

/* A set of signals in the text of /proc/TID/status, by its name between line feed and tabulator. */
uint64_t guest_mask(const char *status, const char *name);

/* The signals that wait for the thread, or for its `whole` process; 0 when that cannot be known. */
int guest_pending(struct task *t, int whole, uint64_t *signals);

/* The signals that end a wait now if `blocked` (NULL: the thread's own mask) are blocked. An ignored one does not count:
   an untraced process would never have got it. */
uint64_t guest_signals(struct task *t, const uint64_t *blocked, uint64_t *caught);

/* The signals that are ignored, by the thread's handlers or for want of one. */
uint64_t guest_ignored(struct task *t);

/* The same that can be waited for: blocked, or not ignored. */
uint64_t guest_awaited(struct task *t);

#endif
