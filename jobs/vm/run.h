/* One run of a program as an instance of a job type: what vm, generic_compute and data_pipeline have in common. Their
 * instances are this one; each has a pr_job_type of its own, whose functions but load and size are those below. */
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

/* The instance of the job types on the VM. */
struct pr_job_instance {
    pr_vm_run run;
};

/* The functions of pr_job_type that do not read parameters. */
#define PR_VM_JOB_FUNCTIONS                                                                                            \
    .instance_bytes = sizeof(pr_job_instance), .clear = pr_vm_job_clear, .air = pr_vm_job_air,                         \
    .write_public = pr_vm_job_write_public, .outputs = pr_vm_job_outputs, .load_public = pr_vm_job_load_public,        \
    .trace = pr_vm_job_trace, .fills_storage = true, .public_terms = pr_vm_job_public_terms

/* Takes over the program (its arrays are the instance's afterwards, whatever the status) and runs it. PR_ERR_INPUT: it
 * does not end within max_steps. */
PR_MUST_CHECK pr_status pr_vm_job_load_take(pr_job_instance *job, pr_vm_program *program, const uint32_t *inputs,
                                            size_t n_inputs, uint32_t max_steps, pr_error *err);
/* Functions of pr_job_type. */
void pr_vm_job_clear(pr_job_instance *job);
pr_status pr_vm_job_load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                                pr_error *err);
const pr_air *pr_vm_job_air(const pr_job_instance *job);
void pr_vm_job_write_public(const pr_job_instance *job, pr_writer *out);
/* program, input (digests), end, steps, outputs (as many as there is room for). */
size_t pr_vm_job_outputs(const pr_job_instance *job, pr_output *out, size_t capacity);
pr_status pr_vm_job_trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                          unsigned n_threads, pr_error *err);
pr_status pr_vm_job_public_terms(const pr_job_instance *job, pr_statement *st, pr_error *err);

/* BLAKE2s-256 in the domain "proverun-vm-input/1" of the count (u32) and the words (u32, little-endian). */
pr_hash pr_vm_input_digest(const uint32_t *words, size_t n);
#endif
