/* A hash table from real to virtual inodes; equal files stay equal, nothing else of the host's numbers is left. */
#define _GNU_SOURCE
#include "inodes.h"

#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "clock.h"

struct inode {
  uint64_t dev, ino, number;
  struct timespec when;
  int dated;
};

enum { MAX_DEVICES = 256, FIRST_DEVICE = 64, FIRST_INODE = 1000, NANO = 1000000000 };

static struct inode *table;
static size_t room, used;
static uint64_t last_number = FIRST_INODE;
static uint64_t devices[MAX_DEVICES];
static int64_t not_of_the_image;

/* The engine writes some files while it makes the container; /etc/hostname is one of them. */
void inodes_begin(void) {
  enum { MAKING_S = 10 };
  struct stat st;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int known = stat("/etc/hostname", &st) == 0 && st.st_ctim.tv_sec < now.tv_sec;
  not_of_the_image = (known ? st.st_ctim.tv_sec : now.tv_sec) - MAKING_S;
}

static struct inode *slot(struct inode *in, size_t size, uint64_t dev, uint64_t ino) {
  uint64_t hash = (ino * 0x9e3779b97f4a7c15 ^ dev * 0xbf58476d1ce4e5b9) >> 20;
  while (in[hash & (size - 1)].number && (in[hash & (size - 1)].dev != dev || in[hash & (size - 1)].ino != ino)) hash++;
  return &in[hash & (size - 1)];
}

static void grow(void) {
  size_t larger = room ? 2 * room : 1024;
  struct inode *next = calloc(larger, sizeof *next);
  if (!next) _exit(125);
  for (size_t i = 0; i < room; i++)
    if (table[i].number) *slot(next, larger, table[i].dev, table[i].ino) = table[i];
  free(table);
  table = next;
  room = larger;
}

static struct inode *inode(uint64_t dev, uint64_t ino) {
  if (2 * used >= room) grow();
  struct inode *found = slot(table, room, dev, ino);
  if (!found->number) *found = (struct inode){.dev = dev, .ino = ino, .number = last_number++}, used++;
  return found;
}

uint64_t inode_number(uint64_t dev, uint64_t ino) { return inode(dev, ino)->number; }

uint64_t device_number(uint64_t dev) {
  unsigned i = 0;
  while (i < MAX_DEVICES - 1 && devices[i] && devices[i] != dev) i++;
  devices[i] = dev;
  return makedev(0, FIRST_DEVICE + i);
}

void inode_dated(uint64_t dev, uint64_t ino, const struct timespec *when) {
  struct inode *one = inode(dev, ino);
  one->when = *when;
  one->dated = 1;
}

void inode_written(uint64_t dev, uint64_t ino) {
  int64_t now = clock_since_1970();
  inode_dated(dev, ino, &(struct timespec){now / NANO, now % NANO});
}

void inode_born(uint64_t dev, uint64_t ino) {
  inode(dev, ino)->number = last_number++;
  inode_written(dev, ino);
}

struct timespec inode_time(uint64_t dev, uint64_t ino, struct timespec real) {
  struct inode *one = inode(dev, ino);
  if (one->dated) return one->when;
  if (real.tv_sec < not_of_the_image) return real;
  return (struct timespec){(clock_since_1970() - clock_now()) / NANO, 0};
}

void normalise_stat(struct stat *st) {
  struct timespec when = inode_time(st->st_dev, st->st_ino, st->st_mtim);
  st->st_ino = inode_number(st->st_dev, st->st_ino);
  st->st_dev = device_number(st->st_dev);
  st->st_atim = st->st_mtim = st->st_ctim = when;
  st->st_blksize = 4096;
  if (S_ISDIR(st->st_mode)) {
    st->st_nlink = 1;
    st->st_size = 4096;
  }
  st->st_blocks = S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ? (st->st_size + 4095) / 4096 * 8 : 0;
}
