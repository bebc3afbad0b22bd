/* A stack machine over bytes of the guest: those operations that say where something is, in a bounded number of steps. */
#include "ptrace/guest.h"
#include "level.h"

enum { DEPTH = 32, STEPS = 512, WORD = 8 };

struct machine {
  uint64_t stack[DEPTH];
  int depth, bad;
};

static void push(struct machine *m, uint64_t value) {
  if (m->depth == DEPTH) m->bad = 1;
  else m->stack[m->depth++] = value;
}

static uint64_t pop(struct machine *m) {
  if (m->depth > 0) return m->stack[--m->depth];
  m->bad = 1;
  return 0;
}

/* The value `below` the top. */
static uint64_t pick(struct machine *m, uint64_t below) {
  if (below < (uint64_t)m->depth) return m->stack[m->depth - 1 - (int)below];
  m->bad = 1;
  return 0;
}

static void push_register(struct machine *m, const struct level *l, uint64_t number, int64_t offset) {
  if (number >= ARCH_DWARF_REGISTERS || l->unknown >> number & 1) m->bad = 1;
  else push(m, l->registers[number] + (uint64_t)offset);
}

static void push_memory(struct machine *m, struct task *t, size_t size) {
  uint64_t value = 0;
  if (size == 0 || size > sizeof value || !guest_read(t, pop(m), &value, size)) m->bad = 1;
  push(m, value);
}

static int is_constant(struct machine *m, unsigned code, struct reader *e) {
  enum { ADDRESS = 0x03, CONST1U = 0x08, CONST8S = 0x0f, CONSTU, CONSTS, LIT0 = 0x30, LIT31 = 0x4f };
  if (code >= LIT0 && code <= LIT31) push(m, code - LIT0);
  else if (code == ADDRESS) push(m, read_fixed(e, WORD));
  else if (code == CONSTU) push(m, read_uleb(e));
  else if (code == CONSTS) push(m, (uint64_t)read_sleb(e));
  else if (code >= CONST1U && code <= CONST8S) {
    unsigned size = 1u << (code - CONST1U) / 2, rest = 64 - 8 * size;
    uint64_t value = read_fixed(e, size);
    /* Each second one is signed. */
    push(m, (code - CONST1U) % 2 ? (uint64_t)((int64_t)(value << rest) >> rest) : value);
  } else return 0;
  return 1;
}

/* Operations on the two uppermost values. */
static int is_binary(struct machine *m, unsigned code) {
  enum { AND = 0x1a, DIV, MINUS, MOD, MUL, OR = 0x21, PLUS, SHL = 0x24, SHR, SHRA, XOR, EQ = 0x29, GE, GT, LE, LT, NE };
  if (code < AND || code > NE || code == 0x1f || code == 0x20 || code == 0x23 || code == 0x28) return 0;
  uint64_t b = pop(m), a = pop(m);
  int64_t left = (int64_t)a, right = (int64_t)b;
  switch (code) {
    case AND: push(m, a & b); break;
    case MINUS: push(m, a - b); break;
    case MUL: push(m, a * b); break;
    case OR: push(m, a | b); break;
    case PLUS: push(m, a + b); break;
    case XOR: push(m, a ^ b); break;
    case SHL: push(m, b < 64 ? a << b : 0); break;
    case SHR: push(m, b < 64 ? a >> b : 0); break;
    case SHRA: push(m, (uint64_t)(left >> (b < 64 ? b : 63))); break;
    case EQ: push(m, a == b); break;
    case NE: push(m, a != b); break;
    case GE: push(m, left >= right); break;
    case GT: push(m, left > right); break;
    case LE: push(m, left <= right); break;
    case LT: push(m, left < right); break;
    default: m->bad = 1; break; /* divisions: no table has one */
  }
  return 1;
}

/* Operations on the stack itself, and on its uppermost value. */
static void change_stack(struct machine *m, struct task *t, unsigned code, struct reader *e) {
  enum { DEREF = 0x06, DUP = 0x12, DROP, OVER, PICK, SWAP, ROT, NEG = 0x1f, NOT, PLUS_UCONST = 0x23, DEREF_SIZE = 0x94, NOP = 0x96 };
  uint64_t a, b, c;
  switch (code) {
    case DEREF: push_memory(m, t, WORD); return;
    case DEREF_SIZE: push_memory(m, t, read_fixed(e, 1)); return;
    case DUP: push(m, pick(m, 0)); return;
    case DROP: pop(m); return;
    case OVER: push(m, pick(m, 1)); return;
    case PICK: push(m, pick(m, read_fixed(e, 1))); return;
    case SWAP: a = pop(m), b = pop(m), push(m, a), push(m, b); return;
    case ROT: a = pop(m), b = pop(m), c = pop(m), push(m, a), push(m, c), push(m, b); return;
    case NEG: push(m, 0 - pop(m)); return;
    case NOT: push(m, ~pop(m)); return;
    case PLUS_UCONST: a = read_uleb(e), push(m, pop(m) + a); return;
    case NOP: return;
    default: m->bad = 1; return;
  }
}

/* A jump by the two bytes that follow, within the expression. */
static void jump(struct reader *e, const uint8_t *begin, int taken) {
  int16_t distance = (int16_t)read_fixed(e, sizeof distance);
  if (e->bad || !taken) return;
  if (distance < begin - e->at || distance > e->end - e->at) e->bad = 1;
  else e->at += distance;
}

int run_expression(struct task *t, struct reader e, const struct level *l, const uint64_t *first, uint64_t *result) {
  enum { BREG0 = 0x70, BREG31 = 0x8f, BREGX = 0x92, BRA = 0x28, SKIP = 0x2f };
  struct machine m = {.depth = 0};
  const uint8_t *begin = e.at;
  if (first) push(&m, *first);
  for (int steps = 0; e.at < e.end && !e.bad && !m.bad; steps++) {
    unsigned code = (unsigned)read_fixed(&e, 1);
    if (steps == STEPS) return 0;
    if (code >= BREG0 && code <= BREG31) push_register(&m, l, code - BREG0, read_sleb(&e));
    else if (code == BREGX) {
      uint64_t number = read_uleb(&e);
      push_register(&m, l, number, read_sleb(&e));
    } else if (code == BRA) jump(&e, begin, pop(&m) != 0);
    else if (code == SKIP) jump(&e, begin, 1);
    else if (!is_constant(&m, code, &e) && !is_binary(&m, code)) change_stack(&m, t, code, &e);
  }
  if (e.bad || m.bad || m.depth == 0) return 0;
  *result = m.stack[m.depth - 1];
  return 1;
}
