/* Counts what the archive API cannot show: sockets, extended attributes, folders that nothing may search. */
#ifndef REENACT_HIDDEN_H
#define REENACT_HIDDEN_H

/* Looks at every path of the root file system that changed since `since` (seconds, wall clock). */
long count_hidden(long since);

#endif
