/* Terminals: a thread of the kernel passes on what is written to one side; it is waited for here. */
#define _GNU_SOURCE
#include "terminals.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "ptrace/guest.h"

enum { MOST = 64, ROUNDS = 3, MICRO = 1000 };

int is_terminal(int fd) {
  struct termios settings;
  return tcgetattr(fd, &settings) == 0;
}

/* Duplicates of the terminals a process has open; opening one anew would hang it up when we close it. */
static size_t borrow(struct task *t, struct pollfd *to, size_t count) {
  char folder[32], name[64], link[16];
  snprintf(folder, sizeof folder, "/proc/%d/fd", (int)t->process->tgid);
  DIR *open = opendir(folder);
  for (struct dirent *entry; open && count < MOST && (entry = readdir(open));) {
    snprintf(name, sizeof name, "%s/%.16s", folder, entry->d_name);
    ssize_t n = readlink(name, link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    if (strncmp(link, "/dev/pts/", 9) != 0 && strncmp(link, "/dev/ptmx", 9) != 0) continue;
    int fd = guest_descriptor(t, atoi(entry->d_name));
    if (fd >= 0) to[count++] = (struct pollfd){fd, POLLIN, 0};
  }
  if (open) closedir(open);
  return count;
}

/* Polling a terminal without input passes on all that is on its way to it; one that has some is given a moment. */
void settle_terminals(void) {
  static struct pollfd all[MOST];
  size_t count = 0;
  for (struct task *t = tasks; t; t = t->next)
    if (t->tid == t->process->tgid) count = borrow(t, all, count);
  for (int round = 0; round < ROUNDS; round++)
    if (poll(all, count, 0) > 0) nanosleep(&(struct timespec){0, 100 * MICRO}, NULL);
  for (size_t i = 0; i < count; i++) close(all[i].fd);
}
