/* A run as rank 0 sees it: what its parts (run_*.c) share. One thread. */
#ifndef PR_CLUSTER_RUN_H
#define PR_CLUSTER_RUN_H
#include "cluster/cluster.h"
#include "cluster/examiner.h"
#include "cluster/keeper.h"
#include "cluster/progress.h"
#include "cluster/roll.h"
#include "cluster/roster.h"
#include "cluster/run_file.h"
#include "cluster/run_metrics.h"
#include "cluster/transport.h"
#include "cluster/worker.h"
#include "manifest/manifest.h"
#include "schedule/schedule.h"

typedef struct pr_run_job {  /* what rank 0 keeps of a job while it is not ended */
    pr_record *proven;       /* the proof that counts; owned */
    pr_attempt_row *history; /* [n_history] of attempts that came to nothing; owned */
    uint32_t n_history;
    uint32_t child_restarts, cpu_fallbacks;
    uint64_t queued_ns;    /* monotonic: when it was first handed out, 0: not yet */
    uint64_t expected_ns;  /* of the attempt handed out last, as it was expected then */
    uint64_t sent_wall_ns; /* of the attempt handed out last */
    float overhead_us;     /* time of rank 0's main thread */
    struct {
        uint32_t attempt, rank;
    } given[2];             /* the attempts handed out last */
    uint32_t counts;        /* the attempt whose proof counts; 0: none */
    uint64_t proven_ns;     /* monotonic: when that proof came */
    pr_verdict taken_back;  /* REFUSED or AGAIN: what its prover says against it */
    int32_t verifier_rank;  /* who was the first to find it good; -1: nobody yet */
    double verify_ms;       /* of that rank */
    pr_round_outcome voted; /* of the consensus, and what it was about */
    pr_subject ballot;
} pr_run_job;

typedef struct pr_run {
    pr_transport *t;
    const pr_run_options *o;
    pr_roll *roll;
    pr_worker *worker; /* rank 0's own supervisor */
    const pr_manifest *manifest;
    pr_run_file *file;
    uint32_t number; /* of the run on these ranks: messages bear it */
    pr_keeper *keeper;
    pr_schedule *schedule;
    const pr_roster *roster;
    pr_work work;                       /* to check records */
    pr_examiner *examiner;              /* its thread */
    bool has_batch;                     /* the outcomes are signed by a quorum */
    bool aborts_on_evidence, lie_found; /* lie_found: and it was to abort */
    bool quorum_lost;                   /* too many ranks are lost: nothing can be approved any more */
    pr_progress *progress;
    pr_run_metrics *metrics;
    pr_run_job *jobs;   /* [n_jobs] */
    pr_job_row **ended; /* [n_jobs] rows that wait to be announced; owned */
    uint32_t at_job;    /* whose overhead the time now goes to; PR_SCHEDULE_NO_JOB: nobody's */
    uint64_t end_ns;    /* of the allotment, monotonic; 0: none */
    uint64_t drain_margin_ns;
    const char *end_what;
    uint64_t stop_ns;      /* when it was asked to stop; 0: not */
    uint64_t cancelled_ns; /* when what ran was cancelled; 0: not */
    bool draining;
    bool metrics_fail;         /* the textfile cannot be written */
    size_t n_failed, n_unkept; /* unkept: given to the keeper, not yet on the disk */
    uint64_t pinged_ns, noted_ns, longest_pause_ns, wall_offset_ns;
    uint64_t started_ns;
} pr_run;

/* ---- run_ends.c: the end of a job ---- */
/* Takes the record's contents. It is announced when it is on the disk. */
PR_MUST_CHECK pr_status pr_run_end_job(pr_run *r, uint32_t job, pr_record *record, pr_outcome outcome, pr_error *err);
/* A job that ends without a record of an attempt. */
PR_MUST_CHECK pr_status pr_run_end_without(pr_run *r, uint32_t job, pr_outcome outcome, const char *reason,
                                           pr_error *err);
/* Announces what the keeper has on the disk. */
PR_MUST_CHECK pr_status pr_run_announce(pr_run *r, bool *busy, pr_error *err);
void pr_run_add_history(pr_run *r, uint32_t job, const pr_attempt_row *row);
void pr_run_drop_proven(pr_run *r, uint32_t job);

/* ---- run_answers.c: what ranks say ---- */
PR_MUST_CHECK pr_status pr_run_handle(pr_run *r, unsigned rank, pr_wire *message, pr_error *err);
/* What a rank sent could not be decoded. */
void pr_run_bad_message(pr_run *r, unsigned rank, const char *text);

/* ---- run_votes.c: what the consensus makes of proofs ---- */
void pr_run_befriend_voter(pr_run *r); /* before its ranks get the manifest */
void pr_run_leave_voter(pr_run *r);
PR_MUST_CHECK pr_status pr_run_recall_votes(pr_run *r, pr_error *err);
/* The proof of this attempt counts from now on; takes the record's contents. */
PR_MUST_CHECK pr_status pr_run_check_proof(pr_run *r, unsigned rank, const pr_wire_task *task, pr_record *record,
                                           pr_error *err);
PR_MUST_CHECK pr_status pr_run_on_verdict(pr_run *r, unsigned rank, const pr_wire_verdict *v, pr_error *err);
PR_MUST_CHECK pr_status pr_run_watch_votes(pr_run *r, pr_error *err); /* about once a second */
PR_MUST_CHECK pr_status pr_run_heed_votes(pr_run *r, bool *busy, pr_error *err);
/* Whether the validators that are there could still approve anything. Those that are silent may come back. */
bool pr_run_has_quorum(const pr_run *r);
/* Asks every rank to sign the outcomes. */
PR_MUST_CHECK pr_status pr_run_close_votes(pr_run *r, pr_error *err);

/* ---- run_tasks.c: what ranks are given ---- */
PR_MUST_CHECK pr_status pr_run_hand_out(pr_run *r, bool *busy, pr_error *err);
PR_MUST_CHECK pr_status pr_run_notices(pr_run *r, bool *busy, pr_error *err);
/* Tells every rank to give up what it proves. */
PR_MUST_CHECK pr_status pr_run_cancel_all(pr_run *r, pr_error *err);

/* ---- run_ranks.c: ranks come and go ---- */
PR_MUST_CHECK pr_status pr_run_watch_ranks(pr_run *r, pr_error *err);
void pr_run_heard(pr_run *r, unsigned rank);
void pr_run_status(pr_run *r); /* SIGUSR2: tells how things stand */

/* The time since goes to the job that was at hand. */
void pr_run_charge(pr_run *r, uint64_t since_ns);
void pr_run_event(pr_run *r, pr_event_kind kind, int32_t rank, uint32_t job, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
#endif
