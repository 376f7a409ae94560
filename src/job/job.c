#include "job/job.h"
#include "air/profile.h"
#include <stdlib.h>
#include <string.h>

const pr_job_type *pr_job_type_find(const pr_job_type *const *types, const char *name) {
    for (; *types; types++)
        if (strcmp((*types)->name, name) == 0) return *types;
    return NULL;
}

static pr_status init_statement(pr_job *job, const pr_statement *foreign, const pr_config *config, pr_error *err) {
    pr_config chosen = foreign ? foreign->config : *config;
    const pr_air *air = job->type->air(job->instance);
    if (!foreign) PR_TRY(pr_profile_fit(&chosen, air, err));
    PR_TRY(pr_statement_init(&job->statement, air, &chosen, err));
    if (!foreign || !foreign->has_foreign_transcript) return PR_OK;
    return pr_statement_set_transcript(&job->statement, foreign->steps, foreign->n_steps, err);
}

/* Everything after the instance is there: public data, statement, digest, layout. */
static pr_status bind_statement(pr_job *job, const pr_config *config, pr_error *err) {
    const pr_statement *foreign = job->type->foreign ? job->type->foreign(job->instance) : NULL;
    PR_TRY(init_statement(job, foreign, config, err));
    if (job->type->public_terms) PR_TRY(job->type->public_terms(job->instance, &job->statement, err));
    job->type->write_public(job->instance, &job->public_data);
    if (job->public_data.failed) return pr_fail(err, PR_ERR_MEMORY, "out of memory for public data");
    job->digest = pr_statement_digest(job->type->name, job->type->version, &job->statement, job->public_data.data,
                                      job->public_data.size);
    memcpy(job->statement.digest, foreign ? foreign->digest : job->digest.bytes, sizeof job->statement.digest);
    job->air_digest = pr_air_digest(job->statement.air);
    return pr_layout_init(&job->layout, &job->statement, err);
}

static pr_status check_params(const pr_job_type *type, const pr_params *params, pr_error *err) {
    size_t index;
    return pr_params_check(type, params, &index, err);
}

static pr_job *allocate(const pr_job_type *type) {
    pr_job *job = calloc(1, sizeof *job);
    if (!job) return NULL;
    job->type = type;
    pr_writer_init(&job->public_data);
    return job;
}

static pr_status finish(pr_job **out, pr_job *job, pr_status status, const pr_config *config, pr_error *err) {
    if (status == PR_OK) status = bind_statement(job, config, err);
    if (status == PR_OK)
        *out = job;
    else
        pr_job_destroy(job);
    return status;
}

pr_status pr_job_create(pr_job **out, const pr_job_type *type, const pr_params *params, const pr_config *config,
                        pr_error *err) {
    *out = NULL;
    PR_TRY(check_params(type, params, err));
    pr_job *job = allocate(type);
    if (!job) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job");
    return finish(out, job, pr_instance_create(&job->instance, type, params, err), config, err);
}

pr_status pr_job_restore(pr_job **out, const pr_job_type *type, const pr_params *params, const pr_config *config,
                         const void *public_data, size_t size, pr_error *err) {
    *out = NULL;
    PR_TRY(check_params(type, params, err));
    pr_job *job = allocate(type);
    if (!job) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a job");
    return finish(out, job, pr_instance_create_public(&job->instance, type, params, public_data, size, err), config,
                  err);
}

void pr_job_destroy(pr_job *job) {
    if (!job) return;
    pr_layout_clear(&job->layout);
    pr_statement_clear(&job->statement);
    pr_writer_clear(&job->public_data);
    pr_instance_destroy(job->type, job->instance);
    free(job);
}

bool pr_job_fills_storage(const pr_job *job) { return job->type->fills_storage; }

pr_status pr_job_fill_trace(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                            pr_error *err) {
    const pr_job *job = context;
    pr_job_order order = job->type->fills_storage ? PR_JOB_STORAGE_ORDER : PR_JOB_ROW_ORDER;
    return job->type->trace(job->instance, component, columns, order, n_threads, err);
}

static void hash_u32(pr_blake2s *h, uint32_t v) {
    const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    pr_blake2s_update(h, bytes, sizeof bytes);
}

static void hash_text(pr_blake2s *h, const char *text) {
    uint64_t n = strlen(text);
    hash_u32(h, (uint32_t)n);
    hash_u32(h, (uint32_t)(n >> 32));
    pr_blake2s_update(h, text, n);
}

static void hash_config(pr_blake2s *h, const pr_config *config) {
    hash_u32(h, config->pow_bits);
    hash_u32(h, config->log_blowup);
    hash_u32(h, config->n_queries);
    hash_u32(h, config->log_last_layer_degree_bound);
    hash_u32(h, config->fold_step);
    hash_u32(h, config->interaction_pow_bits);
}

pr_hash pr_job_content_hash(const pr_job_type *type, const pr_params *params, const pr_config *config) {
    pr_blake2s h;
    pr_blake2s_init_domain(&h, "proverun job content v1");
    hash_text(&h, type->name);
    hash_u32(&h, type->version);
    hash_config(&h, config);
    hash_u32(&h, (uint32_t)type->n_params);
    for (size_t i = 0; i < type->n_params; i++) {
        const char *value = pr_params_get(type, params, type->params[i].name);
        hash_text(&h, type->params[i].name);
        hash_u32(&h, value != NULL);
        if (value) hash_text(&h, value);
    }
    return pr_blake2s_final(&h);
}

pr_hash pr_job_commitment(const pr_hash *proof_hash, const char *id, const pr_hash *statement_digest,
                          const pr_hash *manifest_digest) {
    pr_blake2s h;
    pr_blake2s_init_domain(&h, "proverun commitment v1");
    pr_blake2s_update(&h, proof_hash->bytes, sizeof proof_hash->bytes);
    hash_text(&h, id);
    pr_blake2s_update(&h, statement_digest->bytes, sizeof statement_digest->bytes);
    pr_blake2s_update(&h, manifest_digest->bytes, sizeof manifest_digest->bytes);
    return pr_blake2s_final(&h);
}
