/* Jobs one after another in one process, on a device's backend: while one is proven, a thread reads the inputs of the
 * next, builds its statement and makes its trace, which is copied to the device beside the kernels (prove/prove.h).
 * That takes two jobs of the same AIR and configuration, whose proofs one prover makes; where the next job is of
 * another kind, only its inputs are read ahead. Elsewhere, and without a word of what comes next, each attempt is made
 * by itself. What fails of the next job is told when its turn comes. One thread uses a line. */
#ifndef PR_WORK_LINE_H
#define PR_WORK_LINE_H
#include "job/job.h"
#include "work/work.h"

struct pr_work_line;

/* The job of an attempt, which the line owns: read ahead, or now. */
PR_MUST_CHECK pr_status pr_work_line_take(pr_work_line *line, pr_job **job, const pr_manifest_job *wanted,
                                          pr_error *err);
/* Proves the job that was taken last. Where nothing is to come, the prover's memory is given back at once. */
PR_MUST_CHECK pr_status pr_work_line_prove(pr_work_line *line, pr_proof *proof, pr_plan *plan, pr_stage_times *times,
                                           const pr_work *work, const pr_manifest_job *next, pr_stage_listener listener,
                                           void *context, pr_error *err);
/* The attempt has ended. */
void pr_work_line_end(pr_work_line *line);
#endif
