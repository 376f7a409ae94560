/* Who is there: what each rank said of itself, when it was last heard, and what follows from its silence. Times are
 * arguments, ns of the monotonic clock; no MPI, no clock.
 *
 *   UP --silent_ns--> SILENT --lost_ns--> LOST          heard again: SILENT -> UP at once,
 *    \------ its process is gone -----------^           LOST -> UP once it has nothing left to do
 */
#ifndef PR_CLUSTER_ROLL_H
#define PR_CLUSTER_ROLL_H
#include "cluster/wire.h"

typedef struct pr_member {
    pr_wire_hello hello;
    bool known;     /* said hello */
    bool same_pids; /* its process can be seen from here */
    bool said_bye;
    bool refused; /* it is out of reach: nothing can be sent to it, or understood at the start */
    bool removed; /* from the consensus, for fraud: it gets no work */
    pr_rank_state state;
    uint64_t heard_ns;
    uint32_t bad_messages;
    uint8_t public_key[32]; /* as it said in READY, and its lot, and the seal of the next one */
    pr_hash lot, next_sealed_lot;
    uint32_t ready_run, asked_run; /* number of the run whose manifest it has, and was sent last */
    pr_wire_ping ping;             /* the last one */
} pr_member;

typedef struct pr_roll {
    pr_member *members; /* [n], owned */
    unsigned n, at;     /* at: where the next look begins */
    uint64_t silent_ns, lost_ns, looked_ns;
    bool lost_any; /* nothing collective any more, whoever came back */
} pr_roll;

PR_MUST_CHECK pr_status pr_roll_init(pr_roll *r, unsigned n, uint64_t silent_ns, uint64_t lost_ns, pr_error *err);
void pr_roll_clear(pr_roll *r);
void pr_roll_hello(pr_roll *r, unsigned rank, const pr_wire_hello *hello, bool same_pids, uint64_t now_ns);
/* Something came from the rank. True: its state became PR_RANK_UP by that; never that of one out of reach. */
bool pr_roll_heard(pr_roll *r, unsigned rank, uint64_t now_ns);
/* Its process is gone, or it sends nothing but rubbish. True: its state became PR_RANK_LOST by that. */
bool pr_roll_lose(pr_roll *r, unsigned rank);
/* The next rank whose silence has changed its state; false: none. Rank 0 is never silent. Looks at everybody once in
 * 100 ms at most. */
bool pr_roll_next(pr_roll *r, uint64_t now_ns, unsigned *rank);
/* Nobody listened for a while: silence begins now for all who are not lost. */
void pr_roll_forgive(pr_roll *r, uint64_t now_ns);
/* It was taken for lost, but has been heard lately: it is there, at what it was given before. */
bool pr_roll_is_lost_and_there(const pr_roll *r, unsigned rank, uint64_t now_ns);
/* Ranks but 0 that are neither up nor gone with a bye: nothing collective may be called. */
unsigned pr_roll_n_missing(const pr_roll *r);
unsigned pr_roll_n_up(const pr_roll *r);
#endif
