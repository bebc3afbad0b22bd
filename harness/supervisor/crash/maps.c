/* Reads a guest's memory map line by line, since it may be long, and gathers the mappings of each module. */
#define _GNU_SOURCE
#include "maps.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 8192 };

/* The file that the last lines were of: its other parts follow with growing offsets. */
struct group {
  char device[16];
  unsigned long inode;
  uint64_t offset;
  int first, module;
};

static struct maps table;

static enum area area_of(const char *name) {
  if (*name == '/') return OTHER_FILE;
  if (strcmp(name, "[heap]") == 0) return HEAP;
  if (strcmp(name, "[stack]") == 0) return STACK_AREA;
  return strncmp(name, "[v", 2) == 0 ? KERNEL : ANONYMOUS;
}

static int add_module(const struct mapping *first, const char *path) {
  if (table.module_count == MAX_MODULES) {
    table.modules_left_out++;
    return -1;
  }
  struct module *m = &table.modules[table.module_count];
  size_t length = strnlen(path, MODULE_PATH);
  memcpy(m->path, path, length);
  m->path[length] = 0;
  m->whole = path[length] == 0;
  m->base = first->start;
  return table.module_count++;
}

static void add_to_group(struct group *g, struct mapping *m, const char *device, unsigned long inode, const char *path) {
  int same = g->first >= 0 && inode == g->inode && strcmp(device, g->device) == 0 && m->offset >= g->offset;
  if (!same || m->offset == 0) {
    snprintf(g->device, sizeof g->device, "%s", device);
    g->inode = inode;
    g->first = (int)(m - table.list);
    g->module = -1;
  }
  g->offset = m->offset;
  if (m->executable && g->module < 0) {
    g->module = add_module(&table.list[g->first], path);
    for (int i = g->first; g->module >= 0 && &table.list[i] < m; i++)
      if (table.list[i].area == OTHER_FILE) table.list[i].area = MODULE, table.list[i].module = g->module;
  }
  if (g->module < 0) return;
  m->area = MODULE;
  m->module = g->module;
  table.modules[g->module].end = m->end;
}

static void add_line(struct group *g, const char *line) {
  unsigned long start, end, offset, inode;
  char mode[8], device[16];
  int name = 0;
  if (table.mappings == MAX_MAPPINGS) return;
  if (sscanf(line, "%lx-%lx %7s %lx %15s %lu %n", &start, &end, mode, &offset, device, &inode, &name) != 6) return;
  struct mapping *m = &table.list[table.mappings++];
  *m = (struct mapping){start, end, offset, mode[0] == 'r', mode[1] == 'w', mode[2] == 'x', area_of(line + name), -1};
  if (m->area == OTHER_FILE) add_to_group(g, m, device, inode, line + name);
}

const struct maps *read_maps(struct task *t) {
  static char text[2 * LINE];
  struct group g = {.first = -1};
  char path[32];
  size_t have = 0;
  table.mappings = table.module_count = table.modules_left_out = 0;
  snprintf(path, sizeof path, "/proc/%d/maps", (int)t->tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  for (ssize_t n; fd >= 0 && (n = read(fd, text + have, sizeof text - 1 - have)) > 0;) {
    have += (size_t)n;
    text[have] = 0;
    char *line = text;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
      *end = 0;
      add_line(&g, line);
    }
    have -= (size_t)(line - text);
    if (have >= sizeof text - 1) break;
    memmove(text, line, have);
  }
  if (fd >= 0) close(fd);
  return &table;
}

const struct mapping *mapping_at(const struct maps *m, uint64_t address) {
  for (int i = 0; i < m->mappings; i++)
    if (address >= m->list[i].start && address < m->list[i].end) return &m->list[i];
  return NULL;
}
