/* Names of the functions that hold a stack's frames, by the symbols of the files they lie in, or by Go's own table. */
#ifndef REENACT_NAMES_H
#define REENACT_NAMES_H
#include "crash/maps.h"
#include "stack.h"

enum { MOST_NAME = 255 };

struct function_name {
  uint64_t offset; /* of the frame's address from where the function begins */
  size_t size;     /* 0: no symbol names it */
  uint8_t bytes[MOST_NAME];
};

/* One for each frame of `s`, in its order; good until the next call. */
const struct function_name *name_frames(struct task *t, const struct maps *m, const struct stack *s);

#endif
