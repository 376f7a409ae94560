/* Jobs of one rank on a device's backend, several at a time: a job whose turn is likely to come soon is begun ahead, in
 * a thread with a prover and a stream of its own, so that one proof's kernels run while another one waits for the host,
 * and small proofs fill the device together. Whatever their AIRs and configurations; a thread keeps its prover for the
 * next job of the same kind.
 *
 * Memory: the plans of all provers that are there, those kept too, stay below what the rank may have on the device and
 * on the host (pr_work). Who finds no room waits, in the order of the turns; idle provers are given up for it, so a
 * single proof always goes on. Nothing waits while it holds memory that another one waits for.
 *
 * What was begun ahead counts for nothing until its turn comes: then its stages are told, all at once for those that
 * are behind it, and its record is that of the attempt, with the times that it really took. A failure is the attempt's
 * then; a lack of memory is not, as long as it may be due to the others: the job is proven again, alone. A job that is
 * no longer spoken of ends at its prover's next step.
 *
 * On other backends, and when nothing is to come, an attempt is made by the calling thread. One thread uses a line. */
#ifndef PR_WORK_LINE_H
#define PR_WORK_LINE_H
#include "work/work.h"

#define PR_WORK_MOST_NEXT 3 /* begun ahead beside an attempt */

typedef struct pr_work_line pr_work_line;
PR_MUST_CHECK pr_status pr_work_line_create(pr_work_line **out, pr_error *err);
void pr_work_line_destroy(pr_work_line *line); /* NULL allowed */
/* Ends what was begun ahead, each at its next step, and gives all memory back: before the manifest goes. */
void pr_work_line_reset(pr_work_line *line);
/* As pr_work_prove_watched. next [n_next]: the jobs that are likely to come, in order, of the same manifest, which must
 * live until the line is reset, as must what work points to. Others than those may follow. None: nothing is begun
 * ahead, and nothing is kept. */
PR_MUST_CHECK pr_status pr_work_prove_in_line(pr_record *record, pr_work_line *line, const pr_work *work,
                                              const pr_manifest_job *job, const pr_manifest_job *const *next,
                                              size_t n_next, const pr_work_watch *watch, pr_error *err);
#endif
