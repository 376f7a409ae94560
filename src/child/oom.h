/* Whether the kernel killed something for want of memory: counters that only grow. */
#ifndef PR_CHILD_OOM_H
#define PR_CHILD_OOM_H
#include <stdint.h>
#include <sys/types.h>

typedef struct pr_child_oom {
    uint64_t cgroup;  /* kills in the process's memory cgroup */
    uint64_t machine; /* kills on the whole machine */
} pr_child_oom;       /* 0 where the kernel does not tell */

/* root: "" for the real /proc and /sys/fs/cgroup, a folder that holds such trees in tests. */
pr_child_oom pr_child_oom_read(const char *root, pid_t pid);
#endif
