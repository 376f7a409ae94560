#include "cluster/roll.h"
#include <stdlib.h>
#include <string.h>

#define PR_LOOK_NS 100000000u

pr_status pr_roll_init(pr_roll *r, unsigned n, uint64_t silent_ns, uint64_t lost_ns, pr_error *err) {
    memset(r, 0, sizeof *r);
    r->members = calloc(n, sizeof *r->members);
    if (!r->members) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %u ranks", n);
    r->n = n;
    r->silent_ns = silent_ns;
    r->lost_ns = lost_ns;
    return PR_OK;
}

void pr_roll_clear(pr_roll *r) {
    free(r->members);
    r->members = NULL;
    r->n = 0;
}

void pr_roll_hello(pr_roll *r, unsigned rank, const pr_wire_hello *hello, bool same_pids, uint64_t now_ns) {
    pr_member *m = &r->members[rank];
    m->hello = *hello;
    m->known = true;
    m->same_pids = same_pids;
    m->heard_ns = now_ns;
}

bool pr_roll_heard(pr_roll *r, unsigned rank, uint64_t now_ns) {
    pr_member *m = &r->members[rank];
    m->heard_ns = now_ns;
    if (m->refused) return false;
    bool idle = !m->ping.has_job && !m->ping.verifying;
    if (m->state != PR_RANK_SILENT && !(m->state == PR_RANK_LOST && idle)) return false;
    m->state = PR_RANK_UP;
    return true;
}

bool pr_roll_lose(pr_roll *r, unsigned rank) {
    pr_member *m = &r->members[rank];
    if (m->state == PR_RANK_LOST || m->said_bye) return false;
    m->state = PR_RANK_LOST;
    r->lost_any = true;
    m->ping.has_job = 1; /* until it says otherwise */
    return true;
}

static bool changes(pr_roll *r, unsigned rank, uint64_t now_ns) {
    pr_member *m = &r->members[rank];
    if (rank == 0 || !m->known || m->said_bye) return false;
    if (m->refused) return pr_roll_lose(r, rank);
    if (now_ns < m->heard_ns) return false;
    uint64_t silence = now_ns - m->heard_ns;
    if (silence >= r->lost_ns) return pr_roll_lose(r, rank);
    if (silence < r->silent_ns || m->state != PR_RANK_UP) return false;
    m->state = PR_RANK_SILENT;
    return true;
}

bool pr_roll_next(pr_roll *r, uint64_t now_ns, unsigned *rank) {
    if (r->at == 0 && now_ns - r->looked_ns < PR_LOOK_NS) return false;
    if (r->at == 0) r->looked_ns = now_ns;
    while (r->at < r->n) {
        *rank = r->at++;
        if (changes(r, *rank, now_ns)) return true;
    }
    r->at = 0;
    return false;
}

void pr_roll_forgive(pr_roll *r, uint64_t now_ns) {
    for (unsigned i = 0; i < r->n; i++)
        if (r->members[i].state != PR_RANK_LOST) r->members[i].heard_ns = now_ns;
}

bool pr_roll_is_lost_and_there(const pr_roll *r, unsigned rank, uint64_t now_ns) {
    const pr_member *m = &r->members[rank];
    return m->state == PR_RANK_LOST && m->known && !m->refused && !m->said_bye && now_ns - m->heard_ns < r->silent_ns;
}

unsigned pr_roll_n_missing(const pr_roll *r) {
    unsigned n = 0;
    for (unsigned i = 1; i < r->n; i++) n += r->members[i].state != PR_RANK_UP && !r->members[i].said_bye;
    return n;
}

unsigned pr_roll_n_up(const pr_roll *r) {
    unsigned n = 0;
    for (unsigned i = 0; i < r->n; i++) n += r->members[i].state == PR_RANK_UP;
    return n;
}
