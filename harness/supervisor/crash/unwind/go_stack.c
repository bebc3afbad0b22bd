/* Go calls on stacks of its own: where its runtime changes from one to another, its callers are found as it finds them. */
#include "go_stack.h"

#include <string.h>

#include "ptrace/guest.h"

enum { WORD = 8 };

/* Fields of the runtime's `g` and `m` that have lain there since Go 1.4: a goroutine's stack, its `m`, where it left off;
   a thread's goroutine for the scheduler, and the words among which its current one is. */
enum { G_LOW = 0, G_HIGH = 8, G_M = 48, G_STACK = 56, G_COUNTER = 64, M_G0 = 0, M_WORDS = 64 };

static int read_word(struct task *t, uint64_t at, uint64_t *value) { return guest_read(t, at, value, sizeof *value); }

/* A goroutine's `m`; 0 when it is none. */
static int find_m_of(struct task *t, uint64_t g, uint64_t *m) {
  uint64_t g0, back;
  return read_word(t, g + G_M, m) && read_word(t, *m + M_G0, &g0) && read_word(t, g0 + G_M, &back) && back == *m;
}

/* The thread's `m`: the goroutine that it belongs to stands in the thread's own variables, mostly as the last of them, and
   in a register since Go 1.17. */
static int find_m(struct task *t, const struct level *l, uint64_t *m) {
  uint64_t g;
  if (read_word(t, arch_thread_pointer(t) - WORD, &g) && find_m_of(t, g, m)) return 1;
  return !(l->unknown >> ARCH_DWARF_GO & 1) && find_m_of(t, l->registers[ARCH_DWARF_GO], m);
}

/* The goroutine that the thread runs, which is the one of its `m` that left off on a stack of its own. */
static int find_current(struct task *t, const struct level *l, uint64_t *counter, uint64_t *stack) {
  uint64_t m, words[M_WORDS], back, low, high;
  if (!find_m(t, l, &m) || !guest_read(t, m, words, sizeof words)) return 0;
  for (int i = 1; i < M_WORDS; i++) {
    uint64_t g = words[i];
    if (g == words[M_G0] || g % WORD || !read_word(t, g + G_M, &back) || back != m) continue;
    if (!read_word(t, g + G_LOW, &low) || !read_word(t, g + G_HIGH, &high)) continue;
    if (!read_word(t, g + G_STACK, stack) || !read_word(t, g + G_COUNTER, counter)) continue;
    if (*counter && *stack % WORD == 0 && *stack > low && *stack < high) return 1;
  }
  return 0;
}

static int is_code(const struct maps *m, uint64_t address) {
  const struct mapping *at = mapping_at(m, address);
  return at && at->executable;
}

/* The return address on top of another stack. */
static const char *go_on(struct task *t, uint64_t stack, struct level *l) {
  if (stack % WORD) return "unaligned";
  if (!read_word(t, stack, &l->registers[ARCH_DWARF_RETURN])) return "unmapped";
  l->registers[ARCH_DWARF_STACK] = stack + WORD;
  return NULL;
}

/* The runtime's own call on the scheduler's stack comes back to the goroutine's. */
static const char *leave_system_stack(struct task *t, struct level *l) {
  uint64_t counter, stack;
  return find_current(t, l, &counter, &stack) ? go_on(t, stack, l) : "no_table";
}

/* What asked for more stack stands right before its first own instruction, and has made no frame yet. */
static const char *leave_more_stack(struct task *t, struct level *l) {
  uint64_t stack;
  if (!find_current(t, l, &l->registers[ARCH_DWARF_RETURN], &stack)) return "no_table";
  l->registers[ARCH_DWARF_STACK] = stack;
  return NULL;
}

/* C runs on the scheduler's stack. Below its frame lie the goroutine and how deep its stack was or, where there was none
   to leave, 0 and the stack pointer: one after the other, in that order, at a place that later versions of Go moved. */
static const char *leave_c_call(struct task *t, const struct maps *m, struct level *l) {
  static const uint64_t places[] = {40, 0};
  uint64_t words[2], high;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    struct level to = *l;
    if (!guest_read(t, stack_of(l) + places[i], words, sizeof words)) continue;
    if (words[1] && (words[1] % WORD || !read_word(t, words[1] + G_HIGH, &high))) continue;
    if (go_on(t, words[1] ? high - words[0] : words[0], &to) || !is_code(m, counter_of(&to))) continue;
    *l = to;
    return NULL;
  }
  return "no_table";
}

/* 1 when the address lies in this function, or right behind a call in it. */
static int is_in(struct task *t, const struct maps *m, uint64_t address, const char *name) {
  struct go_place in;
  const struct mapping *at = mapping_at(m, address);
  return at && at->executable && at->area == MODULE && go_find(t, m, at->module, address, &in) && strcmp(in.name, name) == 0;
}

/* Go that C called runs on the goroutine's stack; C is where the scheduler's ends. A panic makes the scheduler forget C's
   part and write over it: then Go's last call of C is next, as in its own traces, before which it put a false address. */
static const char *leave_callback(struct task *t, const struct maps *m, uint64_t depth, struct level *l) {
  uint64_t thread, g0, stack, address, own = stack_of(l) + depth;
  if (find_m(t, l, &thread) && read_word(t, thread + M_G0, &g0) && read_word(t, g0 + G_STACK, &stack) &&
      read_word(t, stack + depth, &address) && is_in(t, m, address - 1, "crosscall2"))
    return go_on(t, stack + depth, l);
  if (!read_word(t, own, &address) || !is_in(t, m, address, "runtime.systemstack_switch")) return "no_table";
  return go_on(t, own + WORD, l);
}

/* Go's functions keep no register but the stack pointer, and the frame pointer below the return address once they have
   made their frame. */
static const char *leave_ordinary(struct task *t, uint64_t depth, struct level *l) {
  struct rules rules = {.frame = {.how = OFFSET, .number = ARCH_DWARF_STACK, .offset = (int64_t)depth + WORD}};
  for (int i = 0; i < ARCH_DWARF_REGISTERS; i++) rules.registers[i].how = LOST;
  rules.registers[ARCH_DWARF_STACK].how = rules.registers[ARCH_DWARF_GO].how = SAME;
  rules.registers[ARCH_DWARF_RETURN] = (struct rule){.how = AT_OFFSET, .offset = -WORD};
  struct rule *frame = &rules.registers[ARCH_DWARF_FRAME];
  frame->how = SAME;
  if (depth && l->registers[ARCH_DWARF_FRAME] == stack_of(l) + depth - WORD)
    *frame = (struct rule){.how = AT_OFFSET, .offset = -2 * WORD};
  return leave_frame(t, &rules, l);
}

enum special { ORDINARY, FIRST, FAULT, SYSTEM_STACK, MORE_STACK, C_CALL, CALLBACK };

static enum special special_of(const char *name) {
  static const struct {
    const char *name;
    enum special special;
  } all[] = {
      {"runtime.goexit", FIRST},          {"runtime.mstart", FIRST},       {"runtime.rt0_go", FIRST},
      {"runtime.mcall", FIRST},           {"runtime.sigpanic", FAULT},     {"runtime.sigpanic0", FAULT},
      {"runtime.asyncPreempt", FAULT},    {"runtime.systemstack", SYSTEM_STACK},
      {"runtime.morestack", MORE_STACK},  {"runtime.asmcgocall", C_CALL},  {"runtime.cgocallback", CALLBACK},
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (strcmp(name, all[i].name) == 0) return all[i].special;
  return ORDINARY;
}

const char *leave_go(struct task *t, const struct maps *m, const struct go_place *in, struct level *l, enum go_return *how) {
  *how = GO_CALLED;
  switch (special_of(in->name)) {
    case FIRST: return "outermost";
    case SYSTEM_STACK: return leave_system_stack(t, l);
    case MORE_STACK: return leave_more_stack(t, l);
    case C_CALL: return leave_c_call(t, m, l);
    case CALLBACK: return leave_callback(t, m, in->depth, l);
    case FAULT: *how = GO_INTERRUPTED; break;
    default: break;
  }
  const char *wrong = leave_ordinary(t, in->depth, l);
  if (wrong || *how == GO_INTERRUPTED) return wrong;
  if (is_in(t, m, counter_of(l), "runtime.goexit")) *how = GO_BEGINNING;
  return NULL;
}
