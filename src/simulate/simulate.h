/* A run under simulated time: the scheduler of schedule/, thousands of ranks, a rank 0 whose every step costs time.
 *
 * Discrete events: a rank ends a proof or a verification, dies, falls silent, comes back. Rank 0 is one server: it
 * takes messages in the order in which they arrive, each for its cost, syncs its journal in groups, and hands out what
 * the scheduler says, short jobs behind others too. A rank goes from one of these to the next at once. One other rank
 * verifies each proof, beside what it proves, one after another. Costs are options; the defaults are what was measured
 * (docs/scaling.md). Nothing here reads a clock or draws true randomness: equal options give equal results, on every
 * machine.
 *
 *   pr_simulation_options o = pr_simulation_defaults();
 *   o.n_ranks = 512;
 *   PR_TRY(pr_simulate(&result, &o, err));
 *
 * Not modelled: votes, the network's congestion, start-up, disks other than rank 0's. */
#ifndef PR_SIMULATE_SIMULATE_H
#define PR_SIMULATE_SIMULATE_H
#include "base/error.h"

typedef enum pr_mix {
    PR_MIX_SMALL, /* 50 ms to 2 s: everything is rank 0's work */
    PR_MIX_MIXED, /* 100 ms to 10 min, evenly over the scale */
    PR_MIX_HEAVY  /* most jobs of some seconds, few of up to an hour: the tail decides */
} pr_mix;
const char *pr_mix_name(pr_mix mix);

typedef struct pr_simulation_job {
    uint64_t true_ns, expected_ns, host_bytes; /* expected: by the estimate */
} pr_simulation_job;

typedef struct pr_simulation_options {
    uint64_t seed;
    uint32_t n_ranks, ranks_per_node;
    uint32_t n_jobs; /* 0: jobs_per_rank times n_ranks, or n_given */
    uint32_t jobs_per_rank;
    pr_mix mix;
    const pr_simulation_job *given; /* [n_given] instead of the mix, by turns; borrowed */
    uint32_t n_given;
    bool coordinator_only; /* rank 0 proves nothing */
    bool shards;           /* proofs stay in files of their nodes: rank 0 sees metadata alone */
    uint64_t behind_ns;    /* pr_schedule_options */
    bool oracle;           /* estimates are exact; else each errs by up to a quarter, and all by a common factor */
    /* cost of rank 0 */
    uint64_t message_ns; /* a small message, received or sent */
    uint64_t record_ns;  /* a job's record: journal, HDF5, progress */
    uint64_t byte_ps;    /* picoseconds for each byte of a proof that passes rank 0 */
    uint64_t sync_ns;    /* one fsync of the journal */
    uint64_t group_ns;   /* at most one fsync in this time */
    uint64_t step_ps;    /* picoseconds of a step of the scheduler */
    /* ranks */
    uint64_t latency_ns;   /* from rank to rank 0 or back, with the poll's sleep */
    uint64_t heartbeat_ns; /* between heartbeats of a rank */
    uint64_t verify_ns;    /* a verification */
    uint32_t proof_bytes;
    uint64_t node_bytes;
    uint64_t bytes_per_second; /* memory of a job for each second that it takes */
    /* what goes wrong; 0: nothing */
    double lost_per_hour;   /* of a rank: it dies for good */
    double silent_per_hour; /* of a rank: it is not heard for up to two minutes, then goes on */
    double slow_share;      /* of the ranks: slow_factor times slower than the others */
    double slow_factor;
    double crash_share; /* of attempts: the child dies half way */
    uint64_t silent_after_ns, lost_after_ns;
} pr_simulation_options;

typedef struct pr_simulation_result {
    uint32_t n_jobs, n_done, n_failed, n_left;
    uint64_t makespan_ns;
    uint64_t
        bound_ns; /* nobody could be faster: the work over all ranks, the longest job, or the memory that is filled */
    double efficiency;   /* proving time of proofs that counted, over ranks times makespan */
    double busy;         /* the same with lost and second attempts */
    double load;         /* of rank 0, from 0 to 1, heartbeats included */
    uint64_t wait_ns;    /* 99 of 100 messages waited less for rank 0 */
    uint64_t n_messages; /* received and sent, without heartbeats */
    uint64_t n_syncs, n_attempts, n_crashes, n_lost, n_silent, n_second, n_equal;
    uint64_t n_steps; /* of the scheduler */
} pr_simulation_result;

pr_simulation_options pr_simulation_defaults(void);
/* PR_ERR_USAGE: no ranks or jobs, a factor below 1, a share outside 0 .. 1; PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_simulate(pr_simulation_result *out, const pr_simulation_options *options, pr_error *err);
#endif
