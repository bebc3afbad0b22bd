/* What cpuid tells: x86-64-v2 and nothing that asks the host, no rdrand, no AVX whose selection would change results. */
#ifndef REENACT_VDSO_LEAVES_H
#define REENACT_VDSO_LEAVES_H
#include <stdint.h>

struct leaf {
  uint32_t number, sub, a, b, c, d;
};

/* Leaf 4 alone goes by its part, which the program names in ecx; what is not listed is all zeros. */
enum { LEAF_WITH_PARTS = 4, LEAF_BYTES = 24 };

#define LEAVES                                                                                                     \
  {0, 0, 7, 0x756e6547, 0x6c65746e, 0x49656e69}, {1, 0, 0x000306a9, 0x00010800, 0x00982201, 0x078bfbff},             \
      {2, 0, 0x7d302c01, 0x000000e4, 0, 0}, {4, 0, 0x00000121, 0x01c0003f, 0x0000003f, 0},                            \
      {4, 1, 0x00000122, 0x01c0003f, 0x0000003f, 0}, {4, 2, 0x00000143, 0x01c0003f, 0x000001ff, 0},                   \
      {4, 3, 0x00000163, 0x03c0003f, 0x00001fff, 6}, {0x80000000, 0, 0x80000008, 0, 0, 0},                            \
      {0x80000001, 0, 0, 0, 1, 0x28100800}, {0x80000002, 0, 0x6e656552, 0x20746361, 0x74726976, 0x206c6175},          \
      {0x80000003, 0, 0x00757063, 0, 0, 0}, {0x80000006, 0, 0, 0, 0x01006040, 0}, {0x80000008, 0, 0x00003030, 0, 0, 0}

#endif
