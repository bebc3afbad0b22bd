/* The kernel's part: which system calls stop for the supervisor. */
#ifndef REENACT_FILTER_H
#define REENACT_FILTER_H

/* Installs the filter on this thread and all its descendants; 0 if the kernel refused. */
int install_filter(void);

/* What tells our own answers from those of a guest's filter. */
enum { FILTER_MARK = 0x5245, FILTER_MARK_NARROW };

#endif
