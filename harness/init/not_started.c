/* Why a program could not be executed: an errno alone does not say which of a program's parts is missing. */
#define _GNU_SOURCE
#include "not_started.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "arch/arch.h"

enum { HEAD = 256, MOST_HEADERS = 64 };

/* musl's execvp looks there where PATH is not set. */
static const char usual_path[] = "/usr/local/bin:/bin:/usr/bin";

/* Where the program is: as named, or the first of its name in PATH; empty if it is nowhere. */
static void find(const char *name, const char *path, char found[PATH_MAX]) {
  struct stat s;
  found[0] = 0;
  if (strchr(name, '/')) {
    if (lstat(name, &s) == 0) snprintf(found, PATH_MAX, "%s", name);
    return;
  }
  for (const char *from = path; *name && *from; from += *from == ':') {
    const char *end = strchrnul(from, ':');
    snprintf(found, PATH_MAX, "%.*s/%s", (int)(end - from), from, name);
    if (stat(found, &s) == 0 && S_ISREG(s.st_mode)) return;
    found[0] = 0;
    from = end;
  }
}

/* A script names its interpreter in the first line. */
static void script(const char *head, const char *path) {
  char name[HEAD];
  size_t from = 2 + strspn(head + 2, " \t"), length = strcspn(head + from, " \t\n");
  snprintf(name, sizeof name, "%.*s", (int)length, head + from);
  if (length > 0 && name[length - 1] == '\r')
    dprintf(2, "the first line of %s ends in a carriage return, as files of Windows do: its interpreter is not found", path);
  else if (access(name, F_OK) != 0) dprintf(2, "%s is a script for %s, which the image does not have", path, name);
  else if (access(name, X_OK) != 0) dprintf(2, "%s is a script for %s, which may not be executed", path, name);
  else dprintf(2, "%s is a script for %s, which could not be executed itself", path, name);
}

/* An ELF program names its loader, which comes with the C library. */
static int loader_of(int fd, const Elf64_Ehdr *h, char loader[PATH_MAX]) {
  Elf64_Phdr p;
  for (int i = 0; i < h->e_phnum && i < MOST_HEADERS; i++) {
    if (pread(fd, &p, sizeof p, (off_t)(h->e_phoff + (Elf64_Off)i * sizeof p)) != sizeof p) return 0;
    if (p.p_type != PT_INTERP || p.p_filesz == 0 || p.p_filesz >= PATH_MAX) continue;
    ssize_t size = pread(fd, loader, p.p_filesz, (off_t)p.p_offset);
    return size > 0 && (loader[size] = 0, 1);
  }
  return 0;
}

static void program(int fd, const char *head, const char *path, int error) {
  Elf64_Ehdr h;
  char loader[PATH_MAX];
  memcpy(&h, head, sizeof h);
  if (h.e_machine != arch_machine())
    dprintf(2, "%s is for another processor: ELF machine %u, and this one is %s", path, h.e_machine, arch_name());
  else if (h.e_ident[EI_CLASS] == ELFCLASS64 && loader_of(fd, &h, loader) && access(loader, F_OK) != 0)
    dprintf(2, "%s needs the loader %s, which the image does not have: is it of another C library or distribution?", path, loader);
  else dprintf(2, "%s is an ELF program, and the kernel refuses it: %s", path, strerror(error));
}

static void content(const char *path, int error) {
  char head[HEAD + 1] = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  ssize_t size = fd < 0 ? -1 : read(fd, head, HEAD);
  if (size < 0) dprintf(2, "%s: %s", path, strerror(error));
  else if (size == 0) dprintf(2, "%s is empty", path);
  else if (memcmp(head, "#!", 2) == 0) script(head, path);
  else if (size >= (ssize_t)sizeof(Elf64_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0) program(fd, head, path, error);
  else dprintf(2, "%s is neither an ELF program nor a script that begins with #! and its interpreter", path);
  if (fd >= 0) close(fd);
}

void say_why_not_started(const char *name, int error) {
  const char *path = getenv("PATH") ? getenv("PATH") : usual_path;
  char found[PATH_MAX];
  struct stat s;
  struct statvfs v;
  find(name, path, found);
  if (error == E2BIG) dprintf(2, "%s: arguments and environment are longer than the kernel takes", name);
  else if (!found[0] && strchr(name, '/')) dprintf(2, "%s is not in the image, nor among the inputs", name);
  else if (!found[0]) dprintf(2, "%s is in no folder of PATH (%s)", name, path);
  else if (stat(found, &s) != 0) dprintf(2, "%s is a link that leads nowhere: %s", found, strerror(errno));
  else if (S_ISDIR(s.st_mode)) dprintf(2, "%s is a folder", found);
  else if (!S_ISREG(s.st_mode)) dprintf(2, "%s is no regular file", found);
  else if (!(s.st_mode & 0111)) dprintf(2, "%s is not marked as executable (mode %04o)", found, s.st_mode & 07777);
  else if (statvfs(found, &v) == 0 && v.f_flag & ST_NOEXEC) dprintf(2, "%s lies where nothing may be executed (mounted noexec)", found);
  else if (access(found, X_OK) != 0) dprintf(2, "%s may not be executed by this user (mode %04o, owner %u:%u)", found, s.st_mode & 07777, s.st_uid, s.st_gid);
  else content(found, error);
}
