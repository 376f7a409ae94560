/* Who does what next: jobs, ranks, nodes, attempts. A pure state machine: time is an argument, there is no clock, no
 * message, no file and no randomness in it, so that a run, a test and the simulation drive the very same code.
 *
 *   waiting -> queued -> proving -> proven -> verifying -> ended (done or failed)
 *    (after)     ^  ^------ attempt lost, retries left -----'
 *
 * Order: priority, then the longest way to the end of the batch first (the job's own expected time and that of what
 * waits for it), then manifest order. A job that others wait for has at least their priority.
 * Admission: the predicted host bytes of what runs on a node never exceed its budget. A job above the budget, but not
 * above the node's limit, runs alone there; one above every limit is refused. When the first job in order does not fit
 * anywhere, one node is kept free for it, and the others go on with what fits.
 * Speed: of classes of jobs and of ranks is learnt from what proofs took. A rank that is slower than the others gets no
 * job that would keep the batch waiting for it, or miss its deadline or the end of the allocation there, as long as
 * somebody else is at work.
 * Attempts: numbered from attempts_before + 1, never twice the same number for a job. A rank has at most one proving
 * task at hand and one verifying task; behind the first it may have further ones (behind_ns), which it begins in turn.
 * A job has two attempts at once only when the second is speculative: nothing else is left to hand out, and the first
 * one's rank is silent or takes slow_factor times as long as expected. The first answer that counts is the job's; later
 * ones are told apart by their hash. Verification: by another rank than the prover, wherever another verifying rank is
 * up.
 *
 *   pr_schedule_create(&s, &setup, now, err);
 *   for (;;) {
 *       while (pr_schedule_next(s, now, &task)) send(task.rank, &task);        // O(log jobs + log ranks) each
 *       while (pr_schedule_notice_take(s, &notice)) ...                         // jobs that ended without work, ...
 *       if (pr_schedule_is_over(s)) break;
 *       sleep until pr_schedule_wake_ns(s) or a message; pr_schedule_proved / _failed / _verified / _set_rank
 *   }
 *
 * Times: ns of one clock of the caller's that does not go backwards (an earlier now is taken as the latest one seen).
 * Not thread safe: one thread. Every event costs O(log jobs + log ranks), apart from the loss of a whole node and the
 * choice of a node to keep free (O(nodes)). After create nothing is allocated and nothing fails. */
#ifndef PR_SCHEDULE_SCHEDULE_H
#define PR_SCHEDULE_SCHEDULE_H
#include "base/error.h"
#include "hash/blake2s.h"

#define PR_SCHEDULE_NO_TIME UINT64_MAX /* never */
#define PR_SCHEDULE_NO_DEVICE UINT32_MAX
#define PR_SCHEDULE_NO_JOB UINT32_MAX
#define PR_SCHEDULE_NO_RANK UINT32_MAX

/* ---- what it is told at the start ---- */

typedef enum pr_schedule_past {
    PR_SCHEDULE_TO_DO,
    PR_SCHEDULE_WAS_DONE,  /* in an earlier run: satisfies what waits for it */
    PR_SCHEDULE_HAS_FAILED /* in an earlier run, not to be tried again: what waits for it fails */
} pr_schedule_past;

/* Jobs first .. first + count - 1: one job, or all of a sweep. */
typedef struct pr_schedule_range {
    uint32_t first, count;
} pr_schedule_range;

typedef struct pr_schedule_job {
    uint64_t expected_ns; /* of one attempt, as estimated; corrected by what the run measures, class by class */
    uint64_t host_bytes;  /* predicted peak of a proof on the processor */
    uint64_t device_bytes,
        device_host_bytes;    /* the same on a device: there, and beside it on the host (0: host_bytes) */
    uint64_t time_limit_ns;   /* of one attempt, enforced by the rank; 0: none */
    uint64_t deadline_ns;     /* 0: none */
    int32_t priority;         /* higher first */
    uint32_t retries;         /* attempts that may be lost by the job; then the next loss is final */
    uint32_t attempts_before; /* of earlier runs: for the numbers alone */
    uint32_t class;           /* < n_classes: jobs whose estimates err alike, such as one type's */
    pr_schedule_past past;
    uint32_t n_after;
    const pr_schedule_range *after; /* these end well before this job is handed out; read by create alone */
} pr_schedule_job;

typedef struct pr_schedule_node {
    uint64_t host_bytes;       /* budget of all proofs together */
    uint64_t host_limit_bytes; /* of a proof that runs alone; 0: host_bytes */
} pr_schedule_node;

typedef struct pr_schedule_device {
    uint64_t bytes; /* budget */
} pr_schedule_device;

typedef struct pr_schedule_rank {
    uint32_t node;   /* < n_nodes */
    uint32_t device; /* < n_devices, or PR_SCHEDULE_NO_DEVICE */
    bool proves;     /* false: a coordinator that only hands out */
    bool verifies;
    bool one_task; /* it cannot verify while it proves */
} pr_schedule_rank;

typedef enum pr_schedule_judge {
    PR_SCHEDULE_JUDGE_RANK,   /* one other rank verifies: PR_TASK_VERIFY is handed out */
    PR_SCHEDULE_JUDGE_OUTSIDE /* the caller finds the verdict (a vote) and tells it with pr_schedule_judged */
} pr_schedule_judge;

/* Zeros are replaced by the defaults. */
typedef struct pr_schedule_options {
    pr_schedule_judge judge;
    uint64_t end_ns;            /* end of the allocation; 0: none */
    uint64_t drain_margin_ns;   /* before it nothing new is handed out that would end later; default 60 s */
    uint64_t backoff_ns;        /* before the first retry; doubles with each; default 1 s */
    uint64_t backoff_max_ns;    /* default 60 s */
    uint64_t avoid_ns;          /* a job keeps off the rank it failed on for so long after the backoff; default 30 s */
    uint32_t slow_factor;       /* late in the batch, this many times the expected time is slow; default 2 */
    uint64_t slow_min_ns;       /* and at least this; default 10 s */
    uint32_t max_losses;        /* ranks that may be lost under a job before it fails; default 3 */
    uint32_t max_rank_faults;   /* attempts lost in a row on a rank before it proves no more; default 4 */
    uint32_t max_device_faults; /* failures in a row of a rank's backend before it proves on the processor; default 3 */
    uint64_t behind_ns;         /* expected work that a rank may be given behind what it is at; 0: none */
} pr_schedule_options;

/* Arrays are read by create alone. */
typedef struct pr_schedule_setup {
    size_t n_jobs;
    const pr_schedule_job *jobs;
    uint32_t n_classes; /* 0 counts as 1 */
    uint32_t n_ranks, n_nodes, n_devices;
    const pr_schedule_rank *ranks;
    const pr_schedule_node *nodes;
    const pr_schedule_device *devices;
    pr_schedule_options options;
} pr_schedule_setup;

typedef struct pr_schedule pr_schedule;

/* Every rank is up. PR_ERR_USAGE for a cycle of `after` or an index out of range, PR_ERR_MEMORY. Jobs that cannot run
 * at all (too large, a failed dependency, a deadline gone by) are notices, not errors. */
PR_MUST_CHECK pr_status pr_schedule_create(pr_schedule **out, const pr_schedule_setup *setup, uint64_t now_ns,
                                           pr_error *err);
void pr_schedule_destroy(pr_schedule *s); /* NULL allowed */

/* ---- what it hands out ---- */

typedef enum pr_task_kind { PR_TASK_NONE, PR_TASK_PROVE, PR_TASK_VERIFY } pr_task_kind;

typedef struct pr_task {
    pr_task_kind kind;
    uint32_t rank, job, attempt; /* VERIFY: the attempt whose proof counts */
    bool cpu_only;               /* PROVE: keep off the device */
    bool fallback;               /* PROVE: with the plain processor backend, not the one the rank was started with:
                                    because that is a device's and cpu_only, or because it has failed */
    bool speculative;            /* PROVE: a second attempt beside one that runs */
    bool behind;                 /* PROVE: to be begun once the rank has answered what it was given before */
    bool own_proof;              /* VERIFY: the prover itself, for no other rank can: self-verified, never approved */
    uint64_t time_limit_ns;      /* PROVE; 0: none */
    uint64_t expected_ns;        /* PROVE: corrected estimate, on this rank */
} pr_task;

/* The next task for any rank, which then has it. With behind_ns a rank that is at something, and whose last answer was
 * a proof, is given more, up to MOST_BEHIND, while the first job of the queue is short enough and needs no more memory
 * than what is at hand. A rank that fails gives back what it has not begun (PR_FAILURE_UNBEGUN). All is taken back, at
 * no cost and with a notice CANCEL for each, when the rank is not up any more, and when what is at hand takes four
 * times as long as expected and behind_ns besides, and another rank is idle. False: nothing can be handed out until an
 * event or wake_ns. */
bool pr_schedule_next(pr_schedule *s, uint64_t now_ns, pr_task *task);

/* The jobs that the rank is likely to get after what it has, in order, for it to begin them ahead: of the first ones in
 * the queue those that no other rank was told of. Until it is told anew, another rank is given them only when it can
 * take nothing else of the same priority, and the last ones first; jobs with deadlines go to whoever is there. A job is
 * told of no more once an attempt was lost on a rank that had been told of it: it may have brought its prover down.
 * Returns how many, at most `most`; 0: the rank is told of none any more. A hint assigns nothing. */
#define PR_SCHEDULE_MOST_BEHIND 15
#define PR_SCHEDULE_BEHIND_NS ((uint64_t)20 * 1000000u) /* behind_ns of runs */
#define PR_SCHEDULE_MOST_HINTS 3
uint32_t pr_schedule_hint(pr_schedule *s, uint32_t rank, uint32_t *jobs, uint32_t most);

/* ---- what it is told ---- */

/* What an answer with a proof means. */
typedef enum pr_answer {
    PR_ANSWER_COUNTS,    /* the job's proof from now on; keep it until the job's end */
    PR_ANSWER_EQUAL,     /* a second proof, the same: ignore it */
    PR_ANSWER_DIFFERENT, /* a second proof, another one: ignore it and record an event */
    PR_ANSWER_TOO_LATE,  /* the job has ended without this one: ignore it */
    PR_ANSWER_UNKNOWN    /* this rank was never given this attempt, or has answered it: ignore it and record an event */
} pr_answer;

/* A rank that was lost or slow may answer long after its attempt was given up; that counts where nothing else has. */
pr_answer pr_schedule_proved(pr_schedule *s, uint64_t now_ns, uint32_t rank, uint32_t job, uint32_t attempt,
                             const pr_hash *proof_hash);

typedef enum pr_failure {
    PR_FAILURE_JOB,        /* the job's own fault (input missing, statement refused): final */
    PR_FAILURE_ATTEMPT,    /* child crashed, hung or was killed, wrong answer: retried while retries are left */
    PR_FAILURE_TIME_LIMIT, /* the attempt ran out of its time limit: as ATTEMPT */
    PR_FAILURE_BACKEND,    /* the device or backend failed: next on the processor; the first such one costs no retry */
    PR_FAILURE_CANCELLED,  /* stopped because a notice or a drain asked for it: costs nothing */
    PR_FAILURE_MEMORY,     /* the rank had not the memory: as ATTEMPT, and the job keeps off that node's ranks first */
    PR_FAILURE_UNBEGUN     /* given back as it was: costs nothing, and the attempt's number is free again */
} pr_failure;

/* What becomes of the job. */
typedef enum pr_fate {
    PR_FATE_IGNORED, /* not what this rank was given */
    PR_FATE_RETRY,   /* it is queued again; while draining: left for a resume */
    PR_FATE_GOES_ON, /* another attempt runs or has answered */
    PR_FATE_DONE,    /* ended well: record it, then announce it */
    PR_FATE_FAILED   /* ended: record it. What waits for it ends too: notices */
} pr_fate;

pr_fate pr_schedule_failed(pr_schedule *s, uint64_t now_ns, uint32_t rank, uint32_t job, uint32_t attempt,
                           pr_failure failure);

typedef enum pr_verdict {
    PR_VERDICT_ACCEPTED,
    PR_VERDICT_REFUSED, /* the attempt is lost, as PR_FAILURE_ATTEMPT; the prover's rank is charged */
    PR_VERDICT_AGAIN,   /* its prover takes it back, for no fault in it: another attempt, which costs nothing */
    PR_VERDICT_UNABLE   /* the verifier could not tell (no memory): another is asked, three times at most */
} pr_verdict;

/* A verifying rank's answer. */
pr_fate pr_schedule_verified(pr_schedule *s, uint64_t now_ns, uint32_t rank, uint32_t job, uint32_t attempt,
                             pr_verdict verdict);
/* The verdict on a proof that counts, with PR_SCHEDULE_JUDGE_OUTSIDE. UNABLE: the attempt is lost, and nobody's fault.
 */
pr_fate pr_schedule_judged(pr_schedule *s, uint64_t now_ns, uint32_t job, uint32_t attempt, pr_verdict verdict);

typedef enum pr_rank_state {
    PR_RANK_UP,
    PR_RANK_SILENT,  /* no heartbeat: it keeps its tasks, gets none; what it verifies is asked of another */
    PR_RANK_DRAINED, /* finishes what it proves, gets no more of it, still verifies */
    PR_RANK_STOPPED, /* left in order: what it had is queued again, at no cost */
    PR_RANK_LOST     /* what it had is queued again; the job is charged with a loss. Its memory counts as free */
} pr_rank_state;

/* From LOST or STOPPED to UP only once the rank has nothing left to do (it said so); from SILENT at any time. */
void pr_schedule_set_rank(pr_schedule *s, uint64_t now_ns, uint32_t rank, pr_rank_state state);
/* From now on nothing new is proven; what was proven is still verified. Begins by itself at end - margin. */
void pr_schedule_drain(pr_schedule *s);
/* Whatever waits behind what ranks are at is queued again, with notices: for who gives up all. */
void pr_schedule_take_back(pr_schedule *s);
/* The end of the allocation has become known, or has moved. 0: none. */
void pr_schedule_set_end(pr_schedule *s, uint64_t end_ns);

/* ---- what happened without being asked ---- */

typedef enum pr_notice_kind {
    PR_NOTICE_ENDED,          /* job ended (failed) without an attempt: why */
    PR_NOTICE_CANCEL,         /* job, attempt on rank is not needed any more: tell it to stop */
    PR_NOTICE_DEVICE_DRAINED, /* rank proves on the processor from now on */
    PR_NOTICE_RANK_DRAINED,   /* rank proves no more: it has lost too many attempts in a row */
    PR_NOTICE_DRAIN           /* the end of the allocation is near: as after pr_schedule_drain */
} pr_notice_kind;

typedef enum pr_why {
    PR_WHY_NONE,
    PR_WHY_DEPENDENCY, /* `other` failed */
    PR_WHY_DEADLINE,   /* it can no longer end by its deadline */
    PR_WHY_TOO_LARGE,  /* no node has host_bytes */
    PR_WHY_LOSSES      /* too many ranks were lost under it */
} pr_why;
const char *pr_why_text(pr_why why); /* a sentence without its subject: "cannot end by its deadline" */

typedef struct pr_notice {
    pr_notice_kind kind;
    pr_why why;                         /* ENDED */
    uint32_t job, attempt, rank, other; /* other: the dependency that failed */
} pr_notice;

/* Takes the oldest notice; false: none. */
bool pr_schedule_notice_take(pr_schedule *s, pr_notice *out);

/* ---- what can be asked ---- */

typedef enum pr_schedule_phase {
    PR_JOB_WAITING, /* for other jobs */
    PR_JOB_BACKOFF,
    PR_JOB_QUEUED,
    PR_JOB_PROVING,
    PR_JOB_PROVEN, /* waits for a verifier or a verdict */
    PR_JOB_VERIFYING,
    PR_JOB_DONE,
    PR_JOB_FAILED,
    PR_JOB_PHASES
} pr_schedule_phase;

/* Nothing runs and nothing can be handed out, now or later, by what is known. Jobs that have not ended are left for a
 * resume (drain, end of the allocation, or no rank is up that could take them). */
bool pr_schedule_is_over(const pr_schedule *s);
/* When next must be called again though nothing is heard; PR_SCHEDULE_NO_TIME: never. */
uint64_t pr_schedule_wake_ns(const pr_schedule *s);
bool pr_schedule_is_draining(const pr_schedule *s);
pr_schedule_phase pr_schedule_job_phase(const pr_schedule *s, uint32_t job);
uint32_t pr_schedule_job_attempts(const pr_schedule *s,
                                  uint32_t job);                     /* number of the latest, earlier runs' included */
uint32_t pr_schedule_job_prover(const pr_schedule *s, uint32_t job); /* of the proof that counts, or NO_RANK */
size_t pr_schedule_count(const pr_schedule *s, pr_schedule_phase phase);
/* What the rank has: kind NONE when nothing. */
pr_task pr_schedule_rank_task(const pr_schedule *s, uint32_t rank, pr_task_kind kind);
pr_rank_state pr_schedule_rank_get(const pr_schedule *s, uint32_t rank);
/* When it could first have been handed out; before that, 0. */
uint64_t pr_schedule_ready_ns(const pr_schedule *s, uint32_t job);
/* Corrected by what was measured in this run. */
uint64_t pr_schedule_expected_ns(const pr_schedule *s, uint32_t job);
/* How many times longer than the others the rank has taken, by what was measured in this run; 1: like them, or not
 * known. */
double pr_schedule_rank_slowness(const pr_schedule *s, uint32_t rank);
/* Expected work that is not proven yet, over the ranks that prove, each as fast as it is: a rough time to the end. 0
 * when no rank proves. */
uint64_t pr_schedule_remaining_ns(const pr_schedule *s);
/* Elementary steps so far (of heaps, trees, lists): what tests of cost count instead of seconds. */
uint64_t pr_schedule_operations(const pr_schedule *s);
#endif
