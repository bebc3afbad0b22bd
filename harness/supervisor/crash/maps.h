/* The memory of a guest that is about to die: what lies where, and from which program or library it comes. */
#ifndef REENACT_MAPS_H
#define REENACT_MAPS_H
#include "ptrace/task.h"

enum { MAX_MAPPINGS = 65534, MAX_MODULES = 128, MODULE_PATH = 512, NULL_AREA = 65536 };

enum area { UNMAPPED, NULL_PAGE, MODULE, OTHER_FILE, STACK_AREA, HEAP, ANONYMOUS, KERNEL };

struct mapping {
  uint64_t start, end, offset;
  int readable, writable, executable;
  enum area area;
  int module; /* index, or -1 */
};

/* A file of which something is mapped to be executed; `base` is the lowest address of it. */
struct module {
  uint64_t base, end;
  char path[MODULE_PATH + 1]; /* cut off where it is longer, and then not opened */
  int whole;
};

struct maps {
  struct mapping list[MAX_MAPPINGS];
  struct module modules[MAX_MODULES];
  int mappings, module_count, modules_left_out;
};

/* Reads /proc/TID/maps; one table, good until the next call. */
const struct maps *read_maps(struct task *t);

/* The mapping that holds `address`, or NULL. */
const struct mapping *mapping_at(const struct maps *m, uint64_t address);

#endif
