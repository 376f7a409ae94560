#include "cluster/worker.h"
#include "base/clock.h"
#include "child/child.h"
#include "cluster/examiner.h"
#include "cluster/minder.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PR_PING_NS 1000000000u
#define PR_MAX_EXAMINATIONS 4u
#define PR_LEADER_NS ((uint64_t)120 * 1000000000u)    /* silence of rank 0 that ends a rank */
#define PR_LEADER_MIN_NS ((uint64_t)15 * 1000000000u) /* the least: it says something every five seconds */

struct pr_worker {
    pr_transport *t;
    const pr_run_options *o;
    const pr_seat *seat;
    pr_manifest manifest;
    bool has_manifest, stopped;
    uint32_t run;
    pr_hash run_digest;
    pr_work work; /* for verification */
    pr_minder *minder;
    pr_examiner *examiner;
    pr_wire_stop stop;
    uint64_t pinged_ns;
};

static pr_status say(pr_worker *w, const pr_wire *m, pr_error *err) { return pr_transport_send(w->t, 0, m, err); }

pr_status pr_worker_create(pr_worker **out, pr_transport *t, const pr_run_options *o, const pr_seat *seat,
                           pr_error *err) {
    pr_worker *w = calloc(1, sizeof *w);
    if (!w) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the supervisor");
    w->t = t;
    w->o = o;
    w->seat = seat;
    w->work = (pr_work){o->backend, seat->place.n_threads, 0, t->rank, seat->hello.host, &w->run_digest};
    pr_status status = pr_examiner_create(&w->examiner, 1, PR_MAX_EXAMINATIONS, err);
    if (status == PR_OK && seat->place.proves) status = pr_minder_create(&w->minder, o, seat, t->rank, err);
    if (status != PR_OK) {
        pr_worker_destroy(w);
        return status;
    }
    *out = w;
    return PR_OK;
}

void pr_worker_destroy(pr_worker *w) {
    if (!w) return;
    pr_minder_destroy(w->minder);
    pr_examiner_destroy(w->examiner);
    if (w->has_manifest) pr_manifest_clear(&w->manifest);
    free(w);
}

pr_status pr_worker_say_hello(pr_worker *w, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_HELLO};
    m.as.hello = w->seat->hello;
    return say(w, &m, err);
}

/* ---- what rank 0 says ---- */

/* The text is parsed again here: its jobs are what rank 0's indices mean. */
static pr_status read_manifest(pr_worker *w, const pr_wire_manifest *given, pr_error *err) {
    pr_examiner_finish(w->examiner);
    if (w->has_manifest) pr_manifest_clear(&w->manifest);
    w->has_manifest = false;
    w->run = given->run;
    PR_TRY(pr_manifest_parse(&w->manifest, given->text, given->text_size, given->path, given->base_dir, w->o->types,
                             NULL, err));
    w->has_manifest = true;
    w->run_digest = given->run_digest;
    if (!pr_hash_equal(&w->manifest.digest, &given->digest))
        return pr_fail(err, PR_ERR_MPI, "the manifest changed on its way");
    return w->minder ? pr_minder_begin(w->minder, given, err) : PR_OK;
}

static pr_status take_manifest(pr_worker *w, const pr_wire_manifest *given, pr_error *err) {
    pr_wire answer = {.type = PR_WIRE_READY};
    pr_error e = {0};
    answer.as.ready.run = given->run;
    answer.as.ready.status = (uint32_t)read_manifest(w, given, &e);
    answer.as.ready.n_jobs = w->has_manifest ? (uint32_t)w->manifest.n_jobs : 0;
    pr_row_set_text(answer.as.ready.reason, sizeof answer.as.ready.reason, e.text);
    return say(w, &answer, err);
}

static bool is_of_this_run(const pr_worker *w, const pr_wire_task *task) {
    return w->has_manifest && task->run == w->run && task->job < w->manifest.n_jobs;
}

static pr_status refuse_verification(pr_worker *w, const pr_wire_task *task, const char *why, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_VERDICT};
    m.as.verdict.task = *task;
    m.as.verdict.verdict = PR_VERDICT_UNABLE;
    pr_row_set_text(m.as.verdict.reason, sizeof m.as.verdict.reason, why);
    return say(w, &m, err);
}

static pr_status take_verify(pr_worker *w, pr_wire_verify *m, pr_error *err) {
    if (!is_of_this_run(w, &m->task)) return refuse_verification(w, &m->task, "no such job here", err);
    pr_examination x = {.work = &w->work, .job = &w->manifest.jobs[m->task.job], .task = m->task, .record = m->record};
    if (pr_examiner_give(w->examiner, &x)) {
        memset(&m->record, 0, sizeof m->record);
        return PR_OK;
    }
    return refuse_verification(w, &m->task, "it has proofs enough to verify", err);
}

static pr_status take_prove(pr_worker *w, const pr_wire_prove *m, pr_error *err) {
    if (w->minder && is_of_this_run(w, &m->task)) {
        pr_minder_prove(w->minder, m);
        return PR_OK;
    }
    pr_wire answer = {.type = PR_WIRE_ANSWER};
    answer.as.answer.task = m->task;
    answer.as.answer.failure = PR_FAILURE_CANCELLED;
    answer.as.answer.end = PR_ATTEMPT_STOPPED;
    pr_row_set_text(answer.as.answer.reason, sizeof answer.as.answer.reason, "the rank cannot prove this job");
    return say(w, &answer, err);
}

static pr_status take_stop(pr_worker *w, const pr_wire_stop *m, pr_error *err) {
    const pr_wire bye = {.type = PR_WIRE_BYE};
    pr_minder_destroy(w->minder);
    w->minder = NULL;
    w->stop = *m;
    w->stopped = true;
    return say(w, &bye, err);
}

pr_status pr_worker_handle(pr_worker *w, pr_wire *m, pr_error *err) {
    switch (m->type) {
    case PR_WIRE_MANIFEST:
        return take_manifest(w, &m->as.manifest, err);
    case PR_WIRE_PROVE:
        return take_prove(w, &m->as.prove, err);
    case PR_WIRE_CANCEL:
        if (w->minder) pr_minder_cancel(w->minder, &m->as.cancel);
        return PR_OK;
    case PR_WIRE_VERIFY:
        return take_verify(w, &m->as.verify, err);
    case PR_WIRE_STOP:
        return take_stop(w, &m->as.stop, err);
    case PR_WIRE_PING:
        return PR_OK;
    default:
        return pr_fail(err, PR_ERR_MPI, "rank 0 sent a %s message", pr_wire_type_name(m->type));
    }
}

bool pr_worker_is_stopped(const pr_worker *w, pr_wire_stop *how) {
    *how = w->stop;
    return w->stopped;
}

/* ---- what it says ---- */

static pr_status ping(pr_worker *w, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_PING};
    uint64_t now = pr_clock_monotonic_ns();
    if (now - w->pinged_ns < PR_PING_NS) return PR_OK;
    w->pinged_ns = now;
    if (w->minder) pr_minder_describe(w->minder, &m.as.ping);
    m.as.ping.verifying = !pr_examiner_is_idle(w->examiner);
    return say(w, &m, err);
}

static pr_status tell_verdicts(pr_worker *w, bool *busy, pr_error *err) {
    pr_examination x;
    while (pr_examiner_take(w->examiner, &x)) {
        pr_wire m = {.type = PR_WIRE_VERDICT};
        *busy = true;
        pr_record_clear(&x.record);
        m.as.verdict.task = x.task;
        m.as.verdict.verify_ms = x.verify_ms;
        m.as.verdict.verdict = x.unable                         ? PR_VERDICT_UNABLE
                               : x.verdict == PR_CHECK_ACCEPTED ? PR_VERDICT_ACCEPTED
                                                                : PR_VERDICT_REFUSED;
        pr_row_set_text(m.as.verdict.reason, sizeof m.as.verdict.reason, x.reason);
        if (x.task.run == w->run) PR_TRY(say(w, &m, err));
    }
    return PR_OK;
}

static pr_status tell_of_child(pr_worker *w, bool *busy, pr_error *err) {
    pr_wire m;
    while (w->minder && pr_minder_poll(w->minder, &m)) {
        *busy = true;
        pr_status status = say(w, &m, err);
        pr_wire_clear(&m);
        PR_TRY(status);
    }
    return PR_OK;
}

pr_status pr_worker_tick(pr_worker *w, bool *busy, pr_error *err) {
    if (w->stopped) return PR_OK;
    PR_TRY(tell_of_child(w, busy, err));
    PR_TRY(tell_verdicts(w, busy, err));
    return ping(w, err);
}

size_t pr_worker_fds(const pr_worker *w, struct pollfd fds[PR_WORKER_MAX_FDS]) {
    size_t n = w->minder ? pr_minder_fds(w->minder, fds) : 0;
    fds[n++] = (struct pollfd){pr_examiner_fd(w->examiner), POLLIN, 0};
    return n;
}

void pr_worker_wait(struct pollfd *fds, size_t n, double pause_ms) {
    const struct timespec pause = {(time_t)(pause_ms / 1e3), (long)(pause_ms * 1e6) % 1000000000};
    (void)ppoll(fds, (nfds_t)n, &pause, NULL);
}

/* ---- the life of a rank but 0 ---- */

typedef struct leader {           /* rank 0, as it is seen from here */
    uint64_t heard_ns, looked_ns; /* heard_ns: at first when this rank began */
    bool heard;                   /* not yet: it may take long to read a journal */
    pid_t parent;                 /* the launcher's daemon: when it is gone, so is the run */
    pid_t pid;                    /* 0: it cannot be seen */
} leader;

static uint64_t leader_limit_ns(const pr_run_options *o, const leader *l) {
    if (!l->heard) return o->start_ns ? o->start_ns : PR_CLUSTER_START_NS;
    if (!o->lost_ns) return PR_LEADER_NS;
    return o->lost_ns > PR_LEADER_MIN_NS ? o->lost_ns : PR_LEADER_MIN_NS;
}

static pr_status watch_leader(leader *l, const pr_run_options *o, bool heard, pr_error *err) {
    uint64_t now = pr_clock_monotonic_ns();
    if (heard) l->heard_ns = now;
    l->heard |= heard;
    if (now - l->looked_ns < PR_PING_NS) return PR_OK;
    l->looked_ns = now;
    if (getppid() != l->parent) return pr_fail(err, PR_ERR_INTERRUPTED, "the launcher is gone");
    if (l->pid && kill(l->pid, 0) != 0 && errno == ESRCH) return pr_fail(err, PR_ERR_INTERRUPTED, "rank 0 is gone");
    uint64_t limit = leader_limit_ns(o, l);
    if (now - l->heard_ns < limit) return PR_OK;
    return pr_fail(err, PR_ERR_INTERRUPTED, "rank 0 has been silent for %.0f s", (double)limit / 1e9);
}

/* Without rank 0 there is nothing to do here: the run can be resumed. */
static pr_status poll_leader(pr_worker *w, bool *got, int *from, pr_wire *message, uint8_t **buffer, pr_error *err) {
    pr_error e = {0};
    int refused;
    pr_status status = pr_transport_poll(w->t, got, from, message, buffer, &e);
    bool bad = status == PR_ERR_MALFORMED || status == PR_ERR_MPI;
    if (bad && *from <= 0)
        return pr_fail(err, PR_ERR_INTERRUPTED, "rank 0 cannot be understood: %s; the run can be resumed", e.text);
    if (bad) pr_log(PR_LOG_WARN, "worker", "a message from rank %d is ignored: %s", *from, e.text);
    if (!bad && status != PR_OK) return pr_fail(err, status, "%s", e.text);
    if (!pr_transport_take_refused(w->t, &refused)) return PR_OK;
    if (*got) pr_wire_clear(message);
    free(*buffer);
    return pr_fail(err, PR_ERR_INTERRUPTED,
                   "rank 0 is out of reach: MPI refuses to send to it; the run can be resumed");
}

static pr_status receive(pr_worker *w, bool *got, pr_error *err) {
    int from;
    uint8_t *buffer;
    pr_wire message;
    PR_TRY(poll_leader(w, got, &from, &message, &buffer, err));
    if (!*got) return PR_OK;
    pr_status status = PR_OK;
    if (from == 0)
        status = pr_worker_handle(w, &message, err);
    else
        pr_log(PR_LOG_WARN, "worker", "a message from rank %d is ignored", from);
    pr_wire_clear(&message);
    free(buffer);
    return status;
}

static pr_status serve(pr_worker *w, pr_error *err) {
    leader l = {.parent = getppid(), .pid = w->seat->leader_pid, .heard_ns = pr_clock_monotonic_ns()};
    PR_TRY(pr_worker_say_hello(w, err));
    while (!w->stopped) {
        bool got = false, busy = false;
        PR_TRY(receive(w, &got, err));
        PR_TRY(watch_leader(&l, w->o, got, err));
        PR_TRY(pr_worker_tick(w, &busy, err));
        if (busy) pr_transport_busy(w->t);
        if (got || busy || w->stopped) continue;
        struct pollfd fds[PR_WORKER_MAX_FDS];
        pr_worker_wait(fds, pr_worker_fds(w, fds), pr_transport_pause_ms(w->t));
    }
    bool quiet;
    return pr_transport_drain(w->t, 10000, &quiet, err);
}

pr_status pr_worker_run(pr_wire_stop *how, pr_transport *t, const pr_run_options *o, const pr_seat *seat,
                        pr_error *err) {
    pr_worker *w = NULL;
    PR_TRY(pr_worker_create(&w, t, o, seat, err));
    pr_status status = serve(w, err);
    *how = w->stop;
    pr_worker_destroy(w);
    return status;
}
