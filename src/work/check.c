#include "work/check.h"
#include "proof/proof.h"
#include "verify/verify.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_hash(char out[65], const pr_hash *h) { pr_hex_encode(out, h->bytes, sizeof h->bytes); }

void pr_check_describe(pr_job_row *row, const pr_job *job) {
    const pr_config *c = &job->statement.config;
    const pr_air *air = job->statement.air;
    const pr_security *security = &job->layout.security;
    row->type_version = job->type->version;
    row->pow_bits = c->pow_bits;
    row->log_blowup = c->log_blowup;
    row->n_queries = c->n_queries;
    row->log_last_layer_degree_bound = c->log_last_layer_degree_bound;
    row->fold_step = c->fold_step;
    row->interaction_pow_bits = c->interaction_pow_bits;
    row->lifting_log_size = c->lifting_log_size;
    row->conjectured_bits = security->conjectured_bits;
    row->proven_bits = security->proven_bits;
    row->field_bits = security->field_bits;
    row->insecure = security->insecure;
    row->log_rows = job->layout.log_max_rows;
    row->n_constraints = job->layout.n_constraints;
    row->n_columns = 0;
    for (uint32_t i = 0; i < air->n_components; i++) row->n_columns += air->components[i].n_columns;
    row->public_bytes = job->public_data.size;
    set_hash(row->statement_digest, &job->digest);
    set_hash(row->air_digest, &job->air_digest);
}

bool pr_check_commitment(char out[65], const pr_job_row *row, const pr_hash *manifest_digest) {
    pr_hash proof, statement;
    if (!pr_hex_decode(proof.bytes, 32, row->proof_hash) || !pr_hex_decode(statement.bytes, 32, row->statement_digest))
        return false;
    pr_hash commitment = pr_job_commitment(&proof, row->id, &statement, manifest_digest);
    set_hash(out, &commitment);
    return true;
}

typedef struct answer {
    char *reason;
    size_t size;
} answer;

__attribute__((format(printf, 2, 3))) static bool refuse(const answer *a, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(a->reason, a->size, format, args);
    va_end(args);
    return false;
}

static bool same_security(const pr_job_row *a, const pr_job_row *b) {
    return a->conjectured_bits == b->conjectured_bits && a->proven_bits == b->proven_bits &&
           a->field_bits == b->field_bits && a->insecure == b->insecure;
}

static bool same_config(const pr_job_row *a, const pr_job_row *b) {
    return a->pow_bits == b->pow_bits && a->log_blowup == b->log_blowup && a->n_queries == b->n_queries &&
           a->log_last_layer_degree_bound == b->log_last_layer_degree_bound && a->fold_step == b->fold_step &&
           a->interaction_pow_bits == b->interaction_pow_bits && a->lifting_log_size == b->lifting_log_size;
}

/* What the row says about the statement against what the statement is. */
static bool check_row(const pr_job_row *row, const pr_job *job, const answer *a) {
    pr_job_row real = *row;
    pr_check_describe(&real, job);
    if (row->type_version != real.type_version)
        return refuse(a, "version %u of the job type is claimed, this program has %u", row->type_version,
                      real.type_version);
    if (strcmp(row->statement_digest, real.statement_digest) != 0) return refuse(a, "statement digest differs");
    if (strcmp(row->air_digest, real.air_digest) != 0) return refuse(a, "AIR digest differs");
    if (!same_config(row, &real)) return refuse(a, "the configuration is not that of the profile");
    if (!same_security(row, &real)) return refuse(a, "security bits differ from those of the statement");
    if (row->log_rows != real.log_rows || row->n_columns != real.n_columns || row->n_constraints != real.n_constraints)
        return refuse(a, "sizes differ from those of the statement");
    return true;
}

static bool check_outputs(const pr_record *record, const pr_job *job, const answer *a) {
    pr_output outputs[PR_RECORD_MAX_OUTPUTS];
    size_t n = job->type->outputs(job->instance, outputs, PR_RECORD_MAX_OUTPUTS);
    if (n != record->n_outputs)
        return refuse(a, "%zu outputs are recorded, the statement has %zu", record->n_outputs, n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(outputs[i].name, record->outputs[i].name) != 0 ||
            strcmp(outputs[i].value, record->outputs[i].value) != 0)
            return refuse(a, "output `%s` differs from that of the statement", outputs[i].name);
    return true;
}

static bool check_hashes(const pr_check *check, const pr_writer *encoded, const answer *a) {
    const pr_job_row *row = &check->record->row;
    char text[65];
    pr_hash hash = pr_blake2s_hash(encoded->data, encoded->size);
    set_hash(text, &hash);
    if (strcmp(text, row->proof_hash) != 0) return refuse(a, "proof hash differs");
    if (encoded->size != row->proof_bytes) return refuse(a, "proof size differs");
    if (!pr_check_commitment(text, row, check->manifest_digest) || strcmp(text, row->commitment) != 0)
        return refuse(a, "commitment differs");
    return true;
}

static pr_status run_verifier(const pr_verifier *verifier, const pr_proof *proof, pr_check_verdict *out,
                              const answer *a, pr_error *err) {
    pr_verdict verdict;
    pr_error detail = {0};
    pr_status status = pr_verifier_run(verifier, proof, &verdict, &detail);
    if (status != PR_OK) return pr_fail(err, status, "%s", detail.text);
    *out = verdict == PR_ACCEPTED ? PR_CHECK_ACCEPTED : PR_CHECK_INVALID;
    if (verdict != PR_ACCEPTED) (void)refuse(a, "verifier: %s (%s)", pr_verdict_text(verdict), detail.text);
    return PR_OK;
}

/* encoded: the bytes whose hash the record names. */
static pr_status judge_proof(const pr_check *check, const pr_verifier *verifier, const pr_writer *encoded,
                             pr_check_verdict *out, const answer *a, pr_error *err) {
    pr_proof proof;
    pr_decode_code code = pr_proof_decode(&proof, pr_verifier_layout(verifier), encoded->data, encoded->size);
    if (code == PR_DECODE_MEMORY) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a proof");
    if (code != PR_DECODE_OK) {
        *out = PR_CHECK_MALFORMED;
        (void)refuse(a, "proof does not decode: %s", pr_decode_code_text(code));
        return PR_OK;
    }
    pr_status status = PR_OK;
    *out = PR_CHECK_ACCEPTED;
    if (check->depth == PR_CHECK_ALL) status = run_verifier(verifier, &proof, out, a, err);
    pr_proof_clear(&proof);
    return status;
}

static pr_status check_proof(const pr_check *check, const pr_verifier *verifier, pr_check_verdict *out, const answer *a,
                             pr_error *err) {
    pr_writer encoded;
    pr_status status = PR_OK;
    pr_writer_init(&encoded);
    pr_decode_code code = pr_proof_decompress(&encoded, pr_verifier_layout(verifier), check->record->proof,
                                              (size_t)check->record->row.proof_compressed_bytes);
    if (code == PR_DECODE_MEMORY)
        status = pr_fail(err, PR_ERR_MEMORY, "out of memory for a proof");
    else if (code != PR_DECODE_OK)
        (void)refuse(a, "proof does not decompress: %s", pr_decode_code_text(code));
    else if (check_hashes(check, &encoded, a))
        status = judge_proof(check, verifier, &encoded, out, a, err);
    pr_writer_clear(&encoded);
    return status;
}

static pr_status check_job(const pr_check *check, const pr_job *job, pr_check_verdict *out, const answer *a,
                           pr_error *err) {
    if (!check_row(&check->record->row, job, a) || !check_outputs(check->record, job, a)) return PR_OK;
    pr_verifier *verifier = NULL;
    PR_TRY(pr_verifier_create(&verifier, &job->statement, err));
    pr_status status = check_proof(check, verifier, out, a, err);
    pr_verifier_destroy(verifier);
    return status;
}

pr_status pr_check_run(const pr_check *check, pr_check_verdict *out, char *reason, size_t reason_size, pr_error *err) {
    const answer a = {reason, reason_size};
    pr_job *job = NULL;
    pr_error e = {0};
    *out = PR_CHECK_RECORD;
    reason[0] = 0;
    if (check->record->row.encrypted_to[0]) {
        (void)refuse(&a, "encrypted to %s: without its secret key the statement cannot be rebuilt",
                     check->record->row.encrypted_to);
        return PR_OK;
    }
    pr_status status = pr_job_restore(&job, check->type, check->params, check->config, check->record->public_data,
                                      (size_t)check->record->row.public_bytes, &e);
    if (status == PR_ERR_MEMORY) return pr_fail(err, status, "%s", e.text);
    if (status != PR_OK) {
        (void)refuse(&a, "statement cannot be rebuilt: %s", e.text);
        return PR_OK;
    }
    status = check_job(check, job, out, &a, err);
    pr_job_destroy(job);
    return status;
}
