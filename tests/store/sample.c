#include "sample.h"
#include "base/random.h"
#include "store/journal.h"
#include <hdf5.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "store-test-XXXXXX";

int sample_make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

int sample_remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

const char *sample_folder(void) { return folder; }
void sample_path(char out[128], const char *name) { snprintf(out, 128, "%s/%s", folder, name); }

pr_store *sample_create(const char *path, const char *run_id, const char *manifest_digest) {
    pr_store *s = NULL;
    pr_error e = {0};
    const pr_attribute attributes[] = {
        {"run_id", run_id}, {"manifest_text", "version: 1\n"}, {"manifest_digest", manifest_digest}};
    sample_remove(path);
    if (pr_store_create(&s, path, attributes, 3, &e) != PR_OK) fail_msg("%s", e.text);
    return s;
}

#define SET(field_, text_) pr_row_set_text(field_, sizeof(field_), text_)

static void fill_parts(pr_record *r, size_t proof_bytes, pr_prng *g) {
    r->n_outputs = 1;
    r->outputs = calloc(1, sizeof *r->outputs);
    SET(r->outputs[0].id, r->row.id);
    SET(r->outputs[0].name, "digest");
    SET(r->outputs[0].value, "0102");
    r->row.public_bytes = 40;
    r->public_data = malloc(41);
    r->row.proof_compressed_bytes = proof_bytes;
    r->proof = malloc(proof_bytes + 1);
    for (size_t i = 0; i < 40; i++) r->public_data[i] = (uint8_t)pr_prng_next(g);
    for (size_t i = 0; i < proof_bytes; i++) r->proof[i] = (uint8_t)pr_prng_next(g);
}

void sample_record(pr_record *r, const char *id, uint32_t outcome, size_t proof_bytes, uint64_t seed) {
    pr_prng g = {seed};
    memset(r, 0, sizeof *r);
    SET(r->row.id, id);
    SET(r->row.type, "wide_fibonacci");
    SET(r->row.content_hash, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    snprintf(r->row.proof_hash, sizeof r->row.proof_hash, "%064llx", (unsigned long long)seed);
    r->row.outcome = outcome;
    r->row.state = PR_STATE_VERIFIED;
    r->row.verifier_rank = -1;
    r->row.prove_ms = 12.5;
    r->row.insecure = 1;
    r->n_params = 2;
    r->params = calloc(2, sizeof *r->params);
    for (size_t i = 0; i < 2; i++) {
        SET(r->params[i].id, id);
        SET(r->params[i].name, i ? "columns" : "log_rows");
        SET(r->params[i].value, i ? "100" : "12");
    }
    pr_attempt_row attempt = {.attempt = 1, .rank = 2, .end = outcome == PR_OUTCOME_FAILED ? PR_ATTEMPT_CRASHED : 0};
    SET(attempt.host, "node-7");
    assert_int_equal(pr_record_add_attempt(r, &attempt, NULL), PR_OK);
    if (outcome == PR_OUTCOME_FAILED)
        SET(r->row.reason, "no such file");
    else
        fill_parts(r, proof_bytes, &g);
}

void sample_put(pr_store *s, const char *id, uint32_t outcome, size_t proof_bytes, uint64_t seed) {
    pr_record r;
    pr_error e = {0};
    sample_record(&r, id, outcome, proof_bytes, seed);
    if (pr_store_put(s, &r, &e) != PR_OK) fail_msg("%s", e.text);
    pr_record_clear(&r);
}

void sample_remove(const char *path) {
    static const char *const ends[] = {".journal",    ".h5.damaged", ".journal.damaged",
                                       ".h5.rebuilt", ".h5.merging", ".h5"};
    char name[256];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        for (uint32_t k = 0; k < 60; k++) {
            char base[200];
            snprintf(base, sizeof base, "%.*s%s", (int)(strlen(path) - 3), path, ends[i]);
            pr_journal_segment_path(name, sizeof name, base, k);
            unlink(name);
        }
}

void sample_copy(const char *to, const char *from) {
    uint8_t *data;
    size_t size;
    assert_int_equal(pr_file_read(&data, &size, from, (size_t)1 << 30, NULL), PR_OK);
    FILE *f = fopen(to, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    free(data);
}

/* ---- comparison ---- */

typedef struct inventory { /* names of objects, or of attributes */
    char names[64][96];
    size_t n;
} inventory;

static herr_t note_object(hid_t o, const char *name, const H5O_info_t *info, void *context) {
    inventory *v = context;
    (void)o;
    (void)info;
    assert_true(v->n < 64);
    snprintf(v->names[v->n++], 96, "%s", name);
    return 0;
}

static void assert_same_value(hid_t a, hid_t b, const char *what) {
    hid_t ta = H5Aget_type(a), tb = H5Aget_type(b);
    char *x = NULL, *y = NULL;
    assert_true(H5Tequal(ta, tb) > 0 && H5Tis_variable_str(ta) > 0);
    assert_true(H5Aread(a, ta, &x) >= 0 && H5Aread(b, tb, &y) >= 0);
    if (strcmp(x, y) != 0) fail_msg("%s: '%s' and '%s'", what, x, y);
    H5free_memory(x);
    H5free_memory(y);
    H5Tclose(ta);
    H5Tclose(tb);
}

static void assert_same_attributes(hid_t a, hid_t b, const char *what) {
    int n = H5Aget_num_attrs(a);
    assert_int_equal(n, H5Aget_num_attrs(b));
    for (int i = 0; i < n; i++) {
        char name[256];
        hid_t x = H5Aopen_by_idx(a, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, H5P_DEFAULT, H5P_DEFAULT);
        assert_true(H5Aget_name(x, sizeof name, name) > 0);
        hid_t y = H5Aopen(b, name, H5P_DEFAULT);
        if (y < 0) fail_msg("%s has no attribute %s", what, name);
        assert_same_value(x, y, name);
        H5Aclose(x);
        H5Aclose(y);
    }
}

static void assert_same_data(hid_t a, hid_t b, const char *what) {
    hid_t ta = H5Dget_type(a), tb = H5Dget_type(b), sa = H5Dget_space(a), sb = H5Dget_space(b);
    hssize_t n = H5Sget_simple_extent_npoints(sa);
    if (H5Tequal(ta, tb) <= 0) fail_msg("%s: types differ", what);
    if (n != H5Sget_simple_extent_npoints(sb)) fail_msg("%s: sizes differ", what);
    size_t bytes = (size_t)n * H5Tget_size(ta);
    char *x = calloc(1, bytes + 1), *y = calloc(1, bytes + 1);
    assert_true(H5Dread(a, ta, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    assert_true(H5Dread(b, tb, H5S_ALL, H5S_ALL, H5P_DEFAULT, y) >= 0);
    if (memcmp(x, y, bytes) != 0) fail_msg("%s: values differ", what);
    free(x);
    free(y);
    H5Tclose(ta);
    H5Tclose(tb);
    H5Sclose(sa);
    H5Sclose(sb);
}

void sample_assert_same(const char *a, const char *b) {
    static inventory in_a, in_b;
    hid_t x = H5Fopen(a, H5F_ACC_RDONLY, H5P_DEFAULT), y = H5Fopen(b, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(x >= 0 && y >= 0);
    in_a.n = in_b.n = 0;
    H5Ovisit2(x, H5_INDEX_NAME, H5_ITER_INC, note_object, &in_a, H5O_INFO_BASIC);
    H5Ovisit2(y, H5_INDEX_NAME, H5_ITER_INC, note_object, &in_b, H5O_INFO_BASIC);
    assert_int_equal(in_a.n, in_b.n);
    assert_true(in_a.n >= 12);
    for (size_t i = 0; i < in_a.n; i++) {
        assert_string_equal(in_a.names[i], in_b.names[i]);
        hid_t o = H5Oopen(x, in_a.names[i], H5P_DEFAULT), p = H5Oopen(y, in_b.names[i], H5P_DEFAULT);
        assert_same_attributes(o, p, in_a.names[i]);
        if (H5Iget_type(o) == H5I_DATASET) assert_same_data(o, p, in_a.names[i]);
        H5Oclose(o);
        H5Oclose(p);
    }
    H5Fclose(x);
    H5Fclose(y);
}
