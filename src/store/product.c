/* Rows that wait for the HDF5 file. */
#include "store/product.h"
#include "store/ballot.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const pr_table_plan pr_table_plans[PR_TABLES] = {
    [PR_TABLE_PARAMS] = {"/params", "parameters as the manifest gives them", &pr_param_row_spec},
    [PR_TABLE_OUTPUTS] = {"/outputs", "public outputs of proven jobs", &pr_output_row_spec},
    [PR_TABLE_ATTEMPTS] = {"/attempts", "one row an attempt at a job that ended", &pr_attempt_row_spec},
    [PR_TABLE_PROOFS] = {"/proofs/index", "where each proof lies in /proofs/data", &pr_proof_row_spec},
    [PR_TABLE_PUBLICS] = {"/public_data/index", "where each job's public data lies in /public_data/data",
                          &pr_public_row_spec},
    [PR_TABLE_JOBS] = {"/jobs", "one row a job that ended", &pr_job_row_spec},
    [PR_TABLE_SESSIONS] = {"/sessions", "starts of the program on this run", &pr_session_row_spec},
    [PR_TABLE_EVENTS] = {"/events", "what happened beside the usual", &pr_event_row_spec},
    [PR_TABLE_METRICS] = {"/metrics", "time series, one row a point", &pr_sample_row_spec},
    [PR_TABLE_VOTES + PR_VOTES_VALIDATORS] = {"/validators", "who votes: keys and stakes, in order of registration",
                                              &pr_validator_row_spec},
    [PR_TABLE_VOTES + PR_VOTES_VOTES] = {"/votes", "signed votes that rank 0 has counted", &pr_vote_row_spec},
    [PR_TABLE_VOTES +
        PR_VOTES_CERTIFICATES] = {"/certificates", "quorums that approved a proof", &pr_certificate_row_spec},
    [PR_TABLE_VOTES + PR_VOTES_VIEWS] = {"/views", "changes of the leader", &pr_view_row_spec},
    [PR_TABLE_VOTES + PR_VOTES_EVIDENCE] = {"/evidence", "fraud, and who is removed for it", &pr_evidence_row_spec},
    [PR_TABLE_VOTES + PR_VOTES_ROUNDS] = {"/consensus", "rounds of votes that ended", &pr_round_row_spec},
    [PR_TABLE_VOTES +
        PR_VOTES_BATCHES] = {"/batches", "quorums that signed the outcomes of the run", &pr_batch_row_spec},
};
const char *const pr_blob_names[PR_BLOBS] = {"/proofs/data", "/public_data/data", "/signed"};

static pr_status no_memory(const pr_product *p, pr_error *err) {
    return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory for rows", p->path);
}

/* ---- ids that have a row ---- */

static size_t id_slot(const pr_product *p, const char *id) {
    uint64_t h = 14695981039346656037u;
    for (const char *c = id; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
    size_t i = (size_t)h & (p->job_capacity - 1);
    while (p->jobs[i].id[0] && strcmp(p->jobs[i].id, id) != 0) i = (i + 1) & (p->job_capacity - 1);
    return i;
}

static pr_known_job *find_known(const pr_product *p, const char *id) {
    if (!p->job_capacity) return NULL;
    pr_known_job *k = &p->jobs[id_slot(p, id)];
    return k->id[0] ? k : NULL;
}

const pr_known_job *pr_product_find(const pr_product *p, const char *id) { return find_known(p, id); }

static pr_status grow_known(pr_product *p, pr_error *err) {
    if (2 * (p->n_jobs + 1) < p->job_capacity) return PR_OK;
    pr_known_job *old = p->jobs;
    size_t n = p->job_capacity, room = n ? 2 * n : 64;
    pr_known_job *fresh = calloc(room, sizeof *fresh);
    if (!fresh) return no_memory(p, err);
    p->jobs = fresh;
    p->job_capacity = room;
    for (size_t i = 0; i < n; i++)
        if (old[i].id[0]) p->jobs[id_slot(p, old[i].id)] = old[i];
    free(old);
    return PR_OK;
}

/* Room was made by grow_known. */
static void add_known(pr_product *p, const char *id, uint64_t row, uint32_t outcome) {
    pr_known_job *k = &p->jobs[id_slot(p, id)];
    if (!k->id[0]) p->n_jobs++;
    snprintf(k->id, sizeof k->id, "%s", id);
    k->row = row;
    k->outcome = outcome;
}

/* ---- the whole ---- */

pr_status pr_product_init(pr_product *p, const char *path, pr_error *err) {
    memset(p, 0, sizeof *p);
    pr_hdf_init();
    for (int b = 0; b < PR_BLOBS; b++) pr_writer_init(&p->blobs[b]);
    pr_writer_init(&p->attributes);
    pr_writer_init(&p->replaced);
    if (!(p->path = strdup(path))) return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
    return PR_OK;
}

void pr_product_clear(pr_product *p) {
    for (int t = 0; t < PR_TABLES; t++) free(p->tables[t].rows);
    for (int b = 0; b < PR_BLOBS; b++) pr_writer_clear(&p->blobs[b]);
    pr_writer_clear(&p->attributes);
    pr_writer_clear(&p->replaced);
    free(p->jobs);
    free(p->names);
    free(p->validators);
    free(p->path);
    memset(p, 0, sizeof *p);
}

uint64_t pr_product_pending(const pr_product *p) {
    uint64_t bytes = p->attributes.size + p->replaced.size;
    for (int b = 0; b < PR_BLOBS; b++) bytes += p->blobs[b].size;
    for (int t = 0; t < PR_TABLES; t++) bytes += p->tables[t].n * pr_table_plans[t].spec->row_bytes;
    return bytes;
}

void pr_product_touch(pr_product *p, uint64_t time_ns) {
    if (!p->first_ns) p->first_ns = time_ns;
    p->last_ns = time_ns;
    p->dirty = true;
}

/* ---- putting ---- */

static pr_status add_rows(pr_product *p, pr_place table, const void *rows, size_t n, pr_error *err) {
    pr_waiting *w = &p->tables[table];
    size_t bytes = pr_table_plans[table].spec->row_bytes;
    if (n == 0) return PR_OK;
    if (w->n + n > w->capacity) {
        size_t capacity = 2 * (w->n + n);
        char *grown = realloc(w->rows, capacity * bytes);
        if (!grown) return no_memory(p, err);
        w->rows = grown;
        w->capacity = capacity;
    }
    memcpy(w->rows + w->n * bytes, rows, n * bytes);
    w->n += n;
    return PR_OK;
}

pr_status pr_product_row(pr_product *p, pr_place table, const void *row, pr_error *err) {
    return add_rows(p, table, row, 1, err);
}

pr_status pr_product_replace(pr_product *p, pr_place table, uint64_t index, const void *row, pr_error *err) {
    pr_waiting *w = &p->tables[table];
    size_t bytes = pr_table_plans[table].spec->row_bytes;
    if (index >= w->written) {
        memcpy(w->rows + (size_t)(index - w->written) * bytes, row, bytes);
        return PR_OK;
    }
    pr_write_u32(&p->replaced, table);
    pr_write_u64(&p->replaced, index);
    pr_write_bytes(&p->replaced, row, bytes);
    return p->replaced.failed ? no_memory(p, err) : PR_OK;
}

pr_status pr_product_attribute(pr_product *p, const char *name, const char *value, pr_error *err) {
    pr_write_bytes(&p->attributes, name, strlen(name) + 1);
    pr_write_bytes(&p->attributes, value, strlen(value) + 1);
    return p->attributes.failed ? no_memory(p, err) : PR_OK;
}

pr_status pr_product_bytes(pr_product *p, int blob, uint64_t *offset, const void *bytes, size_t size, pr_error *err) {
    *offset = p->blob_written[blob] + p->blobs[blob].size;
    pr_write_bytes(&p->blobs[blob], bytes, size);
    return p->blobs[blob].failed ? no_memory(p, err) : PR_OK;
}

static pr_status put_bytes(pr_product *p, const pr_record *record, pr_error *err) {
    const pr_job_row *row = &record->row;
    pr_proof_row proof = {.length = row->proof_compressed_bytes, .codec = "zstd"};
    if (row->encrypted_to[0]) pr_row_set_text(proof.codec, sizeof proof.codec, "sealed");
    pr_public_row public_row = {.length = row->public_bytes};
    pr_row_set_text(proof.id, sizeof proof.id, row->id);
    pr_row_set_text(proof.hash, sizeof proof.hash, row->proof_hash);
    pr_row_set_text(public_row.id, sizeof public_row.id, row->id);
    PR_TRY(pr_product_bytes(p, PR_BLOB_PROOFS, &proof.offset, record->proof, (size_t)proof.length, err));
    PR_TRY(
        pr_product_bytes(p, PR_BLOB_PUBLICS, &public_row.offset, record->public_data, (size_t)public_row.length, err));
    PR_TRY(add_rows(p, PR_TABLE_PROOFS, &proof, 1, err));
    return add_rows(p, PR_TABLE_PUBLICS, &public_row, 1, err);
}

/* Outputs count only with a proof that was accepted: a refused one says nothing. */
static pr_status put_parts(pr_product *p, const pr_record *record, bool first, pr_error *err) {
    if (first) PR_TRY(add_rows(p, PR_TABLE_PARAMS, record->params, record->n_params, err));
    if (pr_outcome_is_done(record->row.outcome))
        PR_TRY(add_rows(p, PR_TABLE_OUTPUTS, record->outputs, record->n_outputs, err));
    PR_TRY(add_rows(p, PR_TABLE_ATTEMPTS, record->history, record->n_history, err));
    return record->row.proof_compressed_bytes ? put_bytes(p, record, err) : PR_OK;
}

pr_status pr_product_put(pr_product *p, const pr_record *record, pr_error *err) {
    const char *id = record->row.id;
    const pr_known_job *before = find_known(p, id);
    if (!id[0] || (before && pr_outcome_is_done(before->outcome)))
        return pr_fail(err, PR_ERR_MALFORMED, "%s: job `%s` %s", p->path, id, id[0] ? "is done twice" : "has no id");
    uint64_t at = before ? before->row : p->tables[PR_TABLE_JOBS].written + p->tables[PR_TABLE_JOBS].n;
    PR_TRY(grow_known(p, err));
    PR_TRY(pr_product_name_job(p, id, err));
    PR_TRY(put_parts(p, record, !before, err));
    if (before)
        PR_TRY(pr_product_replace(p, PR_TABLE_JOBS, at, &record->row, err));
    else
        PR_TRY(add_rows(p, PR_TABLE_JOBS, &record->row, 1, err));
    add_known(p, id, at, record->row.outcome);
    return PR_OK;
}

static uint64_t n_sessions(const pr_product *p) {
    return p->tables[PR_TABLE_SESSIONS].written + p->tables[PR_TABLE_SESSIONS].n;
}

pr_status pr_product_begin_session(pr_product *p, const pr_session_row *row, pr_error *err) {
    p->session = *row;
    snprintf(p->session.id, sizeof p->session.id, "%llu", (unsigned long long)n_sessions(p) + 1);
    return add_rows(p, PR_TABLE_SESSIONS, &p->session, 1, err);
}

pr_status pr_product_end_session(pr_product *p, const pr_session_row *row, pr_error *err) {
    uint64_t n = n_sessions(p);
    if (n == 0) return pr_fail(err, PR_ERR_MALFORMED, "%s: a session ends that never began", p->path);
    p->session = *row;
    snprintf(p->session.id, sizeof p->session.id, "%llu", (unsigned long long)n);
    return pr_product_replace(p, PR_TABLE_SESSIONS, n - 1, &p->session, err);
}
