/* Reports, from inside, what the sandbox really enforces and what the image really holds. */
#ifndef REENACT_PROBE_H
#define REENACT_PROBE_H

/* Writes one JSON object to stdout; `program` (may be NULL) is the one whose compiler is looked for. */
void print_probe(const char *program);

#endif
