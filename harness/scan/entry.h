/* One path of an overlay layer as the scanner sees it: metadata and extended attributes. */
#ifndef REENACT_ENTRY_H
#define REENACT_ENTRY_H
#include <sys/stat.h>

enum { XATTR_TEXT = 65536 };

struct entry {
  struct stat st;
  int opaque;             /* hides everything that lower layers hold below it */
  char xattrs[XATTR_TEXT]; /* "hexname=hexvalue," each, sorted; overlayfs' own and security labels left out */
};

/* To be called first, with the upper folder: whether the kernel's overlayfs alone kept its marks there. */
void marks_of(const char *upper_root);

/* Ends the scan at a name that fuse-overlayfs gives a deletion, where the kernel's marks do not say that it is the guest's. */
void refuse_mark_of(const char *name, const char *path);

/* Fills `e` from `path` without following a link; 0, or an errno. */
int read_entry(const char *path, struct entry *e);

/* A 0/0 character device marks a deleted path. */
int is_whiteout(const struct stat *st);

/* 1 if both are the same to the program: type, mode, owner, size, device, target, attributes and content. */
int same_entry(const char *path_a, const struct entry *a, const char *path_b, const struct entry *b);

/* Writes one sentence to stderr and exits with 1: a scan that missed something must not look whole. */
void give_up(const char *what, const char *path);

#endif
