#include "work/work.h"
#include "base/clock.h"
#include "job/job.h"
#include "proof/proof.h"
#include "prove/prove.h"
#include "verify/verify.h"
#include "work/line.h"
#include <stdlib.h>
#include <string.h>

const char *pr_work_stage_name(uint32_t stage) {
    if (stage >= PR_WORK_STAGE_COUNT) return "unknown";
    if (stage == PR_WORK_STAGE_INPUTS) return "inputs";
    if (stage == PR_WORK_STAGE_PLAN) return "plan";
    if (stage == PR_WORK_STAGE_SELF_VERIFY) return "self-verification";
    if (stage == PR_WORK_STAGE_ENCODE) return "encoding";
    return pr_stage_name((pr_stage)(stage - PR_WORK_STAGE_PROVER));
}

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

/* An attempt: on what, what comes after it, and who is told. */
typedef struct attempt {
    const pr_work *work;
    pr_work_line *line;
    const pr_manifest_job *next;
    const pr_work_watch *watch;
} attempt;

static pr_status make_proof(pr_proof *proof, pr_job_row *row, const attempt *a, pr_error *err) {
    pr_plan plan = {0};
    pr_stage_times times = {0};
    pr_work_watch copy = a->watch ? *a->watch : (pr_work_watch){0};
    uint64_t start = pr_clock_monotonic_ns();
    tell(a->watch, PR_WORK_STAGE_PLAN);
    pr_status status = pr_work_line_prove(a->line, proof, &plan, &times, a->work, a->next,
                                          a->watch ? tell_prover_stage : NULL, &copy, err);
    row->predicted_bytes = plan.total_bytes;
    row->predicted_device_bytes = plan.device_bytes;
    row->prove_ms = ms_since(start);
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
    pr_writer encoded, packed, json;
    pr_job_row *row = &record->row;
    pr_writer_init(&encoded);
    pr_writer_init(&packed);
    pr_writer_init(&json);
    pr_status status = pr_proof_encode(&encoded, proof, &job->layout);
    if (status == PR_OK) status = pr_proof_write_json(&json, proof, &job->layout);
    if (status == PR_OK && (encoded.failed || json.failed)) status = PR_ERR_MEMORY;
    if (status != PR_OK)
        (void)pr_fail(err, status, "the proof cannot be encoded: %s", pr_status_name(status));
    else
        status = pr_proof_compress(&packed, encoded.data, encoded.size, err);
    if (status == PR_OK) {
        pr_hash hash = pr_blake2s_hash(encoded.data, encoded.size);
        pr_hex_encode(row->proof_hash, hash.bytes, sizeof hash.bytes);
        row->proof_bytes = encoded.size;
        row->proof_json_bytes = json.size;
        row->proof_compressed_bytes = packed.size;
        row->flagged_large = packed.size > PR_CHAIN_LIMIT_BYTES;
        record->proof = take_bytes(&packed);
        (void)pr_check_commitment(row->commitment, row, work->manifest_digest);
    }
    pr_writer_clear(&encoded);
    pr_writer_clear(&packed);
    pr_writer_clear(&json);
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

static pr_status prove_job(pr_record *record, const attempt *a, pr_job *job, pr_error *err) {
    const pr_work *work = a->work;
    pr_proof proof = {0};
    record->row.state = PR_STATE_PREPARED;
    PR_TRY(make_proof(&proof, &record->row, a, err));
    record->row.state = PR_STATE_PROVEN;
    tell(a->watch, PR_WORK_STAGE_SELF_VERIFY);
    pr_status status = self_verify(&record->row, job, &proof, err);
    if (status == PR_ERR_BACKEND && job->type->diagnose) status = diagnose(job, work->threads, err);
    if (status == PR_OK) {
        record->row.state = PR_STATE_SELF_VERIFIED;
        tell(a->watch, PR_WORK_STAGE_ENCODE);
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

/* Beside the prover's plan: inputs, preprocessed values and the AIR, as the type reckons. */
static uint64_t held_bytes(const pr_manifest_job *job) {
    pr_job_size size;
    bool known = job->type->size && job->type->size(&size, &job->params, NULL) == PR_OK;
    return known ? size.instance_bytes : 0;
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

pr_status pr_work_prove(pr_record *record, const pr_work *work, const pr_manifest_job *manifest_job, pr_error *err) {
    return pr_work_prove_watched(record, work, manifest_job, NULL, err);
}

pr_status pr_work_prove_watched(pr_record *record, const pr_work *work, const pr_manifest_job *job,
                                const pr_work_watch *watch, pr_error *err) {
    pr_work_line *line = NULL;
    memset(record, 0, sizeof *record);
    PR_TRY(pr_work_line_create(&line, err));
    pr_status status = pr_work_prove_in_line(record, line, work, job, NULL, watch, err);
    pr_work_line_destroy(line);
    return status;
}

pr_status pr_work_prove_in_line(pr_record *record, pr_work_line *line, const pr_work *work,
                                const pr_manifest_job *manifest_job, const pr_manifest_job *next,
                                const pr_work_watch *watch, pr_error *err) {
    const attempt a = {work, line, next, watch};
    pr_error own = {0};
    pr_job *job = NULL;
    if (!err) err = &own;
    const pr_moment begin = pr_clock_moment();
    memset(record, 0, sizeof *record);
    begin_row(&record->row, work, manifest_job);
    record->row.started_ns = begin.wall_ns;
    tell(watch, PR_WORK_STAGE_INPUTS);
    pr_status status = pr_work_line_take(line, &job, manifest_job, err);
    if (status == PR_OK) {
        pr_check_describe(&record->row, job);
        status = prove_job(record, &a, job, err);
        if (record->row.predicted_bytes) record->row.predicted_bytes += held_bytes(manifest_job);
        if (status == PR_OK) status = finish(record, job, err);
    }
    pr_work_line_end(line);
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

pr_status pr_work_check(const pr_work *work, const pr_manifest_job *job, const pr_record *record, pr_check_depth depth,
                        pr_check_verdict *verdict, char *reason, size_t reason_size, double *ms, pr_error *err) {
    const pr_check check = {job->type, &job->params, &job->config, work->manifest_digest, record, depth};
    uint64_t start = pr_clock_monotonic_ns();
    pr_status status = pr_check_run(&check, verdict, reason, reason_size, err);
    *ms = ms_since(start);
    return status;
}

void pr_work_set_identity(pr_job_row *row, const pr_manifest_job *job) {
    pr_row_set_text(row->id, sizeof row->id, job->id);
    pr_row_set_text(row->type, sizeof row->type, job->type->name);
    pr_row_set_text(row->profile, sizeof row->profile, job->profile);
    row->encrypted_to[0] = 0; /* pr_work_seal sets it */
    row->type_version = job->type->version;
    row->priority = job->priority;
    row->retries = job->retries;
    row->time_limit_ns = job->time_limit_ns;
    pr_hex_encode(row->content_hash, job->content.bytes, sizeof job->content.bytes);
}

pr_status pr_work_add_params(pr_record *record, const pr_manifest_job *job, pr_error *err) {
    free(record->params);
    record->n_params = 0;
    record->params = calloc(job->params.n ? job->params.n : 1, sizeof *record->params);
    if (!record->params) return pr_fail(err, PR_ERR_MEMORY, "out of memory for parameters");
    record->n_params = job->params.n;
    for (size_t i = 0; i < job->params.n; i++) {
        pr_param_row *p = &record->params[i];
        pr_row_set_text(p->id, sizeof p->id, job->id);
        pr_row_set_text(p->name, sizeof p->name, job->params.items[i].name);
        pr_row_set_text(p->value, sizeof p->value, job->params.items[i].value);
    }
    return PR_OK;
}

bool pr_work_may_retry(pr_status status) {
    return status != PR_ERR_INPUT && status != PR_ERR_REFUSED && status != PR_ERR_USAGE;
}
