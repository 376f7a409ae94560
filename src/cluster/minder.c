#include "cluster/minder.h"
#include "base/clock.h"
#include "child/child.h"
#include "work/work.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_OUTBOX 8u
#define PR_FIRST_PAUSE_NS                                                                                              \
    100000000u /* before the child is started again; doubles up to 10 s while it does not work                         \
                */
#define PR_LAST_PAUSE_NS 10000000000u

typedef struct assigned {
    pr_wire_prove prove;
    bool submitted, cancelled; /* the child has it; it is not to be begun, or to be ended */
} assigned;

struct pr_minder {
    const pr_run_options *o;
    const pr_seat *seat;
    int rank;
    pr_child *child;
    uint32_t run;
    bool has_manifest;
    assigned tasks[PR_MINDER_MOST_TASKS]; /* in turn; the first is at hand once the child has it */
    unsigned n_tasks;
    bool timed_out, killed; /* what is at hand: killed, for its time is up or nobody needs it */
    bool renewing;          /* the child was told to end after a failure of its backend, to be started anew */
    pr_moment started;      /* of what is at hand */
    uint32_t stage, step;
    uint32_t restarts;
    uint64_t pause_ns, start_at_ns; /* of the next start */
    pr_wire outbox[PR_OUTBOX];
    unsigned first, n;
};

/* ---- messages ---- */

static pr_wire *push(pr_minder *m, pr_wire_type type) {
    PR_ASSERT(m->n < PR_OUTBOX);
    pr_wire *w = &m->outbox[(m->first + m->n++) % PR_OUTBOX];
    memset(w, 0, sizeof *w);
    w->type = type;
    return w;
}

static void note(pr_minder *m, pr_event_kind kind, const char *text) {
    pr_wire_note *n = &push(m, PR_WIRE_NOTE)->as.note;
    n->kind = kind;
    n->has_job = m->n_tasks > 0;
    n->task = m->tasks[0].prove.task;
    n->task.run = m->run;
    pr_row_set_text(n->text, sizeof n->text, text);
}

static pr_wire_answer *begin_answer(pr_minder *m, const pr_wire_prove *task) {
    pr_wire_answer *a = &push(m, PR_WIRE_ANSWER)->as.answer;
    a->task = task->task;
    a->cpu_only = task->cpu_only;
    a->child_restarts = m->restarts;
    a->finished_ns = pr_clock_wall_ns();
    a->started_ns = a->finished_ns;
    return a;
}

static bool is_at_hand(const pr_minder *m) { return m->n_tasks && m->tasks[0].submitted; }

static void begin_task(pr_minder *m) {
    m->started = pr_clock_moment();
    m->stage = m->step = 0;
}

static void drop_task(pr_minder *m, unsigned k) {
    m->n_tasks--;
    memmove(&m->tasks[k], &m->tasks[k + 1], (m->n_tasks - k) * sizeof *m->tasks);
    if (k == 0) m->timed_out = m->killed = false;
    if (k == 0 && is_at_hand(m)) begin_task(m);
}

/* What the child has not begun is given back after a failure that may be the rank's. */
static void give_back(pr_minder *m, uint32_t failure) {
    bool goes_on = failure == PR_WIRE_PROVED || failure == PR_FAILURE_JOB || failure == PR_FAILURE_CANCELLED;
    for (unsigned k = 0; k < m->n_tasks && !goes_on; k++) m->tasks[k].cancelled = true;
}

/* The first task has an answer. */
static pr_wire_answer *answer(pr_minder *m, uint32_t failure, pr_attempt_end end, const char *reason) {
    pr_wire_answer *a = begin_answer(m, &m->tasks[0].prove);
    a->failure = failure;
    a->end = end;
    if (m->tasks[0].submitted) {
        a->started_ns = m->started.wall_ns;
        a->finished_ns = pr_clock_wall_after(&m->started);
        pr_row_set_text(a->stage, sizeof a->stage, pr_work_stage_name(m->stage));
        const pr_backend *backend = m->tasks[0].prove.cpu_only ? m->o->cpu_backend : m->o->backend;
        pr_row_set_text(a->record.row.backend, sizeof a->record.row.backend, backend->name);
    }
    pr_row_set_text(a->reason, sizeof a->reason, reason);
    drop_task(m, 0);
    give_back(m, failure);
    return a;
}

static void refuse(pr_minder *m, const pr_wire_prove *task, const char *reason) {
    pr_wire_answer *a = begin_answer(m, task);
    a->failure = PR_FAILURE_UNBEGUN;
    a->end = PR_ATTEMPT_STOPPED;
    pr_row_set_text(a->reason, sizeof a->reason, reason);
}

/* ---- the child ---- */

static pr_status make_child(pr_minder *m, pr_error *err) {
    const pr_seat *s = m->seat;
    const pr_child_options options = {
        .program = m->o->child_program,
        .arguments = m->o->child_arguments,
        .backend = m->o->backend_name,
        .threads = s->place.n_threads,
        .max_bytes = (size_t)s->hello.node_bytes,
        .max_device_bytes = (size_t)pr_seat_device_limit(m->o->device_bytes, s->hello.device_bytes),
        .share_bytes = (size_t)s->share_bytes,
        .rank = m->rank,
        .host = s->hello.host,
        .place = s->place_text,
        .log = m->o->log,
    };
    return pr_child_create(&m->child, &options, err);
}

pr_status pr_minder_create(pr_minder **out, const pr_run_options *o, const pr_seat *seat, int rank, pr_error *err) {
    pr_minder *m = calloc(1, sizeof *m);
    if (!m) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the supervisor");
    m->o = o;
    m->seat = seat;
    m->rank = rank;
    m->pause_ns = PR_FIRST_PAUSE_NS;
    pr_status status = make_child(m, err);
    if (status != PR_OK) {
        free(m);
        return status;
    }
    *out = m;
    return PR_OK;
}

static void empty_outbox(pr_minder *m) {
    for (; m->n; m->n--) {
        pr_wire_clear(&m->outbox[m->first]);
        m->first = (m->first + 1) % PR_OUTBOX;
    }
}

void pr_minder_destroy(pr_minder *m) {
    if (!m) return;
    pr_child_destroy(m->child);
    empty_outbox(m);
    free(m);
}

pr_status pr_minder_begin(pr_minder *m, const pr_wire_manifest *manifest, pr_error *err) {
    const pr_child_manifest given = {manifest->path,      manifest->base_dir, manifest->text,
                                     manifest->text_size, manifest->digest,   manifest->run_digest};
    pr_child_state state = pr_child_get_state(m->child);
    empty_outbox(m);
    m->n_tasks = 0;
    m->timed_out = m->killed = m->renewing = false;
    m->run = manifest->run;
    if (state == PR_CHILD_BUSY || state == PR_CHILD_ENDING) {
        pr_child_destroy(m->child);
        m->child = NULL;
        PR_TRY(make_child(m, err));
    }
    PR_TRY(pr_child_give_manifest(m->child, &given, err));
    m->has_manifest = true;
    m->start_at_ns = 0;
    return PR_OK;
}

/* When it should run and does not. */
static void start_child(pr_minder *m, uint64_t now) {
    pr_error err = {0};
    pr_child_state state = pr_child_get_state(m->child);
    if ((state != PR_CHILD_CREATED && state != PR_CHILD_GONE) || !m->has_manifest || now < m->start_at_ns) return;
    m->restarts += state == PR_CHILD_GONE;
    if (pr_child_start(m->child, &err) == PR_OK) return;
    m->start_at_ns = now + m->pause_ns;
    m->pause_ns = 2 * m->pause_ns < PR_LAST_PAUSE_NS ? 2 * m->pause_ns : PR_LAST_PAUSE_NS;
    if (m->n_tasks) (void)answer(m, PR_FAILURE_ATTEMPT, PR_ATTEMPT_CRASHED, err.text);
    note(m, PR_EVENT_CHILD_DIED, err.text);
}

/* What comes after it: the tasks behind it, then what rank 0 guesses. */
static void list_next(const pr_minder *m, unsigned k, pr_child_task *task) {
    const pr_wire_prove *last = &m->tasks[m->n_tasks - 1].prove;
    if (!m->tasks[k].prove.begins_ahead) return;
    for (unsigned i = k + 1; i < m->n_tasks && task->n_next < PR_WORK_MOST_NEXT; i++)
        if (m->tasks[i].prove.begins_ahead) task->next[task->n_next++] = m->tasks[i].prove.task.job;
    for (unsigned i = 0; i < last->n_next && task->n_next < PR_WORK_MOST_NEXT; i++)
        task->next[task->n_next++] = last->next[i];
}

static bool submit_task(pr_minder *m, unsigned k) {
    pr_error err = {0};
    const pr_wire_prove *p = &m->tasks[k].prove;
    pr_child_task task = {.job = p->task.job,
                          .attempt = p->task.attempt,
                          .cpu_only = p->cpu_only,
                          .fault = m->o->fault ? m->o->fault(m->rank, p->task.job, p->task.attempt) : 0,
                          .quiet_ms = p->quiet_ms};
    list_next(m, k, &task);
    if (pr_child_submit(m->child, &task, &err) != PR_OK) return false; /* ENDED follows */
    m->tasks[k].submitted = true;
    if (k == 0) begin_task(m);
    return true;
}

/* As many as it takes, in turn. */
static void submit(pr_minder *m) {
    unsigned k = 0;
    while (k < m->n_tasks && m->tasks[k].submitted) k++;
    while (k < m->n_tasks && !m->tasks[k].cancelled && pr_child_takes_task(m->child) && submit_task(m, k)) k++;
}

static void watch_task(pr_minder *m) {
    char why[64];
    if (!is_at_hand(m) || m->timed_out || m->killed) return;
    if (m->tasks[0].cancelled) {
        m->killed = true;
        pr_child_kill(m->child, "not needed any more");
        return;
    }
    const uint64_t limit_ms = m->tasks[0].prove.time_limit_ms;
    if (!limit_ms || pr_clock_monotonic_ns() - m->started.monotonic_ns < limit_ms * 1000000u) return;
    m->timed_out = true;
    snprintf(why, sizeof why, "time limit of %.1f s", (double)limit_ms / 1e3);
    pr_child_kill(m->child, why);
}

/* ---- what the child does ---- */

/* A backend with memory of its own may lack that: the processor is not the worse for it. */
static bool has_own_memory(const pr_minder *m) {
    return !m->tasks[0].prove.cpu_only && m->o->backend->min_window_bytes;
}

static uint32_t failure_of(const pr_minder *m, pr_status status) {
    if (!pr_work_may_retry(status)) return PR_FAILURE_JOB;
    if (status == PR_ERR_MEMORY && !has_own_memory(m)) return PR_FAILURE_MEMORY;
    return status == PR_ERR_BACKEND || status == PR_ERR_MEMORY ? PR_FAILURE_BACKEND : PR_FAILURE_ATTEMPT;
}

static void take_record(pr_wire_answer *a, pr_child_event *e) {
    a->record = e->record;
    memset(&e->record, 0, sizeof e->record);
}

/* Of what it has besides what is at hand, the child begins nothing after a failure or its end. */
static void forget_submitted(pr_minder *m) {
    for (unsigned k = 1; k < m->n_tasks; k++) m->tasks[k].submitted = false;
}

static void on_failed(pr_minder *m, pr_child_event *e) {
    uint32_t failure = failure_of(m, e->status);
    bool backend = e->status == PR_ERR_BACKEND;
    if (failure == PR_FAILURE_BACKEND) note(m, PR_EVENT_BACKEND_FAILED, e->text);
    forget_submitted(m);
    bool wrong = backend && e->record.row.state == PR_STATE_PROVEN; /* its own verification refused it */
    take_record(answer(m, failure, wrong ? PR_ATTEMPT_WRONG : PR_ATTEMPT_FAILED, e->text), e);
    if (!backend) return;
    m->renewing = true;
    pr_child_stop(m->child, 1000); /* a device's context may be broken for good */
}

static pr_attempt_end end_of(pr_child_cause cause) {
    switch (cause) {
    case PR_CHILD_HUNG:
        return PR_ATTEMPT_HUNG;
    case PR_CHILD_OUT_OF_MEMORY:
        return PR_ATTEMPT_KILLED;
    case PR_CHILD_BROKE_PROTOCOL:
        return PR_ATTEMPT_WRONG;
    default:
        return PR_ATTEMPT_CRASHED;
    }
}

static void answer_for_the_dead(pr_minder *m, const pr_child_event *e) {
    if (m->killed)
        (void)answer(m, PR_FAILURE_CANCELLED, PR_ATTEMPT_STOPPED, e->text);
    else if (m->timed_out)
        (void)answer(m, PR_FAILURE_TIME_LIMIT, PR_ATTEMPT_TIMEOUT, e->text);
    else if (e->cause == PR_CHILD_OUT_OF_MEMORY)
        (void)answer(m, PR_FAILURE_MEMORY, PR_ATTEMPT_KILLED, e->text);
    else
        (void)answer(m, PR_FAILURE_ATTEMPT, end_of(e->cause), e->text);
}

static void on_ended(pr_minder *m, const pr_child_event *e) {
    bool wanted = m->killed || m->timed_out || m->renewing || e->cause == PR_CHILD_STOPPED;
    bool worked = is_at_hand(m);
    if (!wanted) note(m, e->cause == PR_CHILD_HUNG ? PR_EVENT_CHILD_HUNG : PR_EVENT_CHILD_DIED, e->text);
    forget_submitted(m);
    if (worked) answer_for_the_dead(m, e);
    m->start_at_ns = 0;
    m->renewing = false;
    if (wanted || worked) return;
    /* It died with nothing to do: not at once again. */
    m->start_at_ns = pr_clock_monotonic_ns() + m->pause_ns;
    m->pause_ns = 2 * m->pause_ns < PR_LAST_PAUSE_NS ? 2 * m->pause_ns : PR_LAST_PAUSE_NS;
    if (m->n_tasks) (void)answer(m, PR_FAILURE_ATTEMPT, PR_ATTEMPT_CRASHED, e->text);
}

static void on_unready(pr_minder *m, const pr_child_event *e) {
    note(m, PR_EVENT_BACKEND_FAILED, e->text);
    if (m->n_tasks) (void)answer(m, PR_FAILURE_ATTEMPT, PR_ATTEMPT_FAILED, e->text);
    m->pause_ns = PR_LAST_PAUSE_NS;
    m->start_at_ns = pr_clock_monotonic_ns() + m->pause_ns;
    pr_child_stop(m->child, 0);
}

/* The child answers in turn: what it has at hand is what is at hand here. */
static bool is_about_task(const pr_minder *m, const pr_child_event *e) {
    const pr_wire_task *t = &m->tasks[0].prove.task;
    PR_ASSERT(!is_at_hand(m) || (t->job == e->job && t->attempt == e->attempt));
    return is_at_hand(m);
}

static void handle(pr_minder *m, pr_child_event *e) {
    switch (e->kind) {
    case PR_CHILD_READY:
        m->pause_ns = PR_FIRST_PAUSE_NS;
        break;
    case PR_CHILD_UNREADY:
        on_unready(m, e);
        break;
    case PR_CHILD_PROGRESS:
        m->stage = e->stage;
        m->step = e->step;
        break;
    case PR_CHILD_PROVED:
        m->stage = e->stage;
        if (is_about_task(m, e)) take_record(answer(m, PR_WIRE_PROVED, PR_ATTEMPT_PROVED, ""), e);
        break;
    case PR_CHILD_FAILED:
        m->stage = e->stage;
        if (is_about_task(m, e)) on_failed(m, e);
        break;
    case PR_CHILD_ENDED:
        on_ended(m, e);
        break;
    case PR_CHILD_UNBEGUN: /* as on_failed has foreseen */
    case PR_CHILD_NONE:
        break;
    }
}

/* One that the child does not have and that nobody wants. */
static bool answer_cancelled(pr_minder *m) {
    for (unsigned k = 0; k < m->n_tasks; k++) {
        if (m->tasks[k].submitted || !m->tasks[k].cancelled) continue;
        refuse(m, &m->tasks[k].prove, "not needed any more");
        drop_task(m, k);
        return true;
    }
    return false;
}

bool pr_minder_poll(pr_minder *m, pr_wire *message) {
    pr_child_event e;
    uint64_t now = pr_clock_monotonic_ns();
    while (m->n == 0 && !answer_cancelled(m)) {
        start_child(m, now);
        submit(m);
        watch_task(m);
        if (pr_child_poll(m->child, &e) == PR_CHILD_NONE) break;
        handle(m, &e);
        pr_child_event_clear(&e);
    }
    if (m->n == 0) return false;
    *message = m->outbox[m->first];
    m->first = (m->first + 1) % PR_OUTBOX;
    m->n--;
    return true;
}

/* ---- what rank 0 wants ---- */

void pr_minder_prove(pr_minder *m, const pr_wire_prove *task) {
    if (m->n_tasks == PR_MINDER_MOST_TASKS) {
        if (m->n < PR_OUTBOX) refuse(m, task, "the rank has as many tasks as it takes");
        return;
    }
    m->tasks[m->n_tasks++] = (assigned){.prove = *task};
    submit(m);
}

void pr_minder_cancel(pr_minder *m, const pr_wire_task *task) {
    for (unsigned k = 0; k < m->n_tasks; k++)
        if (memcmp(&m->tasks[k].prove.task, task, sizeof *task) == 0) m->tasks[k].cancelled = true;
    watch_task(m);
}

size_t pr_minder_fds(const pr_minder *m, struct pollfd fds[PR_MINDER_MAX_FDS]) { return pr_child_fds(m->child, fds); }

void pr_minder_describe(const pr_minder *m, pr_wire_ping *ping) {
    ping->has_job = m->n_tasks > 0;
    ping->task = m->tasks[0].prove.task;
    ping->step = m->step;
    if (is_at_hand(m)) pr_row_set_text(ping->stage, sizeof ping->stage, pr_work_stage_name(m->stage));
}
