/* Makes a core's notes as Linux lays them out, without what differs between hosts: times, the vDSO, the processor. */
#define _GNU_SOURCE
#include "notes.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>

#include "arch/arch.h"
#include "ptrace/guest.h"

enum { NOTES_ROOM = 1 << 20, MAX_THREADS = 256, MAX_FILES = 1024, PAGE = 4096, FILES = 0x46494c45 };

static uint8_t notes[NOTES_ROOM];
static size_t length;

/* Entries that do not fit are left out as a whole, which readers accept. */
static void add_note(uint32_t type, const char *owner, const void *bytes, size_t size) {
  Elf64_Nhdr head = {(uint32_t)strlen(owner) + 1, (uint32_t)size, type};
  size_t name = (head.n_namesz + 3) & ~3u, padded = (size + 3) & ~(size_t)3;
  if (sizeof head + name + padded > sizeof notes - length) return;
  memset(notes + length, 0, sizeof head + name + padded);
  memcpy(notes + length, &head, sizeof head);
  memcpy(notes + length + sizeof head, owner, head.n_namesz);
  memcpy(notes + length + sizeof head + name, bytes, size);
  length += sizeof head + name + padded;
}

static void add_thread(struct task *t, int signal) {
  struct elf_prstatus status = {0};
  struct user_regs_struct registers;
  struct user_fpregs_struct floats;
  if (ptrace(PTRACE_GETREGS, t->tid, NULL, &registers) != 0) return;
  status.pr_info.si_signo = status.pr_cursig = (short)signal;
  status.pr_pid = t->tid;
  status.pr_ppid = t->process->parent;
  status.pr_fpvalid = ptrace(PTRACE_GETFPREGS, t->tid, NULL, &floats) == 0;
  memcpy(&status.pr_reg, &registers, sizeof status.pr_reg);
  add_note(NT_PRSTATUS, "CORE", &status, sizeof status);
  if (status.pr_fpvalid) add_note(NT_FPREGSET, "CORE", &floats, sizeof floats);
}

static void add_process(struct task *t) {
  struct elf_prpsinfo info = {.pr_sname = 'R', .pr_pid = t->process->tgid, .pr_ppid = t->process->parent};
  char words[sizeof info.pr_psargs] = "", name[32] = "";
  long size = guest_proc(t, "cmdline", words, sizeof words);
  guest_proc(t, "comm", name, sizeof name);
  for (long i = 0; i < size - 1; i++)
    if (!words[i]) words[i] = ' ';
  memcpy(info.pr_psargs, words, sizeof info.pr_psargs);
  memcpy(info.pr_fname, name, strcspn(name, "\n") < 15 ? strcspn(name, "\n") : 15);
  add_note(NT_PRPSINFO, "CORE", &info, sizeof info);
}

/* As the program saw it after its exec, except the vDSO, which is no file that a reader of cores could open. */
static void add_vector(struct task *t) {
  uint64_t words[2 * VECTOR_ENTRIES];
  memcpy(words, t->process->vector, sizeof words);
  for (int i = 0; i < VECTOR_ENTRIES; i++)
    if (words[2 * i] == AT_SYSINFO_EHDR) words[2 * i] = AT_IGNORE, words[2 * i + 1] = 0;
  add_note(NT_AUXV, "CORE", words, sizeof words);
}

static int is_listed(const struct mapping *p, size_t listed) { return p->area == MODULE && listed < MAX_FILES; }

/* Count and page size, the ranges, then the names in the same order. */
static void add_files(const struct maps *m) {
  static uint64_t file[2 + 3 * MAX_FILES + MAX_FILES * (MODULE_PATH + 1) / 8 + 1];
  size_t count = 0;
  for (int i = 0; i < m->mappings; i++)
    if (is_listed(&m->list[i], count)) {
      uint64_t *to = file + 2 + 3 * count++;
      to[0] = m->list[i].start, to[1] = m->list[i].end, to[2] = m->list[i].offset / PAGE;
    }
  file[0] = count;
  file[1] = PAGE;
  char *name = (char *)(file + 2 + 3 * count);
  size_t named = 0;
  for (int i = 0; i < m->mappings; i++)
    if (is_listed(&m->list[i], named)) {
      named++;
      name = stpcpy(name, m->modules[m->list[i].module].path) + 1;
    }
  add_note(FILES, "CORE", file, (size_t)(name - (char *)file));
}

const uint8_t *core_notes(struct task *t, const struct maps *m, const siginfo_t *info, size_t *size) {
  int others = 0;
  length = 0;
  add_thread(t, info->si_signo);
  add_process(t);
  add_note(0x53494749, "CORE", info, 128);
  add_vector(t);
  add_files(m);
  for (struct task *o = tasks; o; o = o->next)
    if (o != t && o->process == t->process && o->state != GONE && others++ < MAX_THREADS) add_thread(o, 0);
  *size = length;
  return notes;
}
