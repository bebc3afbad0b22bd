/* Describes a crash as JSON, bounded by construction: numbers, fixed words, and hexadecimal of the guest's bytes. */
#define _GNU_SOURCE
#include "crash.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
#include "core.h"
#include "crash/unwind/elf_note.h"
#include "loop/ends.h"
#include "ptrace/guest.h"
#include "crash/unwind/names.h"
#include "crash/unwind/stack.h"
#include "loop/traps.h"

/* Room for the most that can be said of one crash: 128 modules of 1,340 bytes, 256 frames of 650, 64 threads, the
   registers. All others share one room, and what no longer fits is only counted. */
enum { ROOM = 393216, OTHERS_ROOM = 262144, MOST_OTHERS = 16, MOST_COUNTED = 1000000, MAX_THREADS = 64, HASHED = 256 << 20 };

static char of_program[ROOM], of_others[OTHERS_ROOM];
static int wants_core;
static int noted; /* the signal that is about to end the program, 0: none */

/* The crash of another process: noted when its signal came, certain when it had ended. */
static struct other {
  pid_t process; /* 0: it has ended */
  int signal, place;
  size_t from, size;
} others[MOST_OTHERS];
static int other_count, ended, left_out;
static uint64_t others_hashed = HASHED;

/* Where a text is written; it ends before `room`, while `length` goes on counting. */
static char *text;
static size_t length, room;

static void put(const char *format, ...) {
  va_list list;
  size_t at = length < room ? length : room;
  va_start(list, format);
  int n = vsnprintf(text + at, room - at, format, list);
  va_end(list);
  length += (size_t)n;
}

static void put_hex(const void *bytes, size_t size) {
  const uint8_t *p = bytes;
  for (size_t i = 0; i < size; i++) put("%02x", p[i]);
}

/* Offsets, since addresses belong to one machine; what lies nowhere has none. */
static void put_place(const struct maps *m, uint64_t address) {
  static const char *const names[] = {"unmapped", "null", "module", "file", "stack", "heap", "anonymous", "kernel"};
  const struct mapping *at = mapping_at(m, address);
  enum area area = at ? at->area : address < NULL_AREA ? NULL_PAGE : UNMAPPED;
  uint64_t base = !at ? 0 : area == MODULE ? m->modules[at->module].base : at->start;
  put("\"area\":\"%s\",\"module\":", names[area]);
  if (area == MODULE) put("%d", at->module);
  else put("null");
  if (area == UNMAPPED) put(",\"offset\":null");
  else put(",\"offset\":\"0x%llx\"", (unsigned long long)(address - base));
}

/* SI_KERNEL means that the processor named no address, whatever the field says. */
static void put_fault(const struct maps *m, const siginfo_t *info) {
  const int number = info->si_signo;
  const int faults = number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGTRAP;
  put(",\"fault\":");
  if (!faults || info->si_code <= 0 || info->si_code == SI_KERNEL) {
    put("null");
    return;
  }
  uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
  put("{\"address\":\"0x%llx\",", (unsigned long long)address);
  put_place(m, address);
  put("}");
}

static void put_threads(const struct task *t) {
  int count = 0;
  put(",\"thread\":%d,\"threads\":[", (int)t->tid);
  for (const struct task *o = tasks; o; o = o->next)
    if (o->process == t->process && count++ < MAX_THREADS) put("%s%d", count > 1 ? "," : "", (int)o->tid);
  put("],\"thread_count\":%d", count);
}

static void put_function(const struct function_name *n) {
  put(",\"function\":");
  if (n->size == 0) {
    put("null");
    return;
  }
  put("{\"name_hex\":\"");
  put_hex(n->bytes, n->size);
  put("\",\"offset\":\"0x%llx\"}", (unsigned long long)n->offset);
}

static void put_frames(struct task *t, const struct maps *m) {
  static struct stack s;
  walk_stack(t, m, &s);
  const struct function_name *names = name_frames(t, m, &s);
  put(",\"frames\":[");
  for (int i = 0; i < s.count; i++) {
    put("%s{", i ? "," : "");
    put_place(m, s.frames[i].address);
    put(",\"by\":\"%s\"", s.frames[i].by);
    put_function(&names[i]);
    put("}");
  }
  put("],\"walk_ended\":\"%s\"", s.ended);
}

static void put_module(struct task *t, const struct module *m, uint64_t *left) {
  uint8_t id[MAX_BUILD_ID], digest[SHA256_SIZE];
  size_t size = build_id(t, m, id);
  const char *wrong = file_digest(m, left, digest);
  put("{\"path_hex\":\"");
  put_hex(m->path, strlen(m->path));
  put("\",\"base\":\"0x%llx\",\"build_id\":", (unsigned long long)m->base);
  put(size ? "\"" : "null");
  put_hex(id, size);
  put(size ? "\",\"sha256\":" : ",\"sha256\":");
  if (wrong) put("null,\"not_hashed\":\"%s\"}", wrong);
  else {
    put("\"");
    put_hex(digest, sizeof digest);
    put("\",\"not_hashed\":null}");
  }
}

static void put_modules(struct task *t, const struct maps *m, uint64_t left) {
  put(",\"modules\":[");
  for (int i = 0; i < m->module_count; i++) {
    if (i) put(",");
    put_module(t, &m->modules[i], &left);
  }
  if (!is_program(t->process)) others_hashed = left;
  put("],\"modules_left_out\":%d", m->modules_left_out);
}

static void put_registers(const struct task *t) {
  const char *name;
  uint64_t value;
  put(",\"registers\":{");
  for (int i = 0; (name = arch_register(t, i, &value)); i++)
    put("%s\"%s\":\"0x%llx\"", i ? "," : "", name, (unsigned long long)value);
  put("}");
}

static void put_core(struct task *t, const struct maps *m, const siginfo_t *info) {
  uint8_t digest[SHA256_SIZE];
  uint64_t size = write_core(t, m, info, digest);
  put(",\"core\":{\"size\":%llu,\"sha256\":\"", (unsigned long long)size);
  put_hex(digest, sizeof digest);
  put("\"}");
}

/* A fault that the guest blocked or ignored has been set to its default by the kernel before this stop. */
static int ends_process(struct task *t, int signal) {
  char status[4096];
  switch (signal) {
    case SIGCHLD: case SIGURG: case SIGWINCH: case SIGCONT:
    case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU: return 0;
    default: break;
  }
  if (guest_proc(t, "status", status, sizeof status) < 0) return 0;
  uint64_t ignored = guest_mask(status, "\nSigIgn:\t"), caught = guest_mask(status, "\nSigCgt:\t");
  traps_correct(t->process, &ignored, &caught);
  return !((ignored | caught) >> (signal - 1) & 1);
}

/* Which process it is; what it executes is a path of the guest's choosing. */
static void put_process(const struct task *t) {
  char link[64], path[MODULE_PATH];
  snprintf(link, sizeof link, "/proc/%d/exe", (int)t->process->tgid);
  ssize_t size = readlink(link, path, sizeof path);
  put("\"process\":{\"pid\":%d,\"parent\":%d,\"program_hex\":\"", (int)t->process->tgid, (int)t->process->parent);
  if (size > 0) put_hex(path, (size_t)size);
  else put("3f");
  put("\"},");
}

static void put_crash(struct task *t, const siginfo_t *info, int core, uint64_t hashed) {
  const struct maps *m = read_maps(t);
  put("{");
  put_process(t);
  put("\"signal\":%d,\"code\":%d", info->si_signo, info->si_code);
  put_fault(m, info);
  put_threads(t);
  put_frames(t, m);
  put_modules(t, m, hashed);
  put_registers(t);
  if (core) put_core(t, m, info);
  else put(",\"core\":null");
  put("}");
}

/* The signals for which the kernel writes cores; being ended by others is ordinary for a child process. */
static int is_crash(int signal) {
  switch (signal) {
    case SIGQUIT: case SIGILL: case SIGTRAP: case SIGABRT: case SIGBUS:
    case SIGFPE: case SIGSEGV: case SIGXCPU: case SIGXFSZ: case SIGSYS: return 1;
    default: return 0;
  }
}

void crash_begin(int core) { wants_core = core; }

static void note_other(struct task *t, int signal, const siginfo_t *info) {
  struct other *last = other_count > 0 ? &others[other_count - 1] : NULL;
  size_t from = last ? last->from + last->size + 1 : 0;
  /* A signal that did not end the process after all, and the next one. */
  if (last && last->process == t->process->tgid) from = last->from, other_count--;
  if (from >= OTHERS_ROOM) return;
  text = of_others + from;
  room = OTHERS_ROOM - from;
  length = 0;
  put_crash(t, info, 0, others_hashed);
  if (length < room) others[other_count++] = (struct other){t->process->tgid, signal, 0, from, length};
}

void crash_note(struct task *t, int signal) {
  siginfo_t info;
  int program = is_program(t->process);
  if (!program && (!is_crash(signal) || other_count == MOST_OTHERS)) return;
  if (!ends_process(t, signal) || ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) != 0 || !arch_load(t)) return;
  info.si_signo = signal;
  if (!program) {
    note_other(t, signal, &info);
    return;
  }
  text = of_program;
  room = sizeof of_program;
  length = 0;
  put_crash(t, &info, wants_core, HASHED);
  if (length >= room) _exit(125);
  noted = signal;
}

void crash_end(const struct task *t, int status) {
  if (t->tid != t->process->tgid || is_program(t->process)) return;
  int crashed = WIFSIGNALED(status) && is_crash(WTERMSIG(status)), found = 0;
  for (int i = 0; i < other_count; i++) {
    if (others[i].process != t->tid) continue;
    others[i].process = 0;
    if (crashed && others[i].signal == WTERMSIG(status)) others[i].place = ++ended, found = 1;
  }
  if (crashed && !found && left_out < MOST_COUNTED) left_out++;
}

const char *crash_record(int status) {
  static char all[ROOM + OTHERS_ROOM + 64];
  int crashed = noted && WIFSIGNALED(status) && WTERMSIG(status) == noted;
  if (!crashed && ended + left_out == 0) return NULL;
  text = all;
  room = sizeof all;
  length = 0;
  put("{\"program\":%s,\"others\":[", crashed ? of_program : "null");
  for (int place = 1; place <= ended; place++)
    for (int i = 0; i < other_count; i++)
      if (others[i].place == place) put("%s%s", place > 1 ? "," : "", of_others + others[i].from);
  put("],\"others_left_out\":%d}", left_out);
  return all;
}
