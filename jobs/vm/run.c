#include "vm/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pr_hash pr_vm_input_digest(const uint32_t *words, size_t n) {
    pr_blake2s h;
    pr_blake2s_init_domain(&h, "proverun-vm-input/1");
    for (size_t k = 0; k <= n; k++) {
        uint32_t v = k ? words[k - 1] : (uint32_t)n;
        const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
        pr_blake2s_update(&h, bytes, sizeof bytes);
    }
    return pr_blake2s_final(&h);
}

static pr_status copy_inputs(pr_vm_public *s, const uint32_t *inputs, size_t n, pr_error *err) {
    s->inputs = malloc((n + 1) * sizeof *inputs);
    if (!s->inputs) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the inputs");
    if (n) memcpy(s->inputs, inputs, n * sizeof *inputs);
    s->n_inputs = (uint32_t)n;
    return PR_OK;
}

static pr_status execute(pr_vm_run *run, pr_vm_machine *m, uint32_t max_steps, pr_error *err) {
    pr_vm_public *s = &run->statement;
    PR_TRY(pr_vm_machine_run(m, max_steps, err));
    PR_TRY(pr_vm_machine_outputs(&s->outputs, &s->n_outputs, m, err));
    s->n_steps = m->n_steps;
    s->end = m->end;
    PR_TRY(pr_vm_trace_init_take(&run->trace, m, s, err));
    run->has_trace = true;
    return PR_OK;
}

/* What follows from the statement. */
static pr_status derive(pr_vm_run *run, pr_error *err) {
    PR_TRY(pr_vm_program_digest(&run->program_digest, &run->statement.program, err));
    run->input_digest = pr_vm_input_digest(run->statement.inputs, run->statement.n_inputs);
    return pr_vm_air(&run->air, &run->statement, err);
}

static pr_status init(pr_vm_run *run, const uint32_t *inputs, size_t n, uint32_t max_steps, pr_error *err) {
    pr_vm_machine m = {0};
    PR_TRY(pr_vm_machine_init(&m, &run->statement.program, inputs, n, err));
    m.records = true;
    pr_status status = copy_inputs(&run->statement, inputs, n, err);
    if (status == PR_OK) status = execute(run, &m, max_steps, err);
    pr_vm_machine_clear(&m);
    return status == PR_OK ? derive(run, err) : status;
}

void pr_vm_job_clear(pr_job_instance *job) {
    pr_air_destroy(job->run.air);
    pr_vm_trace_clear(&job->run.trace);
    pr_vm_public_clear(&job->run.statement);
}

pr_status pr_vm_job_load_take(pr_job_instance *job, pr_vm_program *program, const uint32_t *inputs, size_t n_inputs,
                              uint32_t max_steps, pr_error *err) {
    job->run.statement.program = *program;
    *program = (pr_vm_program){0};
    return init(&job->run, inputs, n_inputs, max_steps, err);
}

pr_status pr_vm_job_load_public(pr_job_instance *job, const pr_params *params, const void *public_data, size_t size,
                                pr_error *err) {
    (void)params;
    PR_TRY(pr_vm_public_read(&job->run.statement, public_data, size, err));
    return derive(&job->run, err);
}

const pr_air *pr_vm_job_air(const pr_job_instance *job) { return job->run.air; }

void pr_vm_job_write_public(const pr_job_instance *job, pr_writer *out) {
    pr_vm_public_write(out, &job->run.statement);
}

pr_status pr_vm_job_public_terms(const pr_job_instance *job, pr_statement *st, pr_error *err) {
    return pr_vm_public_terms(st, &job->run.statement, err);
}

/* The words, up to what a value holds; then how many are left out. */
static void print_words(char *out, size_t size, const uint32_t *words, uint32_t n) {
    enum { REST = 24 }; /* room for a word, or for what tells the rest */
    size_t at = 0;
    out[0] = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (at + 2 * REST > size && k + 1 < n) {
            snprintf(out + at, size - at, " and %u more", n - k);
            return;
        }
        at += (size_t)snprintf(out + at, size - at, "%s%u", k ? " " : "", words[k]);
    }
}

size_t pr_vm_job_outputs(const pr_job_instance *job, pr_output *out, size_t capacity) {
    const pr_vm_run *run = &job->run;
    const pr_vm_public *s = &run->statement;
    pr_output all[5] = {
        {.name = "program"}, {.name = "input"}, {.name = "end"}, {.name = "steps"}, {.name = "outputs"}};
    pr_hex_encode(all[0].value, run->program_digest.bytes, sizeof run->program_digest.bytes);
    pr_hex_encode(all[1].value, run->input_digest.bytes, sizeof run->input_digest.bytes);
    snprintf(all[2].value, sizeof all[2].value, "%s", pr_vm_end_name(s->end));
    snprintf(all[3].value, sizeof all[3].value, "%u", s->n_steps);
    print_words(all[4].value, sizeof all[4].value, s->outputs, s->n_outputs);
    size_t n = sizeof all / sizeof *all;
    for (size_t k = 0; k < n && k < capacity; k++) out[k] = all[k];
    return n;
}

pr_status pr_vm_job_trace(const pr_job_instance *job, uint32_t component, pr_m31 *const *columns, pr_job_order order,
                          unsigned n_threads, pr_error *err) {
    const pr_vm_run *run = &job->run;
    pr_vm_component which = pr_vm_component_at(&run->statement, component);
    PR_ASSERT(which < PR_VM_COMPONENTS);
    if (!run->has_trace) return pr_fail(err, PR_ERR_INTERNAL, "no trace of a program's run from public data alone");
    pr_vm_trace_fill(columns, order, which, &run->trace, &run->statement, n_threads);
    return PR_OK;
}
