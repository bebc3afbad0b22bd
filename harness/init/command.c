/* deterministic-run.sh: sets SEED, then becomes the command, or the image's ENTRYPOINT and CMD. */
#define _GNU_SOURCE
#include "command.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_BYTES = 65536, MAX_WORDS = 1024 };

/* The runner writes the image's command beside us, NUL after each word: an environment variable would leak. */
static char **image_command(void) {
  static char bytes[MAX_BYTES + 1];
  static char *words[MAX_WORDS + 1];
  int fd = open("/harness/image-command", O_RDONLY | O_CLOEXEC), count = 0;
  ssize_t size = fd < 0 ? -1 : read(fd, bytes, MAX_BYTES);
  if (fd >= 0) close(fd);
  for (char *p = bytes; size > 0 && p < bytes + size && count < MAX_WORDS; p += strlen(p) + 1)
    words[count++] = p;
  return count > 0 ? words : NULL;
}

static int is_number(const char *text) {
  if (*text == 0 || strlen(text) > 16) return 0;
  return strspn(text, "0123456789") == strlen(text);
}

char **resolve_command(char **argv) {
  char **next = argv + 1;
  if (*next && strcmp(*next, "--seed") == 0) {
    if (!next[1] || !is_number(next[1])) {
      fputs("deterministic-run.sh: --seed wants a whole number\n", stderr);
      return NULL;
    }
    setenv("SEED", next[1], 1);
    next += 2;
  }
  if (*next && strcmp(*next, "--") == 0) next++;
  else if (*next) {
    fprintf(stderr, "deterministic-run.sh: unexpected '%s'; usage: deterministic-run.sh --seed N [-- COMMAND...]\n", *next);
    return NULL;
  }
  if (*next) return next;
  next = image_command();
  if (!next) fputs("deterministic-run.sh: no command given, and the image names none\n", stderr);
  return next;
}
