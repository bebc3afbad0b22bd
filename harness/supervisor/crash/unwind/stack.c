/* All of the stack is under the guest's control: a frame counts only if it lies upwards, is aligned, and returns behind a call. */
#include "stack.h"

#include "functions.h"
#include "go_stack.h"
#include "ptrace/guest.h"
#include "level.h"
#include "tables.h"
#include "unwind.h"

enum { WORD = 8, BEFORE = 7, BEGINNING = 64 };

struct walker {
  struct task *t;
  const struct maps *m;
  struct level level;
  int exact;      /* the counter is that of an instruction, and not where a call comes back */
  const char *by; /* how the next frame was found */
};

/* Garbage that happens to look like an address of code seldom comes right after a call. */
static const char *objection(const struct walker *w) {
  uint8_t code[BEFORE] = {0};
  uint64_t address = counter_of(&w->level);
  const struct mapping *at = mapping_at(w->m, address);
  if (!at || !at->executable) return "not_code";
  /* Code may begin with its call, and nothing need be before it. */
  size_t size = address - at->start < BEFORE ? (size_t)(address - at->start) : BEFORE;
  if (!guest_read(w->t, address - size, code + BEFORE - size, size) || !arch_is_call(code)) return "not_after_call";
  return NULL;
}

/* What a frame is that keeps the return address right below its end, and the frame pointer where `saved` says. */
static struct rules plain(unsigned base, int64_t offset, int saved) {
  struct rules rules = {.frame = {.how = OFFSET, .number = base, .offset = offset}};
  rules.registers[ARCH_DWARF_RETURN] = (struct rule){.how = AT_OFFSET, .offset = -WORD};
  if (saved) rules.registers[ARCH_DWARF_FRAME] = (struct rule){.how = AT_OFFSET, .offset = -2 * WORD};
  return rules;
}

/* Where no table knows the code: as its instructions say, onwards to a return or from the function's beginning, which its
   symbol says. */
static int follow(struct walker *w, const struct mapping *at, uint64_t pc) {
  struct place place = {.end = 0};
  int followed = arch_follow(w->t, w->level.registers, at->end);
  if (followed > 0 || at->area != MODULE) return followed;
  const struct tables *tables = module_tables(w->t, w->m, at->module);
  place.address = pc - tables->bias;
  if (tables->file.fd < 0) return followed;
  symbol_functions(&tables->file, &place, 1);
  uint64_t start = place.start + tables->bias;
  if (place.end && start >= at->start && arch_follow_from(w->t, start, counter_of(&w->level), w->level.registers)) return 1;
  return followed;
}

/* Where a program begins, nothing called it. */
static int is_beginning(const struct walker *w, const struct mapping *at) {
  if (at->area != MODULE) return 0;
  uint64_t entry = module_tables(w->t, w->m, at->module)->entry;
  return entry && counter_of(&w->level) >= entry && counter_of(&w->level) - entry < BEGINNING;
}

/* Out of a function of Go's. */
static const char *climb_go(struct walker *w, const struct go_place *in, int *interrupted) {
  enum go_return how;
  const char *wrong = leave_go(w->t, w->m, in, &w->level, &how);
  if (wrong || how == GO_CALLED) return wrong ? wrong : objection(w);
  const struct mapping *at = mapping_at(w->m, counter_of(&w->level));
  if (!at || !at->executable) return "not_code";
  *interrupted = how == GO_INTERRUPTED;
  return NULL;
}

/* To the caller, or what was `interrupted`; what is wrong with it, or NULL. */
static const char *climb(struct walker *w, int *interrupted) {
  static struct rules rules;
  struct level *l = &w->level;
  int signal;
  const struct mapping *at = mapping_at(w->m, counter_of(l));
  const char *wrong;
  const uint64_t stack = stack_of(l);
  w->by = "unwind_table";
  if (!at || !at->executable) {
    /* A call to what is no code left its return address on top, where it was a call. */
    w->by = "call";
    rules = plain(ARCH_DWARF_STACK, WORD, 0);
    wrong = leave_frame(w->t, &rules, l);
    return wrong ? wrong : objection(w);
  }
  /* A return address may be the first of the next function, when its call never returns. */
  uint64_t pc = counter_of(l) - !w->exact;
  struct go_place in;
  if (at->area == MODULE && go_find(w->t, w->m, at->module, pc, &in)) return climb_go(w, &in, interrupted);
  if (at->area != MODULE || !unwind_rules(w->t, w->m, at->module, pc, &rules, &signal)) {
    if (is_beginning(w, at)) return "outermost";
    int followed = follow(w, at, pc);
    w->by = "instructions";
    if (followed > 0) return stack_of(l) > stack ? objection(w) : "not_upwards";
    if (l->registers[ARCH_DWARF_FRAME] == 0) return followed < 0 ? "outermost" : "no_table";
    w->by = "frame_pointer";
    rules = plain(ARCH_DWARF_FRAME, 2 * WORD, 1);
  }
  wrong = leave_frame(w->t, &rules, l);
  return wrong ? wrong : objection(w);
}

/* An interrupted place is code, or an address without code that code has called. */
static int is_interrupted(const struct walker *w, const struct level *to) {
  const struct mapping *at = mapping_at(w->m, counter_of(to));
  struct walker caller = *w;
  if (at && at->executable) return 1;
  return guest_read(w->t, stack_of(to), &caller.level.registers[ARCH_DWARF_RETURN], WORD) && !objection(&caller);
}

/* Where a handler's frame ends, the kernel left what it interrupted: that was no call, so the address is exact. */
static int leave_handler(struct walker *w) {
  static struct rules rules;
  uint8_t code[SIGNAL_RETURN], context[CONTEXT_BYTES];
  struct level to = {.unknown = 0};
  int signal;
  uint64_t trampoline = counter_of(&w->level);
  const struct mapping *at = mapping_at(w->m, trampoline);
  if (!at || !at->executable) return 0;
  if (guest_read(w->t, trampoline, code, sizeof code) && arch_is_signal_return(code)) {
    if (!guest_read(w->t, stack_of(&w->level), context, sizeof context)) return 0;
    arch_interrupted(context, to.registers);
  } else {
    to = w->level;
    if (at->area != MODULE || !unwind_rules(w->t, w->m, at->module, trampoline, &rules, &signal)) return 0;
    if (!signal || leave_frame(w->t, &rules, &to)) return 0;
  }
  return is_interrupted(w, &to) ? (w->level = to, 1) : 0;
}

void walk_stack(struct task *t, const struct maps *m, struct stack *s) {
  struct walker w = {.t = t, .m = m, .exact = 1};
  arch_dwarf_registers(t, w.level.registers);
  unwind_begin();
  s->frames[0] = (struct frame){counter_of(&w.level), "counter"};
  s->ended = "limit";
  for (s->count = 1; s->count < MAX_FRAMES; s->count++) {
    int interrupted = 0;
    const char *wrong = climb(&w, &interrupted);
    /* The bytes before the trampoline may look like a call. */
    w.exact = leave_handler(&w) || interrupted;
    if (wrong && !w.exact) {
      s->ended = wrong;
      break;
    }
    s->frames[s->count] = (struct frame){counter_of(&w.level), w.exact ? "signal_frame" : w.by};
  }
  unwind_end();
}
