/* The prover child of a rank, seen from its supervisor: a process of the same program that proves, so that a crash, a
 * kill for memory, a sticky device error or a hang costs one attempt at one job and never the rank.
 *
 *   pr_child *c = NULL;
 *   PR_TRY(pr_child_create(&c, &options, &err));
 *   PR_TRY(pr_child_start(c, &err));                     // any time, also before MPI_Init
 *   PR_TRY(pr_child_give_manifest(c, &manifest, &err));  // kept for restarts
 *   for (;;) {
 *       struct pollfd fds[PR_CHILD_MAX_FDS];
 *       size_t n = pr_child_fds(c, fds);
 *       poll(fds, n, pr_child_timeout_ms(c));            // or at least every that many ms, beside other work
 *       pr_child_event e;
 *       while (pr_child_poll(c, &e) != PR_CHILD_NONE) {
 *           if (e.kind == PR_CHILD_READY) ... pr_child_submit(c, &task, &err) ...
 *           if (e.kind == PR_CHILD_PROVED) ... pr_work_check(..., &e.record, ...) ...
 *           if (e.kind == PR_CHILD_ENDED) ... the job of e.job is lost if e.has_job; pr_child_start(c, &err) ...
 *           pr_child_event_clear(&e);
 *       }
 *   }
 *   pr_child_destroy(c);
 *
 * One job at a time is at hand; a few more may be submitted meanwhile, so that the child never waits for its next one.
 * Answers come in order. After a FAILED one, those submitted before it was heard of come back as UNBEGUN; what has not
 * been answered when the child ends is lost with it. Whether a job is tried again, and on what, is the caller's: this
 * module reports and can restart.
 *
 *   CREATED/ENDED --start--> STARTING --READY--> IDLE --submit--> BUSY --the last answer--> IDLE
 *                                \___________________ any: ENDED (once a start) ____________________/
 *
 * Nothing here blocks but pr_child_destroy (at most a few seconds). Descriptors are close-on-exec; nothing raises
 * SIGPIPE; the process is reaped by its pid alone, so other children of the program and SIGCHLD are left alone. The
 * child ignores SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 (Slurm sends them to every process of a step) and dies
 * with its supervisor. Its environment lacks OMPI_*, PMIX_* and PMI_*: nothing in it can start MPI by accident.
 *
 * What the child sends is decoded as untrusted: frames and lengths are bounded, proofs must lie in sealed memory, an
 * answer must be for the job that was asked. A child that breaks a rule is killed (PR_CHILD_BROKE_PROTOCOL). That a
 * record decodes says nothing about its truth: verify it (work/work.h), and set what the manifest says of the job.
 *
 * One thread uses a handle at a time. Start children from a thread that lives as long as the process (the main
 * thread): the kernel ties a child to the thread that made it, and kills it when that thread ends. */
#ifndef PR_CHILD_CHILD_H
#define PR_CHILD_CHILD_H
#include "base/log.h"
#include "store/record.h"
#include "work/line.h"
#include <poll.h>
#include <sys/types.h>

#define PR_CHILD_MAX_FDS 2
#define PR_CHILD_MOST_TASKS (PR_WORK_MOST_NEXT + 1) /* at hand, and after it */

typedef struct pr_child_options { /* texts are copied */
    const char *program;          /* NULL: this program itself (/proc/self/exe) */
    const char *const *arguments; /* after the program's name, NULL-terminated; NULL: "child" (src/app/child.c). The
                                     supervisor's pid, and place if there is one, follow */
    const char *backend;          /* name for the child to look up, e.g. "auto" */
    unsigned threads;             /* for proving; 0: all that it may use */
    size_t max_bytes;             /* a job whose plan needs more is refused there; 0: what the machine has */
    size_t max_device_bytes;      /* of a proof on a device: its columns are streamed beyond it; 0: no limit */
    size_t share_bytes;           /* of all proofs that are made at a time, on the host; 0: max_bytes */
    size_t memory_limit_bytes;    /* hard: RLIMIT_DATA (heap and writable private mappings, not address space, which GPU
                                     drivers reserve freely); 0: none */
    int rank;                     /* for records and log lines */
    const char *host;
    /* pr_place_format's text (placement/placement.h), applied by the child before it loads anything else; its threads
     * and memory go into threads and max_bytes above. NULL: as the calling thread. */
    const char *place;
    pr_log_format log;       /* of its lines on standard error */
    uint64_t ready_limit_ms; /* from start, or a new manifest, to READY; 0: 120,000 */
} pr_child_options;

typedef struct pr_child_manifest { /* what the run's manifest is: job indices mean its jobs */
    const char *path, *base_dir, *text;
    size_t text_size;
    pr_hash digest;     /* of text */
    pr_hash run_digest; /* what commitments bind (pr_work.manifest_digest) */
} pr_child_manifest;

typedef struct pr_child_task {
    uint32_t job, attempt; /* echoed in events */
    bool cpu_only;         /* not on the device, whatever the backend */
    /* Jobs that may come after it, in order: on a device the child may begin their proofs meanwhile. No promise. */
    uint32_t n_next, next[PR_WORK_MOST_NEXT];
    uint64_t fault;    /* for test builds (child/serve.h); else ignored */
    uint64_t quiet_ms; /* killed as hung when it shows no progress for so long once it is at hand; 0: never. A stage of
                          the prover is one step of progress, so derive it from the time of the longest stage */
} pr_child_task;

typedef enum pr_child_event_kind {
    PR_CHILD_NONE,     /* nothing now */
    PR_CHILD_READY,    /* has the manifest and takes jobs: n_jobs */
    PR_CHILD_UNREADY,  /* cannot work: status, text (manifest does not parse, no such backend). It lives; a new manifest
                          or a stop may follow */
    PR_CHILD_PROGRESS, /* job, attempt, stage, step: the latest ones. No descriptor tells of it (beat.h) */
    PR_CHILD_PROVED,   /* job, attempt, record with its proof; not yet verified by anybody but the child */
    PR_CHILD_FAILED,   /* job, attempt, status, text; record: how far it came, no proof. The child takes the next job */
    PR_CHILD_UNBEGUN,  /* job, attempt: submitted before the one that failed was heard of. Submit it again, or not */
    PR_CHILD_ENDED     /* the process is gone: cause, text; has_job with job, attempt, stage: that attempt is lost */
} pr_child_event_kind;

typedef enum pr_child_cause {
    PR_CHILD_STOPPED,        /* as asked (pr_child_stop), in time */
    PR_CHILD_KILLED,         /* by pr_child_kill, or it outlived the grace of pr_child_stop */
    PR_CHILD_HUNG,           /* no progress within quiet_ms, or not ready in time; killed here */
    PR_CHILD_BROKE_PROTOCOL, /* sent what it must not; killed here */
    PR_CHILD_EXITED,         /* by itself: code */
    PR_CHILD_SIGNALLED,      /* by a signal that did not come from here: code is the signal */
    PR_CHILD_OUT_OF_MEMORY   /* SIGKILL, and the kernel counted an out-of-memory kill in the child's cgroup, or on this
                                machine, since the start of the child */
} pr_child_cause;
const char *pr_child_cause_name(pr_child_cause cause); /* "stopped", "killed", "hung", ... */

typedef struct pr_child_event {
    pr_child_event_kind kind;
    uint32_t n_jobs;
    bool has_job;          /* always so for PROGRESS, PROVED, FAILED, UNBEGUN */
    uint32_t job, attempt; /* of the task that is, or was, at hand */
    uint32_t stage, step;  /* pr_work_stage_name; step counts signs of progress since the task began */
    pr_status status;      /* READY, PROVED: PR_OK */
    pr_child_cause cause;
    int code;         /* exit code or signal */
    uint64_t busy_ns; /* since the task was at hand; 0 without a task */
    bool reaped;      /* false: it did not die of SIGKILL within 10 s (it hangs in the kernel); it is reaped later,
                         and cannot be started again before */
    char text[512];   /* one line for people and the job's history */
    pr_record record; /* owned by the event; move it out by copying and zeroing this one */
} pr_child_event;
void pr_child_event_clear(pr_child_event *event);

typedef enum pr_child_state {
    PR_CHILD_CREATED,
    PR_CHILD_STARTING, /* until READY */
    PR_CHILD_IDLE,
    PR_CHILD_BUSY,
    PR_CHILD_ENDING, /* stopping or killed; ENDED follows */
    PR_CHILD_GONE    /* after ENDED */
} pr_child_state;

typedef struct pr_child pr_child;

/* Starts nothing. PR_ERR_MEMORY; PR_ERR_USAGE: a name that is too long (backend 31 bytes, host 63). */
PR_MUST_CHECK pr_status pr_child_create(pr_child **out, const pr_child_options *options, pr_error *err);
/* In state CREATED or GONE. With a manifest given before, READY follows; else after pr_child_give_manifest.
 * PR_ERR_BACKEND with the reason; the state is unchanged then. */
PR_MUST_CHECK pr_status pr_child_start(pr_child *child, pr_error *err);
/* Copied, and sent again after each restart. A further one replaces the first; not while BUSY or ENDING. READY follows
 * when the child runs. PR_ERR_MEMORY, PR_ERR_USAGE (a path above 4,095 bytes or a text above 16 MiB). */
PR_MUST_CHECK pr_status pr_child_give_manifest(pr_child *child, const pr_child_manifest *manifest, pr_error *err);
/* Whether it takes a task now: IDLE, or BUSY with fewer than PR_CHILD_MOST_TASKS. */
bool pr_child_takes_task(const pr_child *child);
/* PR_ERR_BACKEND: it takes none. If the child turns out to be gone or broken, ENDED follows. */
PR_MUST_CHECK pr_status pr_child_submit(pr_child *child, const pr_child_task *task, pr_error *err);
/* The next event, which the caller clears. Call until PR_CHILD_NONE, whenever a descriptor is ready and at least every
 * pr_child_timeout_ms: limits are watched and the process is reaped here. */
pr_child_event_kind pr_child_poll(pr_child *child, pr_child_event *event);
/* Descriptors to poll for reading, and their events; 0 .. PR_CHILD_MAX_FDS. They change at each start and event. */
size_t pr_child_fds(const pr_child *child, struct pollfd fds[PR_CHILD_MAX_FDS]);
/* Within what time pr_child_poll must be called again whatever the descriptors say; -1: none. */
int pr_child_timeout_ms(const pr_child *child);
/* Asks it to end after the jobs it has, and kills it after grace_ms (0: at once). ENDED follows; results that come
 * before are still reported. Nothing to do in CREATED, ENDING by a kill, and GONE. */
void pr_child_stop(pr_child *child, uint64_t grace_ms);
/* Kills its process group now; why becomes the event's text ("time limit of 10 min"). What it sent before and was not
 * polled yet is dropped. */
void pr_child_kill(pr_child *child, const char *why);
pr_child_state pr_child_get_state(const pr_child *child);
pid_t pr_child_pid(const pr_child *child);       /* 0 when there is none */
uint32_t pr_child_starts(const pr_child *child); /* how often it was started */
/* Kills, reaps (waits for 5 s at most) and frees. NULL allowed. */
void pr_child_destroy(pr_child *child);
#endif
