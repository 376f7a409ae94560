/* A run as rank 0 sees it: what its parts (run_*.c) share. One thread. */
#ifndef PR_CLUSTER_RUN_H
#define PR_CLUSTER_RUN_H
#include "cluster/cluster.h"
#include "cluster/keeper.h"
#include "cluster/progress.h"
#include "cluster/roll.h"
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

/* ---- run_tasks.c: what ranks are given ---- */
PR_MUST_CHECK pr_status pr_run_hand_out(pr_run *r, bool *busy, pr_error *err);
PR_MUST_CHECK pr_status pr_run_notices(pr_run *r, bool *busy, pr_error *err);
/* Tells every rank to give up what it proves. */
PR_MUST_CHECK pr_status pr_run_cancel_all(pr_run *r, pr_error *err);

/* ---- run_ranks.c: ranks come and go ---- */
PR_MUST_CHECK pr_status pr_run_watch_ranks(pr_run *r, pr_error *err);
PR_MUST_CHECK pr_status pr_run_heard(pr_run *r, unsigned rank, pr_error *err);
void pr_run_ready(pr_run *r, unsigned rank, const pr_wire_ready *ready);
void pr_run_status(pr_run *r); /* SIGUSR2: tells how things stand */

/* The time since goes to the job that was at hand. */
void pr_run_charge(pr_run *r, uint64_t since_ns);
void pr_run_event(pr_run *r, pr_event_kind kind, int32_t rank, uint32_t job, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
#endif
