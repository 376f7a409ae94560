#include "child/oom.h"
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The number after `key ` at the start of a line; 0 when there is none. */
static uint64_t read_counter(const char *path, const char *key) {
    char line[256];
    unsigned long long v = 0;
    size_t n = strlen(key);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, n) == 0 && line[n] == ' ' && sscanf(line + n, " %llu", &v) == 1) break;
    if (f) fclose(f);
    return v;
}

/* Lines are "id:controllers:path"; version 2 is "0::path", version 1 of memory "n:memory:path". */
static bool find_cgroup(char *path, size_t size, const char *line, const char *root, bool *version2) {
    const char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) return false;
    *version2 = strncmp(line, "0::", 3) == 0;
    bool memory = strncmp(controllers, ":memory:", 8) == 0;
    int length = (int)strcspn(group + 1, "\n");
    if (!*version2 && !memory) return false;
    int n = snprintf(path, size, "%s/sys/fs/cgroup%s%.*s/%s", root, memory ? "/memory" : "", length, group + 1,
                     memory ? "memory.oom_control" : "memory.events");
    return n > 0 && (size_t)n < size;
}

static uint64_t cgroup_kills(const char *root, pid_t pid) {
    char path[PATH_MAX], line[PATH_MAX];
    uint64_t kills = 0;
    snprintf(path, sizeof path, "%s/proc/%ld/cgroup", root, (long)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        bool version2;
        if (find_cgroup(path, sizeof path, line, root, &version2)) kills += read_counter(path, "oom_kill");
    }
    if (f) fclose(f);
    return kills;
}

pr_child_oom pr_child_oom_read(const char *root, pid_t pid) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/proc/vmstat", root);
    return (pr_child_oom){cgroup_kills(root, pid), read_counter(path, "oom_kill")};
}
