/* A hash table from real to virtual inodes; equal files stay equal, nothing else of the host's numbers is left. */
#define _GNU_SOURCE
#include "inodes.h"

#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "syscalls/time/clock.h"

struct inode {
  uint64_t ino, number;
  uint32_t device; /* by its place among all that were met */
  uint32_t dates;  /* counted from 1; 0: as on the file system */
};

/* The times of a file that guests changed or set. */
struct dates {
  struct timespec access, change, status;
  int dated; /* 0: none of these counts */
  int given; /* the file system was given `change` as well */
};

enum { MAX_DEVICES = 256, FIRST_DEVICE = 64, FIRST_INODE = 1000, NANO = 1000000000 };

static struct inode *table;
static size_t room, used;
static struct dates *dates;
static uint32_t dates_room, dates_used;
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

static uint32_t device_index(uint64_t dev) {
  uint32_t i = 0;
  while (i < MAX_DEVICES - 1 && devices[i] && devices[i] != dev) i++;
  devices[i] = dev;
  return i;
}

uint64_t device_number(uint64_t dev) { return makedev(0, FIRST_DEVICE + device_index(dev)); }

static struct inode *slot(struct inode *in, size_t size, uint32_t device, uint64_t ino) {
  uint64_t hash = (ino * 0x9e3779b97f4a7c15 ^ device * 0xbf58476d1ce4e5b9) >> 20;
  while (in[hash & (size - 1)].number && (in[hash & (size - 1)].device != device || in[hash & (size - 1)].ino != ino))
    hash++;
  return &in[hash & (size - 1)];
}

static void grow(void) {
  size_t larger = room ? 2 * room : 1024;
  struct inode *next = calloc(larger, sizeof *next);
  if (!next) _exit(125);
  for (size_t i = 0; i < room; i++)
    if (table[i].number) *slot(next, larger, table[i].device, table[i].ino) = table[i];
  free(table);
  table = next;
  room = larger;
}

/* The inode's slot, or a free one where it has no number yet. */
static struct inode *place_of(uint64_t dev, uint64_t ino) {
  if (2 * used >= room) grow();
  uint32_t device = device_index(dev);
  struct inode *at = slot(table, room, device, ino);
  at->device = device;
  at->ino = ino;
  return at;
}

static void number_anew(struct inode *at) {
  if (!at->number) used++;
  at->number = last_number++;
  if (at->dates) dates[at->dates - 1] = (struct dates){0};
}

static struct inode *inode(uint64_t dev, uint64_t ino) {
  struct inode *at = place_of(dev, ino);
  if (!at->number) number_anew(at);
  return at;
}

uint64_t inode_number(uint64_t dev, uint64_t ino) { return inode(dev, ino)->number; }

static struct dates *dates_of(struct inode *one) {
  if (!one->dates) {
    if (dates_used == dates_room) {
      dates_room = dates_room ? 2 * dates_room : 256;
      dates = realloc(dates, dates_room * sizeof *dates);
      if (!dates) _exit(125);
    }
    dates[dates_used++] = (struct dates){0};
    one->dates = dates_used;
  }
  return &dates[one->dates - 1];
}

static struct timespec virtual_now(void) {
  int64_t now = clock_since_1970();
  return (struct timespec){now / NANO, now % NANO};
}

/* The times that guests see; `st` holds those of the file system. */
static struct dates times_of(const struct inode *one, const struct stat *st) {
  if (one->dates && dates[one->dates - 1].dated) return dates[one->dates - 1];
  struct timespec start = {(clock_since_1970() - clock_now()) / NANO, 0};
  struct timespec when = st->st_mtim.tv_sec < not_of_the_image ? st->st_mtim : start;
  return (struct dates){when, when, when, 1, 1};
}

/* Access times stay as they were given: reading moves none. */
void inode_written(uint64_t dev, uint64_t ino) {
  struct dates *d = dates_of(inode(dev, ino));
  struct timespec now = virtual_now();
  *d = (struct dates){d->dated && d->given ? d->access : now, now, now, 1, 0};
}

/* One number each, whether or not the kernel took the inode of a deleted file again: which is random. */
void inode_born(uint64_t dev, uint64_t ino) {
  number_anew(place_of(dev, ino));
  inode_written(dev, ino);
}

void inode_dated(const struct stat *st, enum dating access, enum dating change) {
  struct inode *one = inode(st->st_dev, st->st_ino);
  struct dates next = times_of(one, st);
  if (access != AS_IT_WAS) next.access = access == TO_NOW ? virtual_now() : st->st_atim;
  if (change != AS_IT_WAS) next.change = change == TO_NOW ? virtual_now() : st->st_mtim;
  if (change != AS_IT_WAS) next.given = change == TO_GIVEN;
  if (access != AS_IT_WAS || change != AS_IT_WAS) next.status = virtual_now();
  *dates_of(one) = next;
}

/* A file of the image that has another name is copied before it is changed, and its copy may have a deleted file's
   inode: it was not written to, and its time is the image's. */
static int is_another(const struct inode *one, const struct stat *st) {
  const struct dates *d = one->dates ? &dates[one->dates - 1] : NULL;
  if (!d || !d->dated || st->st_mtim.tv_sec >= not_of_the_image) return 0;
  return !d->given || d->change.tv_sec != st->st_mtim.tv_sec || d->change.tv_nsec != st->st_mtim.tv_nsec;
}

void normalise_stat(struct stat *st) {
  struct inode *one = inode(st->st_dev, st->st_ino);
  if (!S_ISDIR(st->st_mode) && is_another(one, st)) number_anew(one);
  struct dates shown = times_of(one, st);
  st->st_ino = one->number;
  st->st_dev = device_number(st->st_dev);
  st->st_atim = shown.access;
  st->st_mtim = shown.change;
  st->st_ctim = shown.status;
  st->st_blksize = 4096;
  if (S_ISDIR(st->st_mode)) {
    st->st_nlink = 1;
    st->st_size = 4096;
  }
  st->st_blocks = S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) ? (st->st_size + 4095) / 4096 * 8 : 0;
}
