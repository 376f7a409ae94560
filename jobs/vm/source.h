/* The parameters that the job types on the VM share: where the program comes from, and how long it may run; the inputs'
 * are those of gadgets/number_source.h. A type offers those of them that are in its list. */
#ifndef PR_JOBS_VM_SOURCE_H
#define PR_JOBS_VM_SOURCE_H
#include "air/job_type.h"
#include "gadgets/number_source.h"
#include "vm/isa.h"

#define PR_VM_PARAM_PROGRAM                                                                                            \
    { "program", PR_PARAM_PATH, false, NULL, 0, 0, "a file of assembler text, or what `proverun vm asm` wrote" }
#define PR_VM_PARAM_CODE                                                                                               \
    { "code", PR_PARAM_TEXT, false, NULL, 0, 0, "assembler text instead of a program's file" }
#define PR_VM_PARAM_MAX_STEPS                                                                                          \
    {                                                                                                                  \
        "max_steps", PR_PARAM_UINT, false, "65536", 1, PR_VM_MAX_STEPS,                                                \
            "steps after which the job fails; memory and time are planned for as many"                                 \
    }

/* From program or code, of which the type's rules take one. PR_ERR_INPUT: unreadable, or no program. */
PR_MUST_CHECK pr_status pr_vm_source_program(pr_vm_program *out, const pr_job_type *type, const pr_params *params,
                                             pr_error *err);
/* pr_numbers_from_params, of words. */
PR_MUST_CHECK pr_status pr_vm_source_inputs(uint32_t **words, size_t *n, const pr_job_type *type,
                                            const pr_params *params, pr_error *err);
/* The instance from both; for pr_job_type's load. */
PR_MUST_CHECK pr_status pr_vm_source_load(pr_job_instance *job, const pr_job_type *type, const pr_params *params,
                                          pr_error *err);
/* How many inputs there are, for a plan (pr_numbers_count). */
PR_MUST_CHECK pr_status pr_vm_source_count(uint64_t *n, const pr_job_type *type, const pr_params *params,
                                           pr_error *err);
/* For pr_job_type's size: of a run of max_steps steps (size.h). Of files only the program's is read. */
PR_MUST_CHECK pr_status pr_vm_source_size(pr_job_size *out, const pr_job_type *type, const pr_params *params,
                                          pr_error *err);
/* For pr_job_type's try_size: of the run itself, of at most 2^20 steps; not over columns of HDF5 files. */
PR_MUST_CHECK pr_status pr_vm_source_try_size(pr_job_size *out, const pr_job_type *type, const pr_params *params,
                                              uint64_t *effort, pr_error *err);
/* As _size, of a program that is there. */
PR_MUST_CHECK pr_status pr_vm_program_size(pr_job_size *out, const pr_vm_program *program, uint64_t max_steps,
                                           uint64_t n_inputs, pr_error *err);
#endif
