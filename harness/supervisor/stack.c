/* The frame pointer is the guest's word: a frame counts only if it lies upwards, is aligned, and returns behind a call. */
#include "stack.h"

#include "arch.h"
#include "guest.h"

enum { WORD = 8, BEFORE = 7 };

/* Garbage that happens to look like an address of code seldom comes right after a call. */
static const char *objection(struct task *t, const struct maps *m, uint64_t address) {
  uint8_t code[BEFORE];
  const struct mapping *at = mapping_at(m, address);
  if (!at || !at->executable) return "not_code";
  if (!guest_read(t, address - BEFORE, code, sizeof code) || !arch_is_call(code)) return "not_after_call";
  return NULL;
}

void walk_stack(struct task *t, const struct maps *m, struct stack *s) {
  uint64_t at = arch_frame(t), lowest = arch_stack(t), pair[2];
  s->frames[0] = arch_counter(t);
  s->count = 1;
  s->ended = "limit";
  while (s->count < MAX_FRAMES) {
    if (at == 0) s->ended = "outermost";
    else if (at % WORD) s->ended = "unaligned";
    else if (at < lowest) s->ended = "not_upwards";
    else if (!mapping_at(m, at) || !guest_read(t, at, pair, sizeof pair)) s->ended = "unmapped";
    else {
      const char *wrong = objection(t, m, pair[1]);
      if (!wrong) {
        s->frames[s->count++] = pair[1];
        lowest = at + sizeof pair;
        at = pair[0];
        continue;
      }
      s->ended = wrong;
    }
    return;
  }
}
