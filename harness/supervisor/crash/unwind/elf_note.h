/* A loaded module's ELF header, and what says which build a module is: the linker's build-id and the digest of its file. */
#ifndef REENACT_ELF_NOTE_H
#define REENACT_ELF_NOTE_H
#include <elf.h>

#include "common/sha256.h"
#include "crash/maps.h"

enum { MAX_BUILD_ID = 64, MAX_HEADERS = 64 };

/* Reads the program headers; their count, 0 when it is no ELF file. `bias` is what its addresses are moved by. */
int elf_headers(struct task *t, const struct module *m, Elf64_Phdr headers[MAX_HEADERS], uint64_t *bias);

/* Reads the GNU build-id from the loaded module; its length, 0 when it has none. */
size_t build_id(struct task *t, const struct module *m, uint8_t id[MAX_BUILD_ID]);

/* Opens the module's file as it lies there now, a plain file and no link; else -1, and `wrong` says why not. */
int open_module(const struct module *m, const char **wrong);

/* Hashes the module's file, if `left` bytes suffice, and takes its size off them; else says why not. A file that has
   been hashed before and has not changed since is not read again. */
const char *file_digest(const struct module *m, uint64_t *left, uint8_t digest[SHA256_SIZE]);

#endif
