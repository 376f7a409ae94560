/* A thread that verifies proofs of other ranks while this rank's child proves. The queue is bounded. */
#ifndef PR_CLUSTER_EXAMINER_H
#define PR_CLUSTER_EXAMINER_H
#include "cluster/wire.h"
#include "work/work.h"

#define PR_EXAMINER_MAX 4u /* proofs that wait or are verified */

typedef struct pr_examiner pr_examiner;

PR_MUST_CHECK pr_status pr_examiner_create(pr_examiner **out, pr_error *err);
/* Waits for the verification that runs. NULL allowed. */
void pr_examiner_destroy(pr_examiner *e);
/* work and job must stay until the verdict is taken. Takes the record's contents, and empties it, when it returns true;
 * false: the queue is full. */
bool pr_examiner_give(pr_examiner *e, const pr_work *work, const pr_manifest_job *job, const pr_wire_task *task,
                      pr_record *record);
bool pr_examiner_take(pr_examiner *e, pr_wire_verdict *verdict);
int pr_examiner_fd(const pr_examiner *e); /* readable when there is a verdict to take */
bool pr_examiner_is_idle(pr_examiner *e); /* nothing waits, runs or is to be taken */
void pr_examiner_finish(pr_examiner *e);  /* drops what waits and all verdicts, waits for what runs */
#endif
