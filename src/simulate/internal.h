#ifndef PR_SIMULATE_INTERNAL_H
#define PR_SIMULATE_INTERNAL_H
#include "base/random.h"
#include "schedule/schedule.h"
#include "simulate/simulate.h"

/* ---- workload.c ---- */

typedef struct pr_workload {
    pr_schedule_job *jobs; /* [n] with estimates */
    uint64_t *true_ns;     /* [n] what they really take on an ordinary rank */
    uint32_t n;
    uint64_t sum_ns, longest_ns;
    double sum_byte_ns;
} pr_workload;
uint64_t pr_workload_count(const pr_simulation_options *o);                        /* jobs */
bool pr_workload_init(pr_workload *w, const pr_simulation_options *o, pr_prng *g); /* false: no memory */
void pr_workload_clear(pr_workload *w);
double pr_draw_unit(pr_prng *g); /* in (0, 1] */

/* ---- events.c: by time, then in the order they were put in ---- */

typedef enum pr_event_kind {
    PR_EVENT_PROVED,    /* a rank ends an attempt */
    PR_EVENT_CRASHED,   /* its child dies instead */
    PR_EVENT_CANCELLED, /* it has stopped as it was told */
    PR_EVENT_VERIFIED,
    PR_EVENT_DIES,
    PR_EVENT_MUTE,
    PR_EVENT_SPEAKS,
    PR_EVENT_MISSED, /* rank 0 has not heard it for silent_after */
    PR_EVENT_GONE,   /* for lost_after */
    PR_EVENT_WAKE
} pr_event_kind;

typedef struct pr_event {
    uint64_t time, sequence;
    pr_event_kind kind;
    uint32_t rank, job, attempt;
} pr_event;

typedef struct pr_event_queue {
    pr_event *items;
    size_t n, room;
    uint64_t sequence;
    bool failed; /* no memory */
} pr_event_queue;
void pr_event_put(pr_event_queue *q, pr_event event);
bool pr_event_take(pr_event_queue *q, pr_event *out);
void pr_event_clear(pr_event_queue *q);
#endif
