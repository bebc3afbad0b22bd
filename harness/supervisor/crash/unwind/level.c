/* Leaves one frame by the rules of its place: only the contents of memory are taken for granted. */
#include "level.h"

#include "ptrace/guest.h"

enum { WORD = 8 };

/* The caller's register; 0 when it cannot be known, and `wrong` where that is a fault of the stack's. */
static int find_register(struct task *t, const struct rule *rule, const struct level *l, uint64_t frame, uint64_t *value,
                         const char **wrong) {
  uint64_t at = frame + (uint64_t)rule->offset;
  switch (rule->how) {
    case OFFSET: *value = at; return 1;
    case COPIED:
      if (rule->number >= ARCH_DWARF_REGISTERS || l->unknown >> rule->number & 1) return 0;
      *value = l->registers[rule->number];
      return 1;
    case RESULT: return run_expression(t, rule->expression, l, &frame, value);
    case AT_RESULT:
      if (!run_expression(t, rule->expression, l, &frame, &at)) return 0;
      break;
    case AT_OFFSET: break;
    default: return 0;
  }
  if (guest_read(t, at, value, sizeof *value)) return 1;
  *wrong = "unmapped";
  return 0;
}

/* Where the frame ends: 0 when the table needs a register that is lost. */
static int find_frame(struct task *t, const struct rule *rule, const struct level *l, uint64_t *frame) {
  if (rule->how == RESULT) return run_expression(t, rule->expression, l, NULL, frame);
  if (rule->how != OFFSET || rule->number >= ARCH_DWARF_REGISTERS || l->unknown >> rule->number & 1) return 0;
  *frame = l->registers[rule->number] + (uint64_t)rule->offset;
  return 1;
}

const char *leave_frame(struct task *t, const struct rules *rules, struct level *l) {
  struct level caller = *l;
  uint64_t frame;
  if (rules->registers[ARCH_DWARF_RETURN].how == LOST) return "outermost";
  if (!find_frame(t, &rules->frame, l, &frame)) return "no_table";
  if (frame % WORD) return "unaligned";
  if (frame < stack_of(l) + WORD || frame < WORD) return "not_upwards";
  caller.registers[ARCH_DWARF_STACK] = frame;
  for (unsigned i = 0; i < ARCH_DWARF_REGISTERS; i++) {
    const struct rule *rule = &rules->registers[i];
    const char *wrong = NULL;
    if (rule->how == SAME) {
      /* A return address must be found again; the stack pointer already was. */
      if (i == ARCH_DWARF_RETURN) return "no_table";
      continue;
    }
    if (find_register(t, rule, l, frame, &caller.registers[i], &wrong)) caller.unknown &= ~(UINT32_C(1) << i);
    else if (i == ARCH_DWARF_RETURN) return wrong ? wrong : "no_table";
    else if (wrong) return wrong;
    else caller.unknown |= UINT32_C(1) << i;
  }
  *l = caller;
  return NULL;
}
