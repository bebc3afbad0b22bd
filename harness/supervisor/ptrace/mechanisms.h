/* What a host must offer for the seed to decide everything, looked for and, on request, done without. */
#ifndef REENACT_MECHANISMS_H
#define REENACT_MECHANISMS_H

enum mechanism {
  CALL_TRACE = 1,   /* ptrace, and seccomp filters that stop calls for it */
  FIXED_LAYOUT = 2, /* personality(ADDR_NO_RANDOMIZE) */
  CLOCK_TRAP = 4,   /* rdtsc and rdtscp fault */
  CPUID_TRAP = 8,   /* cpuid faults */
  /* cpuid and its relatives are rewritten, in the guest's private copy of program text, to an instruction that traps */
  CPUID_REWRITE = 16,
};

/* Behaves from now on as on a host without it; 0 when there is no such name. */
int do_without(const char *name);

/* 0 when it is done without on purpose. */
int wanted(enum mechanism m);

/* Whether cpuid traps by itself here, and whether it is written over because it does not. */
int traps_cpuid(void);
int rewrites_cpuid(void);

/* Tries each that is wanted, in a child; a set of `enum mechanism`. */
unsigned mechanisms_here(void);

/* The names of a set, with commas between; the text stays until the next call. */
const char *names_of(unsigned set);

#endif
