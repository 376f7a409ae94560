/* Memory that can still be had: by the machine, by cgroups of version 1 and 2. */
#include "placement/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 4200 };

/* The number of a file's line "key number" (key "": of its first line); false when there is none ("max"). */
static bool read_number(const char *path, const char *key, uint64_t *out) {
    char line[256];
    size_t n = strlen(key);
    bool found = false;
    FILE *f = fopen(path, "r");
    while (f && !found && fgets(line, sizeof line, f))
        found = strncmp(line, key, n) == 0 && sscanf(line + n, n ? " %" SCNu64 : "%" SCNu64, out) == 1;
    if (f) fclose(f);
    return found;
}

typedef struct version {
    const char *mount, *limit, *used, *reclaimable;
} version;
static const version v1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                           "total_inactive_file "};
static const version v2 = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "};

static bool read_file(const char *root, const version *v, const char *group, const char *file, const char *key,
                      uint64_t *out) {
    char path[PATH];
    int n = snprintf(path, sizeof path, "%s%s%s/%s", root, v->mount, group, file);
    return n > 0 && (size_t)n < sizeof path && read_number(path, key, out);
}

/* What one group leaves; UINT64_MAX: no limit. Pages of files that nobody uses are as good as free. */
static uint64_t left_in(const char *root, const version *v, const char *group) {
    uint64_t limit, used = 0, reclaimable = 0;
    if (!read_file(root, v, group, v->limit, "", &limit) || limit >= (uint64_t)INT64_MAX / 4096 * 4096)
        return UINT64_MAX;
    read_file(root, v, group, v->used, "", &used);
    read_file(root, v, group, "memory.stat", v->reclaimable, &reclaimable);
    used -= reclaimable < used ? reclaimable : used;
    return limit > used ? limit - used : 1;
}

/* A group and all above it. In a container the mount may begin at the group itself: then only "" is there. */
static uint64_t left_up(const char *root, const version *v, char *group) {
    uint64_t least = UINT64_MAX;
    for (;;) {
        char *slash = strrchr(group, '/');
        uint64_t left = left_in(root, v, group);
        if (left < least) least = left;
        if (!slash) return least;
        *slash = 0;
    }
}

static bool names_memory(const char *controllers, size_t n) {
    for (const char *end = controllers + n, *p = controllers; p < end; p++)
        if ((p == controllers || p[-1] == ',') && (size_t)(end - p) >= 6 && strncmp(p, "memory", 6) == 0 &&
            (p + 6 == end || p[6] == ','))
            return true;
    return false;
}

/* A line of /proc/self/cgroup: "0::/path" of version 2, "9:memory:/path" of version 1. */
static uint64_t left_of_line(const char *root, char *line) {
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) return UINT64_MAX;
    size_t n = (size_t)(group++ - ++controllers);
    group[strcspn(group, "\n")] = 0;
    if (strcmp(group, "/") == 0) group[0] = 0;
    if (n == 0) return left_up(root, &v2, group);
    return names_memory(controllers, n) ? left_up(root, &v1, group) : UINT64_MAX;
}

static uint64_t left_by_cgroups(const char *root) {
    char path[PATH], line[PATH];
    uint64_t least = UINT64_MAX;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        uint64_t left = left_of_line(root, line);
        if (left < least) least = left;
    }
    if (f) fclose(f);
    return least;
}

uint64_t pr_memory_available(const char *root, bool *limited) {
    char path[PATH];
    uint64_t kib = 0, machine = 0;
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    if (read_number(path, "MemAvailable:", &kib)) machine = kib << 10;
    uint64_t group = left_by_cgroups(root);
    *limited = group != UINT64_MAX && (!machine || group < machine);
    return *limited ? group : machine;
}
