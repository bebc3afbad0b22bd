/* Writes in spite of what a guest may do to a pipe that it shares with us. */
#include "write_all.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* The guest shares this pipe and may have made it non-blocking, so EAGAIN is waited out. */
void write_all(int fd, const void *from, size_t size) {
  const char *data = from;
  while (size > 0) {
    ssize_t n = write(fd, data, size);
    if (n > 0) {
      data += n;
      size -= (size_t)n;
    } else if (errno == EAGAIN) {
      struct pollfd p = {.fd = fd, .events = POLLOUT};
      poll(&p, 1, 1000);
    } else if (errno != EINTR) {
      return;
    }
  }
}
