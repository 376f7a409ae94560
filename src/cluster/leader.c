#include "cluster/leader.h"
#include "base/clock.h"
#include "cluster/run_file.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define PR_HELLO_NS ((uint64_t)120 * 1000000000u)
#define PR_BYE_NS ((uint64_t)10 * 1000000000u)
#define PR_SILENT_NS ((uint64_t)15 * 1000000000u)
#define PR_LOST_NS ((uint64_t)90 * 1000000000u)
#define PR_IDLE_PING_NS ((uint64_t)2 * 1000000000u)

pr_status pr_leader_init(pr_leader *l, pr_transport *t, const pr_run_options *o, const pr_seat *seat, pr_error *err) {
    memset(l, 0, sizeof *l);
    l->t = t;
    l->o = o;
    l->seat = seat;
    PR_TRY(pr_roll_init(&l->roll, (unsigned)t->size, o->silent_ns ? o->silent_ns : PR_SILENT_NS,
                        o->lost_ns ? o->lost_ns : PR_LOST_NS, err));
    pr_status status = pr_worker_create(&l->worker, t, o, seat, err);
    if (status != PR_OK) pr_roll_clear(&l->roll);
    return status;
}

void pr_leader_clear(pr_leader *l) {
    pr_worker_destroy(l->worker);
    l->worker = NULL;
    pr_roll_clear(&l->roll);
}

static bool is_for_supervisor(pr_wire_type type) {
    return type == PR_WIRE_MANIFEST || type == PR_WIRE_ROSTER || type == PR_WIRE_PROVE || type == PR_WIRE_CANCEL ||
           type == PR_WIRE_CLOSE || type == PR_WIRE_STOP;
}

/* Can the process of a rank be seen from here? Not from another host, nor out of another container of this one. */
static bool can_see(const pr_leader *l, const pr_wire_hello *hello) {
    return strcmp(hello->host, l->seat->hello.host) == 0 && kill((pid_t)hello->pid, 0) == 0;
}

bool pr_leader_sees_gone(const pr_member *m) {
    return m->known && m->same_pids && !m->said_bye && kill((pid_t)m->hello.pid, 0) != 0 && errno == ESRCH;
}

static void take_hello(pr_leader *l, unsigned rank, const pr_wire_hello *hello) {
    if (rank != 0 && l->roll.members[rank].known) return;
    pr_roll_hello(&l->roll, rank, hello, can_see(l, hello), pr_clock_monotonic_ns());
}

pr_status pr_leader_poll(pr_leader *l, bool *got, int *from, pr_wire *message, uint8_t **buffer, pr_error *bad,
                         pr_error *err) {
    for (int rank; pr_transport_take_refused(l->t, &rank);) l->roll.members[rank].refused = true;
    for (;;) {
        pr_error e = {0};
        l->message_ns = pr_clock_monotonic_ns();
        pr_status status = pr_transport_poll(l->t, got, from, message, buffer, &e);
        if (status != PR_OK && *from > 0 && status != PR_ERR_MEMORY) {
            *bad = e;
            return PR_OK;
        }
        if (status != PR_OK) return pr_fail(err, status == PR_ERR_MPI ? PR_ERR_INTERRUPTED : status, "%s", e.text);
        if (!*got) {
            *from = -1;
            return PR_OK;
        }
        bool is_for_voter = pr_worker_is_for_voter(message->type);
        if (!is_for_voter && (*from != 0 || !is_for_supervisor(message->type))) break;
        uint64_t start = pr_clock_monotonic_ns();
        if (is_for_voter) l->roll.members[*from].heard_ns = start;
        status = pr_worker_handle(l->worker, *from, message, err);
        if (is_for_voter) l->voter_ns += pr_clock_monotonic_ns() - start;
        pr_wire_clear(message);
        free(*buffer);
        if (status != PR_OK) return status;
    }
    if (message->type == PR_WIRE_HELLO) take_hello(l, (unsigned)*from, &message->as.hello);
    if (message->type == PR_WIRE_BYE) l->roll.members[*from].said_bye = true;
    return PR_OK;
}

/* One turn: *got says whether a message came, which is cleared here. */
static pr_status take_turn(pr_leader *l, pr_error *err) {
    bool got, busy = false;
    int from;
    pr_wire message;
    uint8_t *buffer;
    pr_error bad = {0};
    PR_TRY(pr_leader_poll(l, &got, &from, &message, &buffer, &bad, err));
    if (got) {
        l->roll.members[from].heard_ns = pr_clock_monotonic_ns();
        if (message.type == PR_WIRE_PING) l->roll.members[from].ping = message.as.ping;
        pr_wire_clear(&message);
        free(buffer);
    } else if (from >= 0) {
        pr_log(PR_LOG_WARN, "run", "%s", bad.text);
    }
    PR_TRY(pr_worker_tick(l->worker, &busy, err));
    if (busy) pr_transport_busy(l->t);
    if (got || busy) return PR_OK;
    struct pollfd fds[PR_WORKER_MAX_FDS];
    pr_worker_wait(fds, pr_worker_fds(l->worker, fds), pr_transport_pause_ms(l->t));
    return PR_OK;
}

pr_status pr_leader_idle(pr_leader *l, pr_error *err) {
    const pr_wire m = {.type = PR_WIRE_PING};
    static uint64_t pinged_ns;
    uint64_t now = pr_clock_monotonic_ns();
    if (now - pinged_ns > PR_IDLE_PING_NS) {
        pinged_ns = now;
        for (int rank = 1; rank < l->t->size; rank++) PR_TRY(pr_transport_send(l->t, rank, &m, err));
    }
    return take_turn(l, err);
}

static unsigned n_known(const pr_leader *l) {
    unsigned n = 0;
    for (unsigned rank = 0; rank < l->roll.n; rank++) n += l->roll.members[rank].known;
    return n;
}

static pr_status lose_unknown(pr_leader *l, pr_error *err) {
    for (unsigned rank = 0; rank < l->roll.n; rank++) {
        if (l->roll.members[rank].known) continue;
        if (rank == 0) return pr_fail(err, PR_ERR_MPI, "rank 0 does not hear itself");
        pr_log(PR_LOG_WARN, "run", "rank %u has not come in time: the run goes on without it", rank);
        (void)pr_roll_lose(&l->roll, rank);
    }
    return PR_OK;
}

pr_status pr_leader_gather(pr_leader *l, pr_error *err) {
    uint64_t limit = l->o->start_ns && l->o->start_ns < PR_HELLO_NS ? l->o->start_ns : PR_HELLO_NS;
    uint64_t end = pr_clock_monotonic_ns() + limit;
    PR_TRY(pr_worker_say_hello(l->worker, err));
    while (n_known(l) < l->roll.n && pr_clock_monotonic_ns() < end) PR_TRY(take_turn(l, err));
    PR_TRY(lose_unknown(l, err));
    for (unsigned rank = 1; rank < l->roll.n; rank++) {
        const pr_wire_hello *h = &l->roll.members[rank].hello;
        if (l->roll.members[rank].known && strcmp(h->version, l->seat->hello.version) != 0)
            return pr_fail(err, PR_ERR_MPI, "rank %u on %s runs version %s, rank 0 runs %s", rank, h->host, h->version,
                           l->seat->hello.version);
    }
    return PR_OK;
}

/* ---- the end ---- */

/* A rank that is up has not said good-bye; may_come: and is still there to say it. */
static bool lacks_bye(const pr_leader *l, bool may_come) {
    for (unsigned rank = 0; rank < l->roll.n; rank++) {
        const pr_member *m = &l->roll.members[rank];
        if (m->state == PR_RANK_UP && !m->said_bye && !(may_come && pr_leader_sees_gone(m))) return true;
    }
    return false;
}

pr_status pr_leader_stop(pr_leader *l, pr_stop_how *how, int exit_code, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_STOP};
    uint64_t limit = l->roll.lost_ns > PR_BYE_NS ? l->roll.lost_ns : PR_BYE_NS; /* a rank that is slow is not lost */
    uint64_t end = pr_clock_monotonic_ns() + limit;
    *how = l->roll.lost_any || pr_roll_n_missing(&l->roll) != 0 ? PR_STOP_AT_ONCE : PR_STOP_IN_ORDER;
    m.as.stop.how = *how;
    m.as.stop.exit_code = (uint32_t)exit_code;
    for (int rank = 0; rank < l->t->size; rank++) PR_TRY(pr_transport_send(l->t, rank, &m, err));
    while (lacks_bye(l, true) && pr_clock_monotonic_ns() < end) PR_TRY(take_turn(l, err));
    bool quiet = !lacks_bye(l, false);
    if (quiet && *how == PR_STOP_IN_ORDER) PR_TRY(pr_transport_end(l->t, true, &quiet, err));
    if (!quiet) *how = PR_STOP_AT_ONCE;
    return PR_OK;
}

void pr_leader_kill_silent(const pr_leader *l) {
    for (unsigned rank = 1; rank < l->roll.n; rank++) {
        const pr_member *m = &l->roll.members[rank];
        if (m->same_pids && !m->said_bye) kill((pid_t)m->hello.pid, SIGKILL);
    }
}
