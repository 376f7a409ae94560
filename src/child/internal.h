/* A child's handle: child.c drives its life, events.c reads what it sends. */
#ifndef PR_CHILD_INTERNAL_H
#define PR_CHILD_INTERNAL_H
#include "child/beat.h"
#include "child/child.h"
#include "child/link.h"
#include "child/oom.h"
#include "child/spawn.h"

struct pr_child {
    char *program;    /* owned */
    char **arguments; /* [n_arguments] owned, as given */
    size_t n_arguments;
    pr_child_frame config, manifest; /* as they are sent */
    int manifest_fd;                 /* sealed text; -1: none yet, or an empty text */
    bool has_manifest;
    uint64_t ready_limit_ms;

    pr_child_state state;
    uint32_t starts;
    pr_child_process process; /* pid 0: none; a process that could not be reaped stays here in GONE */
    bool socket_closed;       /* by the child */
    pr_child_oom oom;         /* at the start */
    const char *oom_root;     /* "", but in tests */

    pr_child_task tasks[PR_CHILD_MOST_TASKS]; /* that it has; the first one is at hand */
    uint32_t known[PR_CHILD_MOST_TASKS];      /* failures, when each was submitted */
    uint32_t n_tasks, n_answered, n_failures; /* of this process: tasks it has, answers, failures among them */
    pr_child_beat beat;
    uint32_t stage, step; /* of the one at hand */
    uint64_t begun_ns;    /* when it was: all before it were answered */

    /* Points in monotonic time; 0: none. */
    uint64_t ready_by_ns, sign_by_ns, end_by_ns, reap_by_ns;
    uint64_t looked_ns; /* when its supervisor looked last */
    bool stopping;      /* asked to end */
    bool killed;        /* from here: what it sends counts no more */
    bool dead;          /* seen dead */
    int wait_status;
    pr_child_cause cause; /* of the kill */
    char text[512];
};

/* events.c: takes frames until one is to be reported; false: none is now. Kills a child that breaks the protocol. */
bool pr_child_take_frame(pr_child *c, pr_child_event *event);
/* Whether it tells of progress since the last look. */
bool pr_child_take_pulse(pr_child *c, pr_child_event *event);
/* child.c: the first of its tasks is at hand from now on, if there is one. */
void pr_child_begin_task(pr_child *c);
/* child.c: kills the group and remembers why. */
void pr_child_end(pr_child *c, pr_child_cause cause, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* " while <stage> of job 3, attempt 1", or "". */
void pr_child_where(const pr_child *c, char *out, size_t size);
#endif
