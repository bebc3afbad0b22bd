/* Reports, from inside, what the sandbox really enforces and what the image really holds. */
#ifndef REENACT_PROBE_H
#define REENACT_PROBE_H

/* Writes one JSON object to stdout; `program` (may be NULL) is the one whose compiler is looked for, `mechanisms`
   (may be NULL) are those of the supervisor that were found. */
void print_probe(const char *program, const char *mechanisms);

#endif
