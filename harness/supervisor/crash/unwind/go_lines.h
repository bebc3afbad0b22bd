/* Go's own table of functions (pclntab) as it is loaded: which function holds a place, and how deep its stack is there. */
#ifndef REENACT_GO_LINES_H
#define REENACT_GO_LINES_H
#include "crash/maps.h"

enum { GO_NAME = 256 };

struct go_place {
  uint64_t start;     /* of the function */
  uint64_t depth;     /* bytes between the stack pointer and the return address */
  char name[GO_NAME]; /* how the function's name begins, NUL-ended */
};

/* 1 when the module is a Go program whose table knows `pc`. */
int go_find(struct task *t, const struct maps *m, int module, uint64_t pc, struct go_place *found);

#endif
