/* What the state machine wants, in its order: a record goes to the log at once, and whatever was wanted after it waits
 * until it is on the disk. A record that only is to be kept or counted waits for one that something else waits for:
 * each sync costs the machine more than a signature. */
#include "base/clock.h"
#include "base/log.h"
#include "cluster/voter_internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- the queue ---- */

static pr_voter_act *push(pr_voter *v, const uint8_t *data, size_t size) {
    pr_voter_act *a = calloc(1, sizeof *a + size);
    if (!a) {
        v->out_of_memory = true;
        return NULL;
    }
    if (size) memcpy(a->data, data, size);
    a->size = size;
    a->after = v->appended;
    *v->last = a;
    v->last = &a->next;
    return a;
}

static void hurry(pr_voter *v) {
    pr_votelog_hurry(v->log);
    v->waiting_ns = 0;
}

static void push_message(pr_voter *v, int to, const pr_consensus_action *action) {
    pr_voter_act *a = push(v, action->data, action->size);
    if (!a) return;
    a->sends = true;
    a->to = to;
    hurry(v);
}

static void push_event(pr_voter *v, const pr_voter_event *event, const uint8_t *data, size_t size) {
    pr_voter_act *a = v->o.keeps_events ? push(v, data, size) : NULL;
    if (!a) return;
    a->event = *event;
    if (event->kind != PR_VOTER_RECORD && event->kind != PR_VOTER_COUNT) hurry(v);
}

/* ---- timers: a few for each open round ---- */

static pr_voter_timer *find_timer(pr_voter *v, uint64_t id) {
    for (size_t i = 0; i < v->n_timers; i++)
        if (v->timers[i].id == id) return &v->timers[i];
    return NULL;
}

static void start_timer(pr_voter *v, uint64_t id, uint64_t ms) {
    pr_voter_timer *t = find_timer(v, id);
    if (!t && v->n_timers == v->timer_room) {
        size_t room = v->timer_room ? 2 * v->timer_room : 32;
        pr_voter_timer *grown = realloc(v->timers, room * sizeof *grown);
        if (!grown) {
            v->out_of_memory = true;
            return;
        }
        v->timers = grown;
        v->timer_room = room;
    }
    if (!t) t = &v->timers[v->n_timers++];
    *t = (pr_voter_timer){id, pr_clock_monotonic_ns() + ms * 1000000u};
}

static void cancel_timer(pr_voter *v, uint64_t id) {
    pr_voter_timer *t = find_timer(v, id);
    if (t) *t = v->timers[--v->n_timers];
}

void pr_voter_expire_due(pr_voter *v, bool *busy) {
    uint64_t now = pr_clock_monotonic_ns();
    for (size_t i = 0; i < v->n_timers;) {
        if (v->timers[i].due_ns > now) {
            i++;
            continue;
        }
        uint64_t id = v->timers[i].id;
        cancel_timer(v, id);
        pr_consensus_expire(v->consensus, id); /* may start others: what it moves is seen at the next tick */
        *busy = true;
    }
}

/* ---- the sink ---- */

static void tell_view(const pr_consensus_action *a, int32_t rank) {
    pr_log(PR_LOG_WARN, "consensus", "view %llu: validator %u (rank %d) leads from now on", (unsigned long long)a->view,
           a->validator, rank);
}

static pr_voter_event event_of(const pr_voter *v, const pr_consensus_action *a, pr_voter_event_kind kind) {
    return (pr_voter_event){.kind = kind,
                            .job = pr_voter_job_of(v, &a->subject.job),
                            .subject = a->subject,
                            .outcome = a->outcome,
                            .view = a->view,
                            .validator = a->validator,
                            .rank = pr_voter_rank(v, a->validator),
                            .removal = a->removal,
                            .metric = a->metric,
                            .label = a->label,
                            .hash = a->hash};
}

static void persist(pr_voter *v, const pr_consensus_action *a) {
    const pr_voter_event e = {.kind = PR_VOTER_RECORD, .job = PR_SCHEDULE_NO_JOB, .rank = -1};
    v->appended = pr_votelog_append(v->log, a->data, a->size);
    if (!v->waiting_ns) v->waiting_ns = pr_clock_monotonic_ns();
    push_event(v, &e, a->data, a->size);
}

static void act(pr_voter *v, const pr_consensus_action *a) {
    pr_voter_event e = event_of(v, a, PR_VOTER_COUNT);
    switch (a->kind) {
    case PR_CONSENSUS_PERSIST:
        persist(v, a);
        return;
    case PR_CONSENSUS_SEND:
        if (pr_voter_rank(v, a->to) >= 0) push_message(v, pr_voter_rank(v, a->to), a);
        return;
    case PR_CONSENSUS_BROADCAST:
        push_message(v, -1, a);
        return;
    case PR_CONSENSUS_START_TIMER:
        start_timer(v, a->timer, a->ms);
        return;
    case PR_CONSENSUS_CANCEL_TIMER:
        cancel_timer(v, a->timer);
        return;
    case PR_CONSENSUS_VERIFY:
        pr_voter_ask_for(v, &a->subject);
        return;
    case PR_CONSENSUS_OUTCOME:
        if (v->may_have_spooled && a->subject.prover == pr_consensus_self(v->consensus))
            pr_voter_spool_drop(v, e.job, a->subject.attempt);
        e.kind = PR_VOTER_OUTCOME;
        break;
    case PR_CONSENSUS_REMOVED:
        e.kind = PR_VOTER_REMOVED;
        break;
    case PR_CONSENSUS_VIEW:
        tell_view(a, e.rank);
        e.kind = PR_VOTER_VIEW;
        break;
    case PR_CONSENSUS_BATCH:
        v->batched = true;
        e.kind = PR_VOTER_BATCH;
        break;
    case PR_CONSENSUS_METRIC:
        break;
    }
    push_event(v, &e, a->kind == PR_CONSENSUS_BATCH ? a->data : NULL, a->kind == PR_CONSENSUS_BATCH ? a->size : 0);
}

void pr_voter_act_on(void *voter, const pr_consensus_action *action) {
    pr_voter *v = voter;
    if (!v->restoring) act(v, action);
}

/* ---- what may go ---- */

static pr_status send_to(pr_voter *v, int to, const pr_voter_act *a, pr_error *err) {
    pr_wire m = {.type = PR_WIRE_VOTE};
    m.as.vote = (pr_wire_vote){v->run, a->data, a->size};
    if (v->o.hooks && v->o.hooks->outgoing &&
        v->o.hooks->outgoing(v->o.hooks->context, v->o.t, to, &m.as.vote, v->keys))
        return PR_OK;
    return pr_transport_send(v->o.t, to, &m, err);
}

static pr_status send_all(pr_voter *v, const pr_voter_act *a, pr_error *err) {
    if (a->to >= 0) return send_to(v, a->to, a, err);
    for (uint32_t i = 0; i < v->n_validators; i++)
        if (v->ranks[i] >= 0 && v->ranks[i] != v->o.t->rank) PR_TRY(send_to(v, v->ranks[i], a, err));
    return PR_OK;
}

void pr_voter_tell(pr_voter *v, const pr_voter_event *e) {
    if (v->n_events == v->event_room) {
        size_t room = v->event_room ? 2 * v->event_room : 64;
        pr_voter_event *grown = malloc(room * sizeof *grown);
        if (!grown) {
            v->out_of_memory = true;
            free(e->data);
            return;
        }
        for (size_t i = 0; i < v->n_events; i++) grown[i] = v->events[(v->first_event + i) % v->event_room];
        free(v->events);
        v->events = grown;
        v->event_room = room;
        v->first_event = 0;
    }
    v->events[(v->first_event + v->n_events++) % v->event_room] = *e;
}

static void tell(pr_voter *v, const pr_voter_act *a) {
    pr_voter_event e = a->event;
    e.size = a->size;
    e.data = NULL;
    if (a->size) {
        e.data = malloc(a->size);
        if (!e.data) {
            v->out_of_memory = true;
            return;
        }
        memcpy(e.data, a->data, a->size);
    }
    pr_voter_tell(v, &e);
}

pr_status pr_voter_release(pr_voter *v, bool *busy, pr_error *err) {
    if (v->waiting_ns && pr_clock_monotonic_ns() - v->waiting_ns > PR_VOTER_PATIENCE_NS) hurry(v);
    uint64_t durable = pr_votelog_durable(v->log);
    pr_status status = PR_OK;
    while (v->first && v->first->after <= durable && status == PR_OK) {
        pr_voter_act *a = v->first;
        v->first = a->next;
        if (!v->first) v->last = &v->first;
        if (a->sends)
            status = send_all(v, a, err);
        else
            tell(v, a);
        free(a);
        *busy = true;
    }
    return status;
}

void pr_voter_drop_acts(pr_voter *v) {
    while (v->first) {
        pr_voter_act *next = v->first->next;
        free(v->first);
        v->first = next;
    }
}

bool pr_voter_take(pr_voter *v, pr_voter_event *e) {
    if (v->n_events == 0) return false;
    *e = v->events[v->first_event];
    v->first_event = (v->first_event + 1) % v->event_room;
    v->n_events--;
    return true;
}
