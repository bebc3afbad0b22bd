/* In which order folders come from the file system. */
#ifndef REENACT_FOLDERS_H
#define REENACT_FOLDERS_H

/* For run --vary: reverses the kernel's order before the list is sorted, which must not matter. */
void folders_begin(int in_reverse);

#endif
