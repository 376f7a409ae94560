/* How large the proof of a program's run will be, from the program alone: what a scheduler needs before anything is
 * run.
 *
 * A line outside of loops runs once. The steps that are left up to max_steps go to the loops, sixteen times as often to
 * a loop within a loop; or all of them to a HASH whose number of words is in a register, if that takes more memory. So
 * the estimate is right for a program that takes max_steps steps, most of them where its loops are innermost or its
 * MATMUL and HASH are large; a program of no loops is known. Tests hold memory within a tenth for such programs. */
#ifndef PR_JOBS_VM_SIZE_H
#define PR_JOBS_VM_SIZE_H
#include "air/job_type.h"
#include "vm/layout.h"

/* Rows in use of the components that depend on the run; the others are 0. */
typedef struct pr_vm_rows {
    double n[PR_VM_COMPONENTS];
} pr_vm_rows;

/* n_inputs: words of input, which have a row each whether they are read or not. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_vm_expect_rows(pr_vm_rows *out, const pr_vm_program *program, uint64_t max_steps,
                                          uint64_t n_inputs, pr_error *err);
/* Of a run, by running it: *steps are the most that it may take, then those that it took, a word of input counted as
 * one, also where it fails. PR_ERR_INPUT: it takes more, or ends as no job may; PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_vm_count_rows(pr_vm_rows *out, const pr_vm_program *program, const uint32_t *inputs,
                                         size_t n_inputs, uint64_t *steps, pr_error *err);
/* Of a run with so many rows: its cells are exactly those of the AIR. */
pr_job_size pr_vm_size_of_rows(const pr_vm_program *program, const pr_vm_rows *rows);
#endif
