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

#include "arch.h"
#include "core.h"
#include "elf_note.h"
#include "guest.h"
#include "stack.h"
#include "traps.h"

/* Room for the most that can be said: 128 modules of 1,340 bytes, 256 frames of 80, 64 threads, the registers. */
enum { ROOM = 262144, MAX_THREADS = 64, HASHED = 256 << 20 };

static char text[ROOM];
static size_t length;
static int wants_core;
static int noted; /* the signal, 0: none */

static void put(const char *format, ...) {
  va_list list;
  va_start(list, format);
  int n = vsnprintf(text + length, sizeof text - length, format, list);
  va_end(list);
  length += (size_t)n;
  if (length >= sizeof text) _exit(125);
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

static void put_frames(struct task *t, const struct maps *m) {
  static struct stack s;
  walk_stack(t, m, &s);
  put(",\"frames\":[");
  for (int i = 0; i < s.count; i++) {
    put("%s{", i ? "," : "");
    put_place(m, s.frames[i].address);
    put(",\"by\":\"%s\"}", s.frames[i].by);
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

static void put_modules(struct task *t, const struct maps *m) {
  uint64_t left = HASHED;
  put(",\"modules\":[");
  for (int i = 0; i < m->module_count; i++) {
    if (i) put(",");
    put_module(t, &m->modules[i], &left);
  }
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

void crash_begin(int core) { wants_core = core; }

void crash_note(struct task *t, int signal) {
  siginfo_t info;
  if (!ends_process(t, signal) || ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) != 0 || !arch_load(t)) return;
  const struct maps *m = read_maps(t);
  length = 0;
  put("{\"signal\":%d,\"code\":%d", signal, info.si_code);
  put_fault(m, &info);
  put_threads(t);
  put_frames(t, m);
  put_modules(t, m);
  put_registers(t);
  if (wants_core) put_core(t, m, &info);
  else put(",\"core\":null");
  put("}");
  noted = signal;
}

const char *crash_record(int status) {
  return noted && WIFSIGNALED(status) && WTERMSIG(status) == noted ? text : NULL;
}
