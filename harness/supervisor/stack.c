/* All of the stack is the guest's word: a frame counts only if it lies upwards, is aligned, and returns behind a call. */
#include "stack.h"

#include "arch.h"
#include "guest.h"
#include "unwind.h"

enum { WORD = 8, BEFORE = 7 };

/* A thread as it was when it made the call that has not come back. */
struct level {
  uint64_t counter, stack, frame;
};

/* Garbage that happens to look like an address of code seldom comes right after a call. */
static const char *objection(struct task *t, const struct maps *m, uint64_t address) {
  uint8_t code[BEFORE];
  const struct mapping *at = mapping_at(m, address);
  if (!at || !at->executable) return "not_code";
  if (!guest_read(t, address - BEFORE, code, sizeof code) || !arch_is_call(code)) return "not_after_call";
  return NULL;
}

/* What every function begins with that keeps frame pointers. */
static const struct rules kept = {.base = ARCH_DWARF_FRAME, .offset = 2 * WORD, .frame_saved = 1,
                                  .frame_offset = -2 * WORD, .return_offset = -WORD};

/* A function may not have made its frame yet, or make none: where there is an unwind table, it knows. */
static struct rules rules_at(struct task *t, const struct maps *m, uint64_t counter) {
  struct rules rules;
  const struct mapping *at = mapping_at(m, counter);
  if (at && at->area == MODULE && unwind_rules(t, &m->modules[at->module], counter, &rules)) return rules;
  return kept;
}

/* To the caller; what is wrong with it, or NULL. */
static const char *climb(struct task *t, const struct maps *m, const struct rules *rules, struct level *l) {
  int by_frame = rules->base == ARCH_DWARF_FRAME;
  uint64_t top = (by_frame ? l->frame : l->stack) + (uint64_t)rules->offset, address, frame = l->frame;
  if (rules->outermost || (by_frame && l->frame == 0)) return "outermost";
  if (top % WORD) return "unaligned";
  if (top < l->stack + WORD) return "not_upwards";
  if (!guest_read(t, top + (uint64_t)rules->return_offset, &address, sizeof address)) return "unmapped";
  if (rules->frame_saved && !guest_read(t, top + (uint64_t)rules->frame_offset, &frame, sizeof frame)) return "unmapped";
  const char *wrong = objection(t, m, address);
  *l = (struct level){address, top, frame};
  return wrong;
}

/* Where a handler's frame ends, the kernel left what it interrupted: that was no call, so the address is exact. */
static int leave_handler(struct task *t, const struct maps *m, struct level *l) {
  uint8_t code[SIGNAL_RETURN], context[CONTEXT_BYTES];
  if (!guest_read(t, l->counter, code, sizeof code) || !arch_is_signal_return(code)) return 0;
  if (!guest_read(t, l->stack, context, sizeof context)) return 0;
  struct interrupted to = arch_interrupted(context);
  const struct mapping *at = mapping_at(m, to.counter);
  if (!at || !at->executable) return 0;
  *l = (struct level){to.counter, to.stack, to.frame};
  return 1;
}

void walk_stack(struct task *t, const struct maps *m, struct stack *s) {
  struct level l = {arch_counter(t), arch_stack(t), arch_frame(t)};
  s->frames[0] = (struct frame){l.counter, "counter"};
  int exact = 1;
  for (s->count = 1; s->count < MAX_FRAMES; s->count++) {
    /* A return address may be the first of the next function, when its call never returns. */
    struct rules rules = rules_at(t, m, l.counter - !exact);
    const char *by = rules.base == ARCH_DWARF_FRAME ? "frame_pointer" : "unwind_table";
    const char *wrong = climb(t, m, &rules, &l);
    /* What lies before the trampoline may look like a call. */
    exact = leave_handler(t, m, &l);
    if (wrong && !exact) {
      s->ended = wrong;
      return;
    }
    s->frames[s->count] = (struct frame){l.counter, exact ? "signal_frame" : by};
  }
  s->ended = "limit";
}
