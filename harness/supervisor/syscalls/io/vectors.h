/* The memory from which a waiting call reads and to which it writes: noted once, at the call, whatever other threads write there later. */
#ifndef REENACT_VECTORS_H
#define REENACT_VECTORS_H
#include "ptrace/task.h"

/* The call is about to wait: its list of places, if it has one, is remembered as it is now. */
void vector_keep(struct task *t, const struct call *c);

/* The call is made again: its list is put into the guest's memory as it was. 1 if it had been changed. */
int vector_lay_out(struct task *t);

/* The call was made, or waits on: whatever was written over the list is put back. */
void vector_take_back(struct task *t);

/* Nothing is remembered any more. */
void vector_forget(struct task *t);

#endif
