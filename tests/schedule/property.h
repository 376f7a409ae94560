/* What the property test knows about a run, and random setups for it. */
#ifndef TEST_SCHEDULE_PROPERTY_H
#define TEST_SCHEDULE_PROPERTY_H
#include "base/random.h"
#include "schedule/schedule.h"

enum { MAX_JOBS = 40, MAX_RANKS = 8, MAX_NODES = 4, MAX_TASKS = 256, MAX_AFTER = 2 };
#define S 1000000000ull

typedef struct running { /* a task that a rank works at, or has worked at when it was given up */
    pr_task task;
    bool given_up;
    uint64_t host, device;
} running;

typedef struct model {
    pr_prng g;
    uint64_t seed, now;
    pr_schedule_setup setup;
    pr_schedule_job jobs[MAX_JOBS];
    pr_schedule_rank ranks[MAX_RANKS];
    pr_schedule_node nodes[MAX_NODES];
    pr_schedule_device devices[MAX_RANKS];
    pr_schedule_range after[MAX_JOBS][MAX_AFTER];
    pr_rank_state state[MAX_RANKS];
    bool device_off[MAX_RANKS];
    enum { OPEN, PROVED, DONE, FAILED } job[MAX_JOBS];
    uint32_t prover[MAX_JOBS], proof_attempt[MAX_JOBS], last_attempt[MAX_JOBS], charges[MAX_JOBS], losses[MAX_JOBS];
    uint32_t hinted_to[MAX_JOBS]; /* rank + 1 that was told of it; 0: none */
    uint64_t bytes[MAX_JOBS];     /* may grow when a rank had not the memory */
    running run[MAX_TASKS];
    size_t n_run, n_done_twice;
    bool simple; /* no failures, nothing kept off a rank: then the order is exact */
    bool healing, hints;
    pr_schedule *s;
} model;

static inline uint32_t below(model *m, uint32_t n) { return pr_prng_below(&m->g, n); }
static inline bool chance(model *m, uint32_t percent) { return below(m, 100) < percent; }

void make_jobs(model *m);
void make_ranks(model *m);
#endif
