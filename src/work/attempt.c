#include "work/attempt.h"
#include "base/clock.h"
#include "job/estimate.h"
#include "proof/proof.h"
#include "verify/verify.h"
#include <stdlib.h>
#include <string.h>

static void tell(const pr_work_watch *watch, uint32_t stage) {
    if (watch) watch->stage(watch->context, stage);
}

static void tell_prover_stage(void *context, pr_stage stage) { tell(context, PR_WORK_STAGE_PROVER + (uint32_t)stage); }

static double ms_since(uint64_t start_ns) { return (double)(pr_clock_monotonic_ns() - start_ns) / 1e6; }

static void set_stages(pr_job_row *row, const pr_stage_times *t) {
    row->trace_ms = (double)t->ns[PR_STAGE_TRACE] / 1e6;
    row->extend_ms = (double)t->ns[PR_STAGE_EXTEND] / 1e6;
    row->merkle_ms = (double)t->ns[PR_STAGE_MERKLE] / 1e6;
    row->lookups_ms = (double)t->ns[PR_STAGE_LOOKUPS] / 1e6;
    row->composition_ms = (double)t->ns[PR_STAGE_COMPOSITION] / 1e6;
    row->samples_ms = (double)t->ns[PR_STAGE_SAMPLES] / 1e6;
    row->quotients_ms = (double)t->ns[PR_STAGE_QUOTIENTS] / 1e6;
    row->fri_ms = (double)t->ns[PR_STAGE_FRI] / 1e6;
    row->grind_ms = (double)t->ns[PR_STAGE_GRIND] / 1e6;
    row->open_ms = (double)t->ns[PR_STAGE_OPEN] / 1e6;
}

/* ---- the prover ---- */

bool pr_config_equal(const pr_config *a, const pr_config *b) {
    return a->pow_bits == b->pow_bits && a->log_blowup == b->log_blowup && a->n_queries == b->n_queries &&
           a->log_last_layer_degree_bound == b->log_last_layer_degree_bound && a->fold_step == b->fold_step &&
           a->lifting_log_size == b->lifting_log_size && a->interaction_pow_bits == b->interaction_pow_bits;
}

void pr_attempts_clear(pr_attempts *kept) {
    pr_prover_destroy(kept->prover);
    kept->prover = NULL;
    pr_job_destroy(kept->job);
    kept->job = NULL;
}

static bool serves(const pr_attempts *kept, const pr_backend *backend, const pr_job *job) {
    return kept->prover && kept->backend == backend && pr_hash_equal(&kept->job->air_digest, &job->air_digest) &&
           pr_air_count_derived(kept->job->statement.air) == pr_air_count_derived(job->statement.air) &&
           pr_config_equal(&kept->job->statement.config, &job->statement.config);
}

static pr_status open_prover(pr_attempts *kept, const pr_work *work, const pr_job *job, pr_error *err) {
    const pr_prover_options options = {.backend = work->backend,
                                       .n_threads = work->threads,
                                       .max_bytes = work->max_bytes,
                                       .max_device_bytes = work->max_device_bytes,
                                       .air_digest = kept->repeats ? &job->air_digest : NULL,
                                       .memory = work->memory,
                                       .admit = kept->admit,
                                       .admit_context = kept->admit_context};
    pr_attempts_clear(kept);
    kept->backend = work->backend;
    return pr_prover_create(&kept->prover, &job->layout, &options, err);
}

/* A prover for the job, which is kept from now on, whatever comes of it. */
static pr_status have_prover(pr_attempts *kept, const pr_work *work, pr_job *job, pr_error *err) {
    pr_status status = PR_OK;
    if (serves(kept, work->backend, job))
        pr_prover_set_layout(kept->prover, &job->layout, &job->air_digest);
    else
        status = open_prover(kept, work, job, err);
    pr_job_destroy(kept->job);
    kept->job = job;
    return status;
}

/* ---- the proof, and what is made of it ---- */

static pr_status make_proof(pr_proof *proof, pr_job_row *row, pr_attempts *kept, const pr_work *work, pr_job *job,
                            const pr_work_watch *watch, pr_error *err) {
    pr_stage_times times = {0};
    pr_work_watch copy = watch ? *watch : (pr_work_watch){0};
    const pr_trace_source source = {job, pr_job_fills_storage(job), pr_job_fill_trace};
    uint64_t start = pr_clock_monotonic_ns();
    kept->waited_ns = 0;
    tell(watch, PR_WORK_STAGE_PLAN);
    pr_status status = have_prover(kept, work, job, err);
    if (status == PR_OK) {
        const pr_plan *plan = pr_prover_get_plan(kept->prover);
        row->predicted_bytes = plan->total_bytes;
        row->predicted_device_bytes = plan->device_bytes;
        pr_prover_set_stage_listener(kept->prover, watch ? tell_prover_stage : NULL, &copy);
        pr_prover_set_stop(kept->prover, kept->stop);
        status = pr_prover_run(kept->prover, proof, &source, &times, NULL, NULL, err);
    }
    row->prove_ms = ms_since(start) - (double)kept->waited_ns / 1e6;
    set_stages(row, &times);
    return status;
}

static pr_status self_verify(pr_job_row *row, const pr_job *job, const pr_proof *proof, pr_error *err) {
    pr_verifier *verifier = NULL;
    pr_verdict verdict = PR_REJECTED_SHAPE;
    pr_error detail = {0};
    uint64_t start = pr_clock_monotonic_ns();
    PR_TRY(pr_verifier_create(&verifier, &job->statement, err));
    pr_status status = pr_verifier_run(verifier, proof, &verdict, &detail);
    pr_verifier_destroy(verifier);
    row->self_verify_ms = ms_since(start);
    if (status != PR_OK) return pr_fail(err, status, "%s", detail.text);
    if (verdict == PR_ACCEPTED) return PR_OK;
    return pr_fail(err, PR_ERR_BACKEND, "the proof does not pass its own prover's verifier: %s (%s)",
                   pr_verdict_text(verdict), detail.text);
}

/* A refused proof is the machine's fault unless the trace is wrong: another attempt would not help then. */
static pr_status diagnose(const pr_job *job, unsigned n_threads, pr_error *err) {
    pr_error found = {0};
    if (job->type->diagnose(job->instance, n_threads, &found) != PR_ERR_INPUT) return PR_ERR_BACKEND;
    return pr_fail(err, PR_ERR_INPUT, "the verifier refuses the proof: %s", found.text);
}

/* The bytes out of a writer; they are the record's from now on. */
static uint8_t *take_bytes(pr_writer *w) {
    uint8_t *data = w->data;
    w->data = NULL;
    w->size = w->capacity = 0;
    return data;
}

static pr_status encode(pr_record *record, const pr_work *work, const pr_job *job, const pr_proof *proof,
                        pr_error *err) {
    pr_writer encoded, packed;
    pr_job_row *row = &record->row;
    size_t json_bytes = 0;
    pr_writer_init(&encoded);
    pr_writer_init(&packed);
    pr_status status = pr_proof_encode(&encoded, proof, &job->layout);
    if (status == PR_OK) status = pr_proof_measure_json(&json_bytes, proof, &job->layout);
    if (status == PR_OK && encoded.failed) status = PR_ERR_MEMORY;
    if (status != PR_OK)
        (void)pr_fail(err, status, "the proof cannot be encoded: %s", pr_status_name(status));
    else
        status = pr_proof_compress(&packed, encoded.data, encoded.size, err);
    if (status == PR_OK) {
        pr_hash hash = pr_blake2s_hash(encoded.data, encoded.size);
        pr_hex_encode(row->proof_hash, hash.bytes, sizeof hash.bytes);
        row->proof_bytes = encoded.size;
        row->proof_json_bytes = json_bytes;
        row->proof_compressed_bytes = packed.size;
        row->flagged_large = packed.size > PR_CHAIN_LIMIT_BYTES;
        record->proof = take_bytes(&packed);
        (void)pr_check_commitment(row->commitment, row, work->manifest_digest);
    }
    pr_writer_clear(&encoded);
    pr_writer_clear(&packed);
    return status;
}

static pr_status add_outputs(pr_record *record, const pr_job *job, pr_error *err) {
    pr_output outputs[PR_RECORD_MAX_OUTPUTS];
    size_t n = job->type->outputs(job->instance, outputs, PR_RECORD_MAX_OUTPUTS);
    PR_ASSERT(n <= PR_RECORD_MAX_OUTPUTS);
    record->outputs = calloc(n ? n : 1, sizeof *record->outputs);
    if (!record->outputs) return pr_fail(err, PR_ERR_MEMORY, "out of memory for outputs");
    record->n_outputs = n;
    for (size_t i = 0; i < n; i++) {
        pr_output_row *o = &record->outputs[i];
        pr_row_set_text(o->id, sizeof o->id, record->row.id);
        pr_row_set_text(o->name, sizeof o->name, outputs[i].name);
        pr_row_set_text(o->value, sizeof o->value, outputs[i].value);
    }
    return PR_OK;
}

static pr_status prove_job(pr_record *record, pr_attempts *kept, const pr_work *work, pr_job *job,
                           const pr_work_watch *watch, pr_error *err) {
    pr_proof proof = {0};
    record->row.state = PR_STATE_PREPARED;
    PR_TRY(make_proof(&proof, &record->row, kept, work, job, watch, err));
    record->row.state = PR_STATE_PROVEN;
    tell(watch, PR_WORK_STAGE_SELF_VERIFY);
    pr_status status = self_verify(&record->row, job, &proof, err);
    if (status == PR_ERR_BACKEND && job->type->diagnose) status = diagnose(job, work->threads, err);
    if (status == PR_OK) {
        record->row.state = PR_STATE_SELF_VERIFIED;
        tell(watch, PR_WORK_STAGE_ENCODE);
        status = encode(record, work, job, &proof, err);
    }
    pr_proof_clear(&proof);
    return status;
}

/* Outputs and public data go with a proof only. */
static pr_status finish(pr_record *record, pr_job *job, pr_error *err) {
    PR_TRY(add_outputs(record, job, err));
    record->public_data = take_bytes(&job->public_data);
    if (record->public_data) return PR_OK;
    record->public_data = calloc(1, 1); /* a type without public data */
    return record->public_data ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for public data");
}

static void drop_proof(pr_record *record) {
    free(record->proof);
    free(record->outputs);
    record->proof = NULL;
    record->outputs = NULL;
    record->n_outputs = 0;
    record->row.public_bytes = record->row.proof_compressed_bytes = 0;
    record->row.commitment[0] = record->row.proof_hash[0] = 0;
}

static void begin_row(pr_job_row *row, const pr_work *work, const pr_manifest_job *job) {
    pr_work_set_identity(row, job);
    pr_row_set_text(row->prover_host, sizeof row->prover_host, work->host);
    pr_row_set_text(row->backend, sizeof row->backend, work->backend->name);
    row->gpu_used = work->backend->is_device;
    row->prover_rank = work->rank;
    row->verifier_rank = -1;
    row->lifting_log_size = -1;
    row->threads = work->threads;
}

pr_status pr_attempt_make(pr_record *record, pr_attempts *kept, const pr_work *work,
                          const pr_manifest_job *manifest_job, const pr_work_watch *watch, pr_error *err) {
    pr_error own = {0};
    pr_job *job = NULL;
    if (!err) err = &own;
    const pr_moment begin = pr_clock_moment();
    memset(record, 0, sizeof *record);
    begin_row(&record->row, work, manifest_job);
    record->row.started_ns = begin.wall_ns;
    tell(watch, PR_WORK_STAGE_INPUTS);
    pr_status status = pr_job_create(&job, manifest_job->type, &manifest_job->params, &manifest_job->config, err);
    if (status == PR_OK) { /* the job is kept's from here on */
        pr_check_describe(&record->row, job);
        uint64_t held_bytes = pr_job_instance_bytes(manifest_job->type, &manifest_job->params, &job->layout);
        status = prove_job(record, kept, work, job, watch, err);
        if (record->row.predicted_bytes) record->row.predicted_bytes += held_bytes; /* else it came to no plan */
        if (status == PR_OK) status = finish(record, job, err);
        if (status != PR_OK) pr_attempts_clear(kept); /* its device may have failed */
    }
    if (status != PR_OK) {
        drop_proof(record);
        pr_row_set_text(record->row.reason, sizeof record->row.reason, err->text);
    }
    record->row.peak_rss_bytes = pr_peak_rss_bytes();
    record->row.finished_ns = pr_clock_wall_after(&begin);
    pr_clock_iso8601(record->row.started_at, record->row.started_ns);
    pr_clock_iso8601(record->row.finished_at, record->row.finished_ns);
    return status;
}

pr_status pr_work_prove(pr_record *record, const pr_work *work, const pr_manifest_job *job, pr_error *err) {
    return pr_work_prove_watched(record, work, job, NULL, err);
}

pr_status pr_work_prove_watched(pr_record *record, const pr_work *work, const pr_manifest_job *job,
                                const pr_work_watch *watch, pr_error *err) {
    pr_attempts kept = {0};
    pr_status status = pr_attempt_make(record, &kept, work, job, watch, err);
    pr_attempts_clear(&kept);
    return status;
}
