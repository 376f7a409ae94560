/* The prover: plans memory, then runs the protocol on a backend. protocol.md sections 7-13.
 *
 *   pr_prover_create (plans, maps memory) -> pr_prover_run, any number of times -> pr_prover_destroy
 * One thread drives a prover. After create nothing is allocated but the proof itself, and lists of times where the
 * device is measured. */
#ifndef PR_PROVE_PROVE_H
#define PR_PROVE_PROVE_H
#include "backend/backend.h"
#include "proof/proof.h"
#include "transcript/channel.h"
#include <stdatomic.h>

typedef enum pr_stage {
    PR_STAGE_TRACE,
    PR_STAGE_EXTEND,
    PR_STAGE_MERKLE,
    PR_STAGE_LOOKUPS,
    PR_STAGE_COMPOSITION,
    PR_STAGE_SAMPLES,
    PR_STAGE_QUOTIENTS,
    PR_STAGE_FRI,
    PR_STAGE_GRIND,
    PR_STAGE_OPEN,
    PR_STAGE_COUNT
} pr_stage;
const char *pr_stage_name(pr_stage stage);

typedef struct pr_stage_times {
    uint64_t ns[PR_STAGE_COUNT], total_ns;
} pr_stage_times;

typedef struct pr_plan {
    size_t arena_bytes, workspace_bytes, host_bytes;
    size_t pinned_bytes; /* of the host, beside far columns: through which a device's copies go */
    size_t total_bytes;  /* predicted peak of the proof's memory on the host */
    size_t device_bytes; /* the same on the device: arena and workspace, where the backend is a device's; else 0 */
    size_t far_bytes;    /* of the arena: columns that lie on the host because of max_device_bytes, and are streamed */
    size_t phase_bytes[PR_STAGE_COUNT]; /* live bytes in the arena in each phase */
} pr_plan;

typedef struct pr_trace_source {
    void *context;
    bool storage_order; /* columns come in storage order; else in row order */
    /* columns[k]: 1 << log_size words to fill; NULL: the backend derives them (pr_air_component, n_derived). */
    pr_status (*fill)(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads, pr_error *err);
} pr_trace_source;

typedef struct pr_prover_options {
    const pr_backend *backend;
    unsigned n_threads; /* 0: all */
    size_t max_bytes;   /* refuse plans above this on the host; 0: what the machine has available */
    /* Of a device's memory, for all that the proof has there; 0: no limit. A plan that needs more keeps its columns on
     * the host and streams them, and is refused only if that does not fit either. Without effect on backends whose
     * memory is the host's. */
    size_t max_device_bytes;
    /* pr_air_digest of the layout's AIR: the tree of its preprocessed columns, and what lookups read of them, stay in
     * the prover's memory for runs of AIRs with the same digest. NULL: they are made in every run. */
    const pr_hash *air_digest;
    /* On the processor's backends: where the prover's memory comes from, and goes to when it is destroyed; it must live
     * longer. NULL: fresh memory. */
    pr_arena_keep *memory;
    /* Asked once the plan is made, before the device's memory is taken; what it returns other than PR_OK is
     * pr_prover_create's. NULL: nobody is asked. */
    pr_status (*admit)(void *context, const pr_plan *plan, pr_error *err);
    void *admit_context;
} pr_prover_options;

/* Told whenever a stage begins, from the thread that drives the prover; a stage begins more than once. */
typedef void (*pr_stage_listener)(void *context, pr_stage stage);

/* What the device says of each stage: its time between events, from the beginning of a stage to that of the next one,
 * waits for the host included; and the bytes that its kernels moved (backend.h, pr_meter). */
typedef struct pr_device_times {
    uint64_t ns[PR_STAGE_COUNT], moved_bytes[PR_STAGE_COUNT];
} pr_device_times;

typedef struct pr_prover pr_prover;
PR_MUST_CHECK pr_status pr_prover_plan(pr_plan *plan, const pr_layout *layout, const pr_prover_options *options,
                                       pr_error *err);
PR_MUST_CHECK pr_status pr_prover_create(pr_prover **out, const pr_layout *layout, const pr_prover_options *options,
                                         pr_error *err);
void pr_prover_destroy(pr_prover *prover);
const pr_plan *pr_prover_get_plan(const pr_prover *prover); /* borrowed */
/* From the next run on; listener NULL: nobody. */
void pr_prover_set_stage_listener(pr_prover *prover, pr_stage_listener listener, void *context);
/* A run that finds *stop true, between two of its steps, ends there: PR_ERR_INTERRUPTED. NULL: none does. */
void pr_prover_set_stop(pr_prover *prover, const atomic_bool *stop);
/* From the next run on, the device's figures of each run go to times, which must serve that long; NULL: no more. False:
 * the backend has none. */
bool pr_prover_measure_device(pr_prover *prover, pr_device_times *times);
/* pr_meter's, between runs of a prover that can be measured. */
PR_MUST_CHECK pr_status pr_prover_measure_copies(pr_prover *prover, double *bytes_a_second, pr_error *err);
/* The next run proves another statement of the same AIR and configuration; only the values of preprocessed columns may
 * be others, which the AIR's digest tells (NULL where pr_prover_create had none). layout must serve until another one
 * is set, or the prover is destroyed. */
void pr_prover_set_layout(pr_prover *prover, const pr_layout *layout, const pr_hash *air_digest);
/* proof is the caller's to clear. listener may be NULL (transcript listing). times may be NULL. */
PR_MUST_CHECK pr_status pr_prover_run(pr_prover *prover, pr_proof *proof, const pr_trace_source *source,
                                      pr_stage_times *times, pr_channel_listener listener, void *listener_context,
                                      pr_error *err);
#endif
