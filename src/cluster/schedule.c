#include "cluster/schedule.h"
#include <stdlib.h>
#include <string.h>

typedef enum phase { QUEUED, PROVING, PROVEN, VERIFYING, ENDED } phase;

typedef struct job {
    phase phase;
    uint32_t attempts, retries;
    int32_t priority;
    unsigned prover;
} job;

typedef struct rank {
    pr_task task; /* NONE: idle */
} rank;

struct pr_schedule {
    job *jobs;
    rank *ranks;
    uint32_t *heap;   /* queued jobs, the best first */
    uint32_t *proven; /* ring of jobs that wait for a verifier, in order */
    size_t n_jobs, n_heap, proven_first, n_proven, n_ended;
    unsigned n_ranks;
    bool draining;
};

static bool goes_before(const pr_schedule *s, uint32_t a, uint32_t b) {
    int32_t x = s->jobs[a].priority, y = s->jobs[b].priority;
    return x != y ? x > y : a < b;
}

static void swap(uint32_t *a, uint32_t *b) {
    uint32_t t = *a;
    *a = *b;
    *b = t;
}

static void heap_push(pr_schedule *s, uint32_t v) {
    size_t i = s->n_heap++;
    s->heap[i] = v;
    for (; i > 0 && goes_before(s, s->heap[i], s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&s->heap[i], &s->heap[(i - 1) / 2]);
}

static uint32_t heap_pop(pr_schedule *s) {
    uint32_t best = s->heap[0];
    s->heap[0] = s->heap[--s->n_heap];
    for (size_t i = 0;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < s->n_heap && goes_before(s, s->heap[child + 1], s->heap[child])) child++;
        if (child >= s->n_heap || !goes_before(s, s->heap[child], s->heap[i])) return best;
        swap(&s->heap[i], &s->heap[child]);
        i = child;
    }
}

static void enqueue(pr_schedule *s, uint32_t j) {
    s->jobs[j].phase = QUEUED;
    heap_push(s, j);
}

pr_status pr_schedule_create(pr_schedule **out, const pr_manifest_job *jobs, size_t n_jobs, const bool *done,
                             unsigned n_ranks, pr_error *err) {
    *out = NULL;
    pr_schedule *s = calloc(1, sizeof *s);
    size_t room = n_jobs ? n_jobs : 1;
    if (s) {
        s->jobs = calloc(room, sizeof *s->jobs);
        s->ranks = calloc(n_ranks, sizeof *s->ranks);
        s->heap = calloc(room, sizeof *s->heap);
        s->proven = calloc(room, sizeof *s->proven);
    }
    if (!s || !s->jobs || !s->ranks || !s->heap || !s->proven) {
        pr_schedule_destroy(s);
        return pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu jobs", n_jobs);
    }
    s->n_jobs = n_jobs;
    s->n_ranks = n_ranks;
    for (uint32_t i = 0; i < n_jobs; i++) {
        s->jobs[i] = (job){.retries = jobs[i].retries, .priority = jobs[i].priority};
        if (done && done[i]) {
            s->jobs[i].phase = ENDED;
            s->n_ended++;
        } else {
            enqueue(s, i);
        }
    }
    *out = s;
    return PR_OK;
}

void pr_schedule_destroy(pr_schedule *s) {
    if (!s) return;
    free(s->jobs);
    free(s->ranks);
    free(s->heap);
    free(s->proven);
    free(s);
}

void pr_schedule_drain(pr_schedule *s) { s->draining = true; }

/* The oldest proof that this rank did not make; taken out of the ring, the others keep their order. */
static bool take_proven(pr_schedule *s, unsigned r, uint32_t *out) {
    for (size_t k = 0; k < s->n_proven; k++) {
        uint32_t j = s->proven[(s->proven_first + k) % s->n_jobs];
        if (s->jobs[j].prover == r) continue;
        for (; k > 0; k--)
            s->proven[(s->proven_first + k) % s->n_jobs] = s->proven[(s->proven_first + k - 1) % s->n_jobs];
        s->proven_first = (s->proven_first + 1) % s->n_jobs;
        s->n_proven--;
        *out = j;
        return true;
    }
    return false;
}

/* A job goes to another rank than the one it just failed on, where there is one: rank 0 proves only when it is alone.
 */
static bool may_take(const pr_schedule *s, unsigned r, uint32_t j) {
    return s->n_ranks <= 2 || s->jobs[j].attempts == 0 || s->jobs[j].prover != r;
}

/* The best queued job that this rank may have; the others stay in the heap. */
static bool take_queued(pr_schedule *s, unsigned r, uint32_t *out) {
    size_t n = s->n_heap, left_out = 0;
    bool found = false;
    while (!found && s->n_heap > 0) {
        *out = heap_pop(s);
        found = may_take(s, r, *out);
        if (!found) s->heap[n - ++left_out] = *out; /* in the room that popping made, behind the heap */
    }
    for (; left_out > 0; left_out--)
        heap_push(s, s->heap[n - left_out]); /* lowest place first: the heap grows into them */
    return found;
}

pr_task pr_schedule_next(pr_schedule *s, unsigned r, bool prove) {
    pr_task task = {PR_TASK_NONE, 0, 0};
    uint32_t j;
    if (s->ranks[r].task.kind != PR_TASK_NONE) return task;
    if (take_proven(s, r, &j)) {
        s->jobs[j].phase = VERIFYING;
        task = (pr_task){PR_TASK_VERIFY, j, s->jobs[j].attempts};
    } else if (prove && !s->draining && take_queued(s, r, &j)) {
        s->jobs[j].phase = PROVING;
        s->jobs[j].prover = r;
        task = (pr_task){PR_TASK_PROVE, j, ++s->jobs[j].attempts};
    }
    s->ranks[r].task = task;
    return task;
}

static bool answers(pr_schedule *s, unsigned r, pr_task_kind kind, uint32_t j, uint32_t attempt) {
    if (r >= s->n_ranks) return false;
    const pr_task *task = &s->ranks[r].task;
    if (task->kind != kind || task->job != j || task->attempt != attempt) return false;
    s->ranks[r].task.kind = PR_TASK_NONE;
    return true;
}

bool pr_schedule_proved(pr_schedule *s, unsigned r, uint32_t j, uint32_t attempt) {
    if (!answers(s, r, PR_TASK_PROVE, j, attempt)) return false;
    s->jobs[j].phase = PROVEN;
    s->proven[(s->proven_first + s->n_proven++) % s->n_jobs] = j;
    return true;
}

bool pr_schedule_verified(pr_schedule *s, unsigned r, uint32_t j, uint32_t attempt) {
    return answers(s, r, PR_TASK_VERIFY, j, attempt);
}

/* A proof that will not be verified after all leaves the ring. */
static void forget_proven(pr_schedule *s, uint32_t j) {
    size_t kept = 0;
    for (size_t k = 0; k < s->n_proven; k++) {
        uint32_t other = s->proven[(s->proven_first + k) % s->n_jobs];
        if (other != j) s->proven[(s->proven_first + kept++) % s->n_jobs] = other;
    }
    s->n_proven = kept;
}

void pr_schedule_end(pr_schedule *s, uint32_t j) {
    if (s->jobs[j].phase == PROVEN) forget_proven(s, j);
    if (s->jobs[j].phase != ENDED) s->n_ended++;
    s->jobs[j].phase = ENDED;
}

bool pr_schedule_retry(pr_schedule *s, uint32_t j) {
    if (s->jobs[j].attempts > s->jobs[j].retries) return false;
    if (s->jobs[j].phase == PROVEN) forget_proven(s, j);
    enqueue(s, j);
    return true;
}

unsigned pr_schedule_prover(const pr_schedule *s, uint32_t j) { return s->jobs[j].prover; }
uint32_t pr_schedule_attempts(const pr_schedule *s, uint32_t j) { return s->jobs[j].attempts; }
size_t pr_schedule_n_ended(const pr_schedule *s) { return s->n_ended; }
size_t pr_schedule_n_queued(const pr_schedule *s) { return s->n_heap; }
size_t pr_schedule_n_running(const pr_schedule *s) { return s->n_jobs - s->n_ended - s->n_heap; }
bool pr_schedule_is_over(const pr_schedule *s) {
    return pr_schedule_n_running(s) == 0 && (s->draining || s->n_heap == 0);
}
