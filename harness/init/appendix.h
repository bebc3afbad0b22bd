/* What PID 1 adds behind the program's stderr: a mark under the secret key, a core, the crash record, the event log. */
#ifndef REENACT_APPENDIX_H
#define REENACT_APPENDIX_H
#include <stddef.h>
#include <stdint.h>

/* Of this container's secret. */
enum { KEY_SIZE = 32 };

/* Derives the mark from the key; in PID 1 only, once the child that becomes the program has been forked. */
void appendix_key(const uint8_t key[KEY_SIZE]);

/* Writes the mark and how many bytes of a core follow; the program must never run on after this. */
void appendix_begin(uint64_t core_size);

/* Writes the crash record or the event log and its HMAC, behind a mark if there is none yet. */
void appendix_add(const uint8_t key[KEY_SIZE], const void *bytes, size_t size);

#endif
