/* Writes our own clock functions over the kernel's vDSO, and attaches the page they read. */
#define _GNU_SOURCE
#include "vdso.h"

#include <elf.h>
#include <string.h>
#include <sys/syscall.h>

#include "arch/arch.h"
#include "clock.h"
#include "ptrace/guest.h"

__asm__(".section .rodata\n"
        ".balign 8\n"
        "vdso_image: .incbin \".vdso\"\n"
        "vdso_end: .previous\n");
extern const uint8_t vdso_image[], vdso_end[] __attribute__((visibility("hidden")));

/* Section headers are not needed to run the functions, but tools find symbols by them: they and their names stand
   behind the page in the file, and come into it here. 0 where they do not fit. */
static int take_sections_in(uint8_t *image) {
  Elf64_Ehdr head;
  Elf64_Shdr names;
  size_t file = (size_t)(vdso_end - vdso_image);
  memcpy(&head, vdso_image, sizeof head);
  size_t table = head.e_shnum * sizeof names, last = head.e_shstrndx * sizeof names;
  if (head.e_shoff + table > file || last + sizeof names > table) return 0;
  memcpy(&names, vdso_image + head.e_shoff + last, sizeof names);
  if (names.sh_offset + names.sh_size > file || SECTIONS_AT + table + names.sh_size > ANSWER_AT) return 0;
  memcpy(image + SECTIONS_AT, vdso_image + head.e_shoff, table);
  memcpy(image + SECTIONS_AT + table, vdso_image + names.sh_offset, names.sh_size);
  names.sh_offset = SECTIONS_AT + table;
  memcpy(image + SECTIONS_AT + last, &names, sizeof names);
  head.e_shoff = SECTIONS_AT;
  memcpy(image, &head, sizeof head);
  return 1;
}

/* What the kernel has behind its first page differs between kernels; its own section headers say where it ends. */
static void clear_rest(struct task *t, uint64_t kernels) {
  static const uint8_t nothing[VDSO_SIZE];
  enum { MOST = 8 };
  Elf64_Ehdr head;
  if (!guest_read(t, kernels, &head, sizeof head) || head.e_shoff > MOST * VDSO_SIZE) return;
  uint64_t end = head.e_shoff + (uint64_t)head.e_shnum * head.e_shentsize;
  for (uint64_t at = VDSO_SIZE; at < end && at < MOST * VDSO_SIZE; at += VDSO_SIZE)
    guest_write(t, kernels + at, nothing, sizeof nothing);
}

int settle_clock(struct task *t, uint64_t kernels) {
  static uint8_t image[VDSO_SIZE];
  static int whole;
  int64_t at = -1;
  t->process->clock_at = 0;
  if (clock_segment() >= 0)
    at = arch_call(t, &(struct call){SYS_shmat, {(uint64_t)clock_segment(), 0, 0}, 0});
  if (at <= 0) return 0;
  t->process->clock_at = (uint64_t)at;
  struct clock_settings settings = clock_settings((uint64_t)at);
  if (!whole) {
    memcpy(image, vdso_image, sizeof image);
    whole = take_sections_in(image);
  }
  if (!whole) return 0;
  memcpy(image + SETTINGS_AT, &settings, sizeof settings);
  clear_rest(t, kernels);
  return guest_write(t, kernels, image, sizeof image);
}
