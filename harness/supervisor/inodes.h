/* File identities and times as guests see them: numbered as they are met, dated by the virtual clock. */
#ifndef REENACT_INODES_H
#define REENACT_INODES_H
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* From now on: what was last changed since the engine made the container is not of the image. */
void inodes_begin(void);

/* The number that stands for inode `ino` of device `dev`, and for the device. */
uint64_t inode_number(uint64_t dev, uint64_t ino);
uint64_t device_number(uint64_t dev);

/* The file is new, even if a deleted one had its inode before. */
void inode_born(uint64_t dev, uint64_t ino);

/* The file was written, or created, at this virtual moment. */
void inode_written(uint64_t dev, uint64_t ino);

/* The file's time was set to this by the guest. */
void inode_dated(uint64_t dev, uint64_t ino, const struct timespec *when);

/* The virtual time of a file whose real modification time is `real`. */
struct timespec inode_time(uint64_t dev, uint64_t ino, struct timespec real);

/* Replaces all that differs between hosts and runs. */
void normalise_stat(struct stat *st);

#endif
