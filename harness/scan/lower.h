/* The image as the container saw it: lower overlay layers merged by overlayfs' own rules. */
#ifndef REENACT_LOWER_H
#define REENACT_LOWER_H
#include <stddef.h>

#include "entry.h"

/* Layers, topmost first, as overlayfs' lowerdir lists them. */
void lower_layers(char **layers, size_t count);

/* Finds `relative` ("" is the root); its real path goes to `path`. 1 if the image has it. */
int lower_find(const char *relative, char *path, size_t size, struct entry *e);

/* Calls `each` with every name the merged folder `relative` holds. */
void lower_names(const char *relative, void (*each)(const char *relative, const char *name));

#endif
