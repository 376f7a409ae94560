/* One run of a program as an instance of a job type: what vm, generic_compute and data_pipeline have in common. */
#ifndef PR_JOBS_VM_RUN_H
#define PR_JOBS_VM_RUN_H
#include "air/job_type.h"
#include "vm/trace.h"

typedef struct pr_vm_run {
    pr_vm_public statement;
    pr_vm_trace trace; /* empty in a run made for verification */
    bool has_trace;
    pr_hash program_digest, input_digest;
    pr_air *air;
} pr_vm_run;

/* Takes over the program (its arrays are gone afterwards, whatever the status) and runs it. PR_ERR_INPUT: it does not
 * end within max_steps. */
PR_MUST_CHECK pr_status pr_vm_run_init_take(pr_vm_run *run, pr_vm_program *program, const uint32_t *inputs,
                                            size_t n_inputs, uint32_t max_steps, pr_error *err);
/* From what pr_vm_run_write wrote. PR_ERR_MALFORMED. */
PR_MUST_CHECK pr_status pr_vm_run_restore(pr_vm_run *run, const void *public_data, size_t size, pr_error *err);
void pr_vm_run_clear(pr_vm_run *run);

void pr_vm_run_write(pr_writer *out, const pr_vm_run *run);
/* program, input (digests), end, steps, outputs (as many as there is room for); count. */
size_t pr_vm_run_outputs(const pr_vm_run *run, pr_output *out, size_t capacity);
PR_MUST_CHECK pr_status pr_vm_run_trace(const pr_vm_run *run, pr_job_order order, uint32_t component,
                                        pr_m31 *const *columns, unsigned n_threads, pr_error *err);
/* A size for scheduling: components as large as max_steps and n_words (of input, output and data) can make them. */
pr_job_size pr_vm_run_size(uint64_t max_steps, uint64_t n_words);
/* BLAKE2s-256 in the domain "proverun-vm-input/1" of the count (u32) and the words (u32, little-endian). */
pr_hash pr_vm_input_digest(const uint32_t *words, size_t n);
/* The file that a job of `type` names as its program. PR_ERR_INPUT: it cannot be read, or is no program. */
PR_MUST_CHECK pr_status pr_vm_load_program_file(pr_vm_program *out, const pr_params *params, const char *path,
                                                const char *type, pr_error *err);
/* The file's words, as vm/input.h reads them; the caller frees them. */
PR_MUST_CHECK pr_status pr_vm_load_input_file(uint32_t **words, size_t *n, const pr_params *params, const char *path,
                                              const char *type, pr_error *err);
/* What a manifest names that is not what it should be is an input that is wrong: PR_ERR_MALFORMED becomes
 * PR_ERR_INPUT. */
pr_status pr_vm_as_input_error(pr_status status, pr_error *err);
#endif
