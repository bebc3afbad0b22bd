/* In which order folders come from the file system. */
#ifndef REENACT_FOLDERS_H
#define REENACT_FOLDERS_H

/* For run --vary: turns what the kernel says around before it is sorted, which must not matter. */
void folders_begin(int in_reverse);

#endif
