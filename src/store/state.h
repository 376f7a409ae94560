/* What the journal says of a run, gathered: for `status`, `journal check` and whoever wants to know without opening the
 * HDF5 file. Reading disturbs nobody and needs no lock, also while the run goes on.
 *
 *   pr_run_state *s;
 *   PR_TRY(pr_run_state_load(&s, "results/run.journal", &err)); */
#ifndef PR_STORE_STATE_H
#define PR_STORE_STATE_H
#include "store/journal.h"
#include "store/record.h"

typedef struct pr_job_view {
    char id[128];
    uint32_t outcome;  /* PR_OUTCOME_NONE: it has not ended */
    uint32_t attempts; /* handed out so far, this session */
    int32_t rank;      /* that proves or verifies it now; -1: none */
    uint32_t what;     /* pr_assigned */
    uint64_t since_ns; /* of the assignment, or of the end */
} pr_job_view;

typedef struct pr_run_state {
    char run_id[128];
    uint32_t sessions;
    bool running; /* the last session has no end: it goes on, or was killed */
    pr_session_row session;
    uint64_t session_begin_ns, last_ns;    /* of the last session; time of the last frame */
    uint64_t n_jobs;                       /* of the manifest; 0: not said */
    uint64_t by_outcome[PR_OUTCOME_COUNT]; /* jobs by their last record */
    uint64_t n_running, n_waiting;         /* waiting: neither ended nor handed out */
    uint64_t ended_in_session;
    double jobs_per_s;        /* of this session, over the last jobs; 0: not known */
    uint64_t expected_end_ns; /* 0: not known */
    uint64_t n_events, n_proof_bytes;
    pr_job_view *jobs; /* by first appearance; owned */
    size_t n_job_views;
    pr_rank_row *ranks; /* by rank; owned */
    size_t n_ranks;
    pr_fault *faults; /* owned; the first PR_STATE_MAX_FAULTS of them */
    size_t n_faults;
    uint64_t n_frames, bytes, n_undecoded;
    uint32_t n_segments;
} pr_run_state;
#define PR_STATE_MAX_FAULTS 1000u

/* As pr_journal_scan; damage is no error: see faults. */
PR_MUST_CHECK pr_status pr_run_state_load(pr_run_state **out, const char *journal, pr_error *err);
void pr_run_state_free(pr_run_state *s);
const pr_job_view *pr_run_state_job(const pr_run_state *s, const char *id); /* NULL: never heard of */
#endif
