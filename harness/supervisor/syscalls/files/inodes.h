/* File identities and times as guests see them: numbered as they are met, dated by the virtual clock. */
#ifndef REENACT_INODES_H
#define REENACT_INODES_H
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* From now on, files that changed after the engine made the container do not count as the image's. */
void inodes_begin(void);

/* The number that stands for inode `ino` of device `dev`, and for the device. */
uint64_t inode_number(uint64_t dev, uint64_t ino);
uint64_t device_number(uint64_t dev);

/* The file is new, even if a deleted one had its inode before. */
void inode_born(uint64_t dev, uint64_t ino);

/* The file was written, or created, at this virtual moment. */
void inode_written(uint64_t dev, uint64_t ino);

/* What happens to one of a file's times. */
enum dating { AS_IT_WAS, TO_NOW, TO_GIVEN };

/* The guest has set the times of this file; those that were given are in `st` as the file system has them. */
void inode_dated(const struct stat *st, enum dating access, enum dating change);

/* Replaces all that differs between hosts and runs. */
void normalise_stat(struct stat *st);

#endif
