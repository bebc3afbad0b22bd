/* Merges lower layers one path at a time: whiteouts delete, opaque folders and non-folders end the search. */
#define _GNU_SOURCE
#include "lower.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOUND, ABSENT, HIDDEN, ABSENT_BELOW_OPAQUE };

static char **layers;
static size_t layer_count;

void lower_layers(char **list, size_t count) {
  layers = list;
  layer_count = count;
}

/* Looks in one layer; HIDDEN and ABSENT_BELOW_OPAQUE say that no deeper layer may be asked. */
static int find_in(const char *layer, const char *relative, char *path, size_t size, struct entry *e) {
  size_t base = strlen(layer);
  int opaque = 0;
  if (base + strlen(relative) + 2 > size) give_up("path too long", relative);
  memcpy(path, layer, base + 1);
  const char *rest = relative;
  for (;;) {
    int error = read_entry(path, e);
    if (error == ENOENT) return opaque ? ABSENT_BELOW_OPAQUE : ABSENT;
    if (error) give_up("cannot read", path);
    if (is_whiteout(&e->st)) return HIDDEN;
    if (*rest == 0) return FOUND;
    if (!S_ISDIR(e->st.st_mode)) return HIDDEN;
    opaque |= e->opaque;
    size_t step = strcspn(rest, "/"), at = strlen(path);
    path[at] = '/';
    memcpy(path + at + 1, rest, step);
    path[at + 1 + step] = 0;
    rest += step + (rest[step] == '/');
  }
}

int lower_find(const char *relative, char *path, size_t size, struct entry *e) {
  for (size_t i = 0; i < layer_count; i++) {
    int result = find_in(layers[i], relative, path, size, e);
    if (result == FOUND) return 1;
    if (result != ABSENT) return 0;
  }
  return 0;
}

struct names {
  char **list;
  size_t count, room;
};

static int known(const struct names *n, const char *name) {
  for (size_t i = 0; i < n->count; i++)
    if (strcmp(n->list[i] + 1, name) == 0) return 1;
  return 0;
}

/* The first byte keeps whether the name is there (+) or was deleted by this layer (-). */
static void note(struct names *n, const char *name, char mark) {
  if (known(n, name)) return;
  if (n->count == n->room) {
    n->room = n->room ? 2 * n->room : 64;
    n->list = realloc(n->list, n->room * sizeof *n->list);
    if (!n->list) give_up("out of memory", name);
  }
  char *copy = malloc(strlen(name) + 2);
  if (!copy) give_up("out of memory", name);
  *copy = mark;
  strcpy(copy + 1, name);
  n->list[n->count++] = copy;
}

static void list_layer(const char *path, struct names *n) {
  DIR *dir = opendir(path);
  if (!dir) give_up("cannot list", path);
  for (struct dirent *d; (d = readdir(dir));) {
    char child[PATH_MAX];
    struct stat st;
    if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
    refuse_mark_of(d->d_name, path);
    if (snprintf(child, sizeof child, "%s/%s", path, d->d_name) >= PATH_MAX) give_up("path too long", path);
    if (lstat(child, &st) != 0) give_up("cannot read", child);
    note(n, d->d_name, is_whiteout(&st) ? '-' : '+');
  }
  closedir(dir);
}

void lower_names(const char *relative, void (*each)(const char *relative, const char *name)) {
  struct names n = {0};
  for (size_t i = 0; i < layer_count; i++) {
    char path[PATH_MAX];
    static struct entry e;
    int result = find_in(layers[i], relative, path, sizeof path, &e);
    if (result == ABSENT) continue;
    if (result != FOUND || !S_ISDIR(e.st.st_mode)) break;
    list_layer(path, &n);
    if (e.opaque) break;
  }
  for (size_t i = 0; i < n.count; i++) {
    if (*n.list[i] == '+') each(relative, n.list[i] + 1);
    free(n.list[i]);
  }
  free(n.list);
}
