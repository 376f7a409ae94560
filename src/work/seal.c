#include "work/seal.h"
#include "starkcurve/elgamal.h"
#include <stdlib.h>
#include <string.h>

/* What the ciphertext belongs to, so that it cannot be moved to another job or place. */
static void write_place(pr_writer *w, const pr_job_row *row, const char *part) {
    pr_write_text(w, "proverun sealed record v1");
    pr_write_text(w, part);
    pr_write_text(w, row->id);
    pr_write_text(w, row->statement_digest);
    pr_write_text(w, row->proof_hash);
}

typedef enum direction { SEAL, OPEN } direction;
typedef struct sealer {
    direction direction;
    const uint8_t *public_key;
    const pr_secret_key *key;
} sealer;

static pr_status pass(pr_writer *out, const sealer *s, const pr_job_row *row, const char *part, const void *data,
                      size_t n, pr_error *err) {
    pr_writer place;
    pr_writer_init(&place);
    write_place(&place, row, part);
    pr_status status;
    if (place.failed)
        status = pr_fail(err, PR_ERR_MEMORY, "no memory to encrypt");
    else if (s->direction == SEAL)
        status = pr_elgamal_seal(out, s->public_key, data, n, place.data, place.size, err);
    else
        status = pr_elgamal_open(out, s->key, data, n, place.data, place.size, err);
    pr_writer_clear(&place);
    return status;
}

/* The record takes both. */
static void replace(pr_record *record, pr_writer *public_data, pr_writer *proof) {
    free(record->public_data);
    free(record->proof);
    record->public_data = public_data->data;
    record->proof = proof->data;
    record->row.public_bytes = public_data->size;
    record->row.proof_compressed_bytes = proof->size;
    pr_writer_init(public_data);
    pr_writer_init(proof);
}

static void drop_outputs(pr_record *record) {
    free(record->outputs);
    record->outputs = NULL;
    record->n_outputs = 0;
}

static pr_status seal_parts(pr_writer *public_data, pr_writer *proof, pr_writer *plain, const pr_record *record,
                            const sealer *s, pr_error *err) {
    pr_write_u32(plain, (uint32_t)record->n_outputs);
    for (size_t i = 0; i < record->n_outputs; i++) pr_row_encode(plain, &pr_output_row_spec, &record->outputs[i]);
    pr_write_bytes(plain, record->public_data, (size_t)record->row.public_bytes);
    if (plain->failed) return pr_fail(err, PR_ERR_MEMORY, "no memory to encrypt");
    PR_TRY(pass(public_data, s, &record->row, "outputs and public data", plain->data, plain->size, err));
    return pass(proof, s, &record->row, "proof", record->proof, (size_t)record->row.proof_compressed_bytes, err);
}

pr_status pr_work_seal(pr_record *record, const uint8_t public_key[32], pr_error *err) {
    const sealer s = {SEAL, public_key, NULL};
    pr_writer public_data, proof, plain;
    pr_writer_init(&public_data);
    pr_writer_init(&proof);
    pr_writer_init(&plain);
    pr_status status = PR_OK;
    if (record->row.proof_compressed_bytes) {
        status = seal_parts(&public_data, &proof, &plain, record, &s, err);
        if (status == PR_OK) replace(record, &public_data, &proof);
    } else {
        record->row.public_bytes = 0;
    }
    if (status == PR_OK) {
        char digits[65];
        drop_outputs(record);
        pr_hex_encode(digits, public_key, 32);
        memcpy(record->row.encrypted_to, "0x", 2);
        memcpy(record->row.encrypted_to + 2, digits, sizeof digits);
    }
    pr_writer_clear(&public_data);
    pr_writer_clear(&proof);
    pr_writer_clear(&plain);
    return status;
}

static pr_status take_plain(pr_output_row **outputs, size_t *n, pr_writer *public_data, const pr_writer *plain,
                            pr_error *err) {
    pr_reader r;
    pr_reader_init(&r, plain->data, plain->size);
    uint32_t count = pr_read_u32(&r);
    if (count > PR_RECORD_MAX_OUTPUTS) return pr_fail(err, PR_ERR_MALFORMED, "encrypted outputs do not decode");
    *outputs = calloc(count ? count : 1, sizeof **outputs);
    if (!*outputs) return pr_fail(err, PR_ERR_MEMORY, "no memory for outputs");
    *n = count;
    for (uint32_t i = 0; i < count; i++) pr_row_decode(&r, &pr_output_row_spec, &(*outputs)[i]);
    pr_write_bytes(public_data, plain->data + r.at, plain->size - r.at);
    if (public_data->failed) return pr_fail(err, PR_ERR_MEMORY, "no memory for public data");
    return r.failed ? pr_fail(err, PR_ERR_MALFORMED, "encrypted outputs do not decode") : PR_OK;
}

static pr_status open_parts(pr_writer *public_data, pr_writer *proof, pr_writer *plain, pr_output_row **outputs,
                            size_t *n, const pr_record *record, const sealer *s, pr_error *err) {
    const pr_job_row *row = &record->row;
    PR_TRY(pass(plain, s, row, "outputs and public data", record->public_data, (size_t)row->public_bytes, err));
    PR_TRY(pass(proof, s, row, "proof", record->proof, (size_t)row->proof_compressed_bytes, err));
    return take_plain(outputs, n, public_data, plain, err);
}

pr_status pr_work_unseal(pr_record *record, const pr_secret_key *key, pr_error *err) {
    const sealer s = {OPEN, NULL, key};
    char digits[65];
    pr_writer public_data, proof, plain;
    pr_output_row *outputs = NULL;
    size_t n = 0;
    pr_hex_encode(digits, key->public_key, 32);
    if (strncmp(record->row.encrypted_to, "0x", 2) != 0 || strcmp(record->row.encrypted_to + 2, digits) != 0)
        return pr_fail(err, PR_ERR_REFUSED, "encrypted to %s, and the key given is that of 0x%s",
                       record->row.encrypted_to[0] ? record->row.encrypted_to : "nobody", digits);
    pr_writer_init(&public_data);
    pr_writer_init(&proof);
    pr_writer_init(&plain);
    pr_status status = PR_OK;
    if (record->row.proof_compressed_bytes) {
        status = open_parts(&public_data, &proof, &plain, &outputs, &n, record, &s, err);
        if (status == PR_OK) {
            replace(record, &public_data, &proof);
            drop_outputs(record);
            record->outputs = outputs;
            record->n_outputs = n;
            outputs = NULL;
        }
    }
    if (status == PR_OK) record->row.encrypted_to[0] = 0;
    free(outputs);
    pr_writer_clear(&public_data);
    pr_writer_clear(&proof);
    pr_writer_clear(&plain);
    return status;
}
