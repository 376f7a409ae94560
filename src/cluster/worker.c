#include "cluster/worker.h"
#include "base/clock.h"
#include "child/child.h"
#include "cluster/lots.h"
#include "cluster/minder.h"
#include "cluster/voter_hooks.h"
#include "base/random.h"
#include "cluster/roster.h"
#include "cluster/status_file.h"
#include "starkcurve/key.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PR_PING_NS 1000000000u
#define PR_LEADER_NS ((uint64_t)120 * 1000000000u)    /* silence of rank 0 that ends a rank */
#define PR_LEADER_MIN_NS ((uint64_t)10 * 1000000000u) /* the least: it says something every second or two */
#define PR_SUSPECT_MIN_NS ((uint64_t)4 * 1000000000u) /* silence of rank 0 after which another leader is wanted */
#define PR_STALL_NS ((uint64_t)3 * 1000000000u)       /* between two looks: this rank itself stood still */

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
    pr_secret_key *key;
    pr_hash lot;         /* of the next run */
    pr_hash sealed_lots; /* of this one */
    char run_id[128];
    char results[1024];       /* "": its roster has not come */
    pr_voter *voter;          /* while there is a manifest */
    uint64_t view_timeout_ns; /* of the voter */
    pr_voter_friend friend;
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
    w->work = (pr_work){.backend = o->backend,
                        .threads = seat->place.n_threads,
                        .rank = t->rank,
                        .host = seat->hello.host,
                        .manifest_digest = &w->run_digest};
    pr_status status = pr_random_bytes(w->lot.bytes, sizeof w->lot.bytes, err);
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
    pr_voter_destroy(w->voter);
    pr_secret_key_destroy(w->key);
    if (w->has_manifest) pr_manifest_clear(&w->manifest);
    free(w);
}

pr_status pr_worker_say_hello(pr_worker *w, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_HELLO};
    m.as.hello = w->seat->hello;
    m.as.hello.sealed_lot = pr_lot_seal(&w->lot);
    return say(w, &m, err);
}

/* ---- what rank 0 says ---- */

/* The text is parsed again here: its jobs are what rank 0's indices mean. */
static pr_status read_manifest(pr_worker *w, const pr_wire_manifest *given, pr_error *err) {
    pr_voter_destroy(w->voter);
    w->voter = NULL;
    w->results[0] = 0;
    if (w->has_manifest) pr_manifest_clear(&w->manifest);
    w->has_manifest = false;
    w->run = given->run;
    PR_TRY(pr_manifest_parse(&w->manifest, given->text, given->text_size, given->path, given->base_dir, w->o->types,
                             NULL, err));
    w->has_manifest = true;
    w->run_digest = given->run_digest;
    w->sealed_lots = given->sealed_lots;
    pr_row_set_text(w->run_id, sizeof w->run_id, given->run_id);
    if (!pr_hash_equal(&w->manifest.digest, &given->digest))
        return pr_fail(err, PR_ERR_MPI, "the manifest changed on its way");
    if (!w->key) PR_TRY(pr_rank_key_open(&w->key, w->o, given->key_folder, w->t->rank, err));
    return w->minder ? pr_minder_begin(w->minder, given, err) : PR_OK;
}

static pr_status take_manifest(pr_worker *w, const pr_wire_manifest *given, pr_error *err) {
    pr_wire answer = {.type = PR_WIRE_READY};
    pr_error e = {0};
    if (w->has_manifest && given->run == w->run)
        return PR_OK; /* once more: its voter may be at work, its lot is open */
    answer.as.ready.run = given->run;
    answer.as.ready.status = (uint32_t)read_manifest(w, given, &e);
    answer.as.ready.n_jobs = w->has_manifest ? (uint32_t)w->manifest.n_jobs : 0;
    pr_row_set_text(answer.as.ready.reason, sizeof answer.as.ready.reason, e.text);
    if (w->key) memcpy(answer.as.ready.public_key, w->key->public_key, sizeof answer.as.ready.public_key);
    answer.as.ready.lot = w->lot;
    PR_TRY(pr_random_bytes(w->lot.bytes, sizeof w->lot.bytes, err));
    answer.as.ready.next_sealed_lot = pr_lot_seal(&w->lot);
    return say(w, &answer, err);
}

/* Who votes, and how. The seed of a new run is drawn from lots that all ranks had sealed before any was opened. */
static pr_status take_roster(pr_worker *w, const pr_wire_roster *m, pr_error *err) {
    if (!w->has_manifest || m->run != w->run || w->voter) return PR_OK;
    pr_hash run = pr_run_name(w->run_id), seed = pr_lots_draw(&run, m->lots, m->n_lots);
    if (!pr_lots_are_right(&w->sealed_lots, m->seals, m->lots, m->n_lots) ||
        (!m->resumed && !pr_hash_equal(&seed, &m->seed)))
        return pr_fail(err, PR_ERR_MPI, "rank 0 has drawn the seed of committees by itself: this rank does not vote");
    const pr_voter_options options = {
        .t = w->t,
        .key = w->key,
        .work = &w->work,
        .manifest = &w->manifest,
        .run_id = w->run_id,
        .given = m,
        .hooks = w->o->voter_hooks,
        .keeps_events = w->t->rank == 0,
        .friend = w->friend,
    };
    snprintf(w->results, sizeof w->results, "%.*s.h5", (int)(strlen(m->folder) - strlen(".votes")), m->folder);
    w->view_timeout_ns = m->votes.view_timeout_ms * (uint64_t)1000000u;
    return pr_voter_create(&w->voter, &options, err);
}

static bool is_of_this_run(const pr_worker *w, const pr_wire_task *task) {
    return w->has_manifest && task->run == w->run && task->job < w->manifest.n_jobs;
}

static pr_status take_prove(pr_worker *w, const pr_wire_prove *m, pr_error *err) {
    if (!w->voter) /* what it proved nobody would hear of */
        return pr_fail(err, PR_ERR_INTERRUPTED, "rank 0's roster has not come; the run can be resumed");
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

bool pr_worker_is_for_voter(pr_wire_type type) {
    return type == PR_WIRE_VOTE || type == PR_WIRE_FETCH || type == PR_WIRE_PROOF;
}

pr_status pr_worker_handle(pr_worker *w, int from, pr_wire *m, pr_error *err) {
    if (pr_worker_is_for_voter(m->type)) return w->voter ? pr_voter_handle(w->voter, (unsigned)from, m, err) : PR_OK;
    switch (m->type) {
    case PR_WIRE_MANIFEST:
        return take_manifest(w, &m->as.manifest, err);
    case PR_WIRE_ROSTER:
        return take_roster(w, &m->as.roster, err);
    case PR_WIRE_PROVE:
        return take_prove(w, &m->as.prove, err);
    case PR_WIRE_CANCEL:
        if (w->minder) pr_minder_cancel(w->minder, &m->as.cancel);
        return PR_OK;
    case PR_WIRE_CLOSE:
        if (w->voter && m->as.close == w->run) pr_voter_sign_batch(w->voter);
        return PR_OK;
    case PR_WIRE_STOP:
        return take_stop(w, &m->as.stop, err);
    case PR_WIRE_PING:
        return PR_OK;
    default:
        return pr_fail(err, PR_ERR_MPI, "rank 0 sent a %s message", pr_wire_type_name(m->type));
    }
}

void pr_worker_befriend(pr_worker *w, const pr_voter_friend *friend) {
    w->friend = *friend;
    if (w->voter) pr_voter_befriend(w->voter, friend);
}

pr_voter *pr_worker_voter(pr_worker *w) { return w->voter; }

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
    m.as.ping.verifying = w->voter && pr_voter_is_verifying(w->voter);
    return say(w, &m, err);
}

/* A proof goes to rank 0 at once, which has the next job ready; it is announced when it has been verified here. */
static pr_status tell_rank_0(pr_worker *w, pr_wire *m, pr_error *err) {
    const pr_wire_answer *a = &m->as.answer;
    bool proved = m->type == PR_WIRE_ANSWER && a->failure == PR_WIRE_PROVED && is_of_this_run(w, &a->task);
    if (proved && w->o->voter_hooks && w->o->voter_hooks->spoil)
        w->o->voter_hooks->spoil(w->o->voter_hooks->context, &m->as.answer.record);
    PR_TRY(say(w, m, err));
    return proved && w->voter ? pr_voter_proved(w->voter, &a->task, &a->record, err) : PR_OK;
}

static pr_status tell_of_child(pr_worker *w, bool *busy, pr_error *err) {
    pr_wire m;
    while (w->minder && pr_minder_poll(w->minder, &m)) {
        *busy = true;
        pr_status status = tell_rank_0(w, &m, err);
        pr_wire_clear(&m);
        PR_TRY(status);
    }
    return PR_OK;
}

pr_status pr_worker_tick(pr_worker *w, bool *busy, pr_error *err) {
    if (w->stopped) return PR_OK;
    PR_TRY(tell_of_child(w, busy, err));
    if (w->voter) PR_TRY(pr_voter_tick(w->voter, busy, err));
    return ping(w, err);
}

size_t pr_worker_fds(const pr_worker *w, struct pollfd fds[PR_WORKER_MAX_FDS]) {
    size_t n = w->minder ? pr_minder_fds(w->minder, fds) : 0;
    return w->voter ? n + pr_voter_fds(w->voter, fds + n) : n;
}

void pr_worker_wait(struct pollfd *fds, size_t n, double pause_ms) {
    const struct timespec pause = {(time_t)(pause_ms / 1e3), (long)(pause_ms * 1e6) % 1000000000};
    (void)ppoll(fds, (nfds_t)n, &pause, NULL);
}

/* ---- the life of a rank but 0 ---- */

typedef struct leader {           /* rank 0, as it is seen from here */
    uint64_t heard_ns, looked_ns; /* heard_ns: at first when this rank began */
    uint64_t suspected_ns;        /* when another leader was asked for last */
    bool heard;                   /* not yet: it may take long to read a journal */
    pid_t parent;                 /* the launcher's daemon: when it is gone, so is the run */
    pid_t pid;                    /* 0: it cannot be seen */
} leader;

static uint64_t leader_limit_ns(const pr_run_options *o, const leader *l) {
    if (!l->heard) return o->start_ns ? o->start_ns : PR_CLUSTER_START_NS;
    if (!o->lost_ns) return PR_LEADER_NS;
    return o->lost_ns > PR_LEADER_MIN_NS ? o->lost_ns : PR_LEADER_MIN_NS;
}

/* Said again and again: who has not lost rank 0 yet, or has just come, hears of it then. */
static void suspect(pr_worker *w, leader *l, uint64_t now) {
    uint64_t limit = w->view_timeout_ns > PR_SUSPECT_MIN_NS ? w->view_timeout_ns : PR_SUSPECT_MIN_NS;
    if (!w->voter || !l->heard || now - l->heard_ns < limit || now - l->suspected_ns < w->view_timeout_ns) return;
    l->suspected_ns = now;
    pr_voter_suspect_leader(w->voter);
}

/* Whoever stood still itself (a suspended job, say) has no right to complain of silence. */
static void look(leader *l, uint64_t now) {
    if (l->looked_ns && now - l->looked_ns > PR_STALL_NS) l->heard_ns = now;
    l->looked_ns = now;
}

/* heard: of rank 0 itself. Until the silence has lasted too long, this rank goes on with what it has, under another
 * leader of the votes. */
static pr_status watch_leader(pr_worker *w, leader *l, bool heard, pr_error *err) {
    const pr_run_options *o = w->o;
    uint64_t now = pr_clock_monotonic_ns();
    if (heard) l->heard_ns = now;
    l->heard |= heard;
    if (now - l->looked_ns < PR_PING_NS) return PR_OK;
    look(l, now);
    if (getppid() != l->parent) return pr_fail(err, PR_ERR_INTERRUPTED, "the launcher is gone");
    if (l->pid && kill(l->pid, 0) != 0 && errno == ESRCH) return pr_fail(err, PR_ERR_INTERRUPTED, "rank 0 is gone");
    uint64_t limit = leader_limit_ns(o, l);
    suspect(w, l, now);
    if (now - l->heard_ns < limit) return PR_OK;
    return pr_fail(err, PR_ERR_INTERRUPTED, "rank 0 has been silent for %.0f s; the run can be resumed",
                   (double)limit / 1e9);
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
    if (refused > 0) { /* another validator: it is rank 0 that says whether it is lost */
        pr_transport_forget(w->t, refused);
        return PR_OK;
    }
    if (*got) pr_wire_clear(message);
    free(*buffer);
    return pr_fail(err, PR_ERR_INTERRUPTED,
                   "rank 0 is out of reach: MPI refuses to send to it; the run can be resumed");
}

/* *sender: whose message there was; -1: none. */
static pr_status receive(pr_worker *w, int *sender, pr_error *err) {
    bool got;
    int from;
    uint8_t *buffer;
    pr_wire message;
    PR_TRY(poll_leader(w, &got, &from, &message, &buffer, err));
    *sender = got ? from : -1;
    if (!got) return PR_OK;
    pr_status status = PR_OK;
    if (from == 0 || pr_worker_is_for_voter(message.type))
        status = pr_worker_handle(w, from, &message, err);
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
        bool busy = false;
        int sender;
        PR_TRY(receive(w, &sender, err));
        PR_TRY(watch_leader(w, &l, sender == 0, err));
        PR_TRY(pr_worker_tick(w, &busy, err));
        if (busy) pr_transport_busy(w->t);
        if (sender >= 0 || busy || w->stopped) continue;
        struct pollfd fds[PR_WORKER_MAX_FDS];
        pr_worker_wait(fds, pr_worker_fds(w, fds), pr_transport_pause_ms(w->t));
    }
    bool quiet;
    return pr_transport_end(w->t, w->stop.how == PR_STOP_IN_ORDER, &quiet, err);
}

/* Beside the results, where rank 0 would have left word. A watched folder's manifests are taken up again by the next
 * watch, which looks there for them. */
static void leave_word(const pr_worker *w, const pr_error *why) {
    pr_run_report report = {.status = "interrupted", .exit_code = pr_status_exit_code(why->status)};
    char path[1100];
    pr_error e = {0};
    if (w->o->watch_dir || !pr_status_file_name(path, sizeof path, w->results)) return;
    snprintf(report.run_id, sizeof report.run_id, "%s", w->run_id);
    snprintf(report.results, sizeof report.results, "%s", w->results);
    snprintf(report.reason, sizeof report.reason, "%s", why->text);
    if (pr_status_file_leave(path, &report, w->manifest.path, w->t->rank, &e) != PR_OK)
        pr_log(PR_LOG_WARN, "worker", "%s", e.text);
}

pr_status pr_worker_run(pr_wire_stop *how, pr_transport *t, const pr_run_options *o, const pr_seat *seat,
                        pr_error *err) {
    pr_worker *w = NULL;
    PR_TRY(pr_worker_create(&w, t, o, seat, err));
    pr_status status = serve(w, err);
    if (status == PR_ERR_INTERRUPTED && err) leave_word(w, err);
    *how = w->stop;
    pr_worker_destroy(w);
    return status;
}
