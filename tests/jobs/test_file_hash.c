#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "file_hash/job.h"
#include "poseidon2/poseidon2.h"
#include "input.h"
#include "support.h"

static const pr_job_type *const type = &pr_job_file_hash;

/* The digest from its definition: all elements written out, one call of the sponge. */
static void digest_of(pr_m31 out[8], const uint8_t *data, size_t size) {
    size_t n = 1;
    pr_m31 *elements = calloc(size / 3 + 2, sizeof *elements);
    assert_non_null(elements);
    elements[0] = (pr_m31)size;
    for (size_t i = 0; i < size; i += 3, n++) {
        uint32_t b1 = i + 1 < size ? data[i + 1] : 0, b2 = i + 2 < size ? data[i + 2] : 0;
        elements[n] = data[i] + 256 * b1 + 65536 * b2;
    }
    pr_poseidon2_sponge(out, elements, n);
    free(elements);
}

/* Its AIR for other public data: the length and digest that a liar claims. */
static pr_job_instance *claim(uint64_t length, const pr_m31 digest[8]) {
    pr_writer w;
    pr_writer_init(&w);
    pr_write_u64(&w, length);
    for (int k = 0; k < 8; k++) pr_write_u32(&w, digest[k]);
    return claim_public(type, &w);
}

static void assert_outputs(const pr_job_instance *job, const pr_m31 digest[8], size_t size) {
    pr_output out[4];
    char expected[80], length[32];
    assert_int_equal(type->outputs(job, out, 4), 3);
    for (size_t k = 0; k < 8; k++) snprintf(expected + 8 * k, sizeof expected - 8 * k, "%08x", digest[k]);
    snprintf(length, sizeof length, "%zu", size);
    assert_string_equal(out[0].name, "digest");
    assert_string_equal(out[0].value, expected);
    assert_string_equal(out[1].name, "length");
    assert_string_equal(out[1].value, length);
    assert_string_equal(out[2].name, "file");
    assert_string_equal(out[2].value, "input");
}

static void assert_only(const pr_job_instance *liar, const rows *t, const char *name, uint32_t expected_row) {
    uint32_t row = 0, first = 0;
    assert_int_equal(count_failures(type->air(liar), t, &row, &first), 1);
    assert_string_equal(type->air(liar)->components[0].constraints[first].name, name);
    assert_int_equal(row, expected_row);
}

static void lies_are_noticed(const rows *t, const pr_m31 digest[8], size_t size, uint32_t n_blocks) {
    for (int k = 0; k < 8; k++) {
        pr_m31 wrong[8];
        memcpy(wrong, digest, sizeof wrong);
        wrong[k] = pr_m31_add(wrong[k], 1);
        pr_job_instance *liar = claim(size, wrong);
        char name[32];
        snprintf(name, sizeof name, "digest element %d", k);
        assert_only(liar, t, name, n_blocks - 1);
        pr_instance_destroy(type, liar);
    }
    if (size == 0) return;
    /* a length of as many elements, so that nothing else of the statement changes */
    pr_job_instance *liar = claim(size % 3 == 0 ? size - 1 : size % 3 == 2 ? size + 1 : size + 2, digest);
    assert_only(liar, t, "first element is the length", 0);
    pr_instance_destroy(type, liar);
}

static void one_size(size_t size, uint64_t *random) {
    uint8_t *data = random_bytes(size, random);
    pr_m31 digest[8];
    digest_of(digest, data, size);
    pr_job_instance *job = input_job(type, data, size), *public_job = claim(size, digest);
    assert_outputs(job, digest, size);
    rows t = trace_in_rows(type, job, 2), stored = trace_from_storage(type, job, 2);
    assert_rows_equal(&t, &stored);
    size_t n_blocks = (1 + (size + 2) / 3 + 7) / 8;
    assert_true((size_t)1 << t.log_rows > n_blocks);
    assert_true(t.log_rows == 4 || (size_t)1 << (t.log_rows - 1) <= n_blocks);
    uint32_t row = 0, first = 0;
    if (count_failures(type->air(job), &t, &row, &first))
        fail_msg("%zu bytes: row %u: %s", size, row, type->air(job)->components[0].constraints[first].name);
    pr_hash x = pr_air_digest(type->air(job)), y = pr_air_digest(type->air(public_job));
    assert_memory_equal(&x, &y, sizeof x);
    lies_are_noticed(&t, digest, size, (uint32_t)n_blocks);
    rows_destroy(&t);
    rows_destroy(&stored);
    pr_instance_destroy(type, job);
    pr_instance_destroy(type, public_job);
    free(data);
}

/* 21 bytes fill one block, 45 two; 357 fill 15 blocks, the most that 16 rows take; 381 fill 16. */
static void sizes_at_every_edge(void **state) {
    (void)state;
    static const size_t sizes[] = {0,  1,  2,  3,  4,  20, 21,  22,  23,  24,  25,  26,  44,
                                   45, 46, 47, 48, 69, 70, 356, 357, 358, 359, 381, 382, 1499};
    uint64_t random = test_seed();
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) one_size(sizes[k], &random);
}

static void many_threads_many_blocks(void **state) {
    (void)state;
    uint64_t random = test_seed();
    size_t size = 24 * 700 + 5;
    uint8_t *data = random_bytes(size, &random);
    pr_job_instance *job = input_job(type, data, size);
    rows t = trace_in_rows(type, job, 1), stored = trace_from_storage(type, job, 7);
    assert_rows_equal(&t, &stored);
    for (int tries = 0; tries < 50; tries++) {
        uint32_t row = (uint32_t)next_random(&random) % (1u << t.log_rows), first = 0;
        assert_int_equal(count_failures_in_row(type->air(job), &t, row, &first), 0);
    }
    rows_destroy(&t);
    rows_destroy(&stored);
    pr_instance_destroy(type, job);
    free(data);
}

/* Whatever cell is changed, its row or the next one notices, behind the blocks too. */
static void a_changed_cell_is_noticed(void **state) {
    (void)state;
    uint64_t random = test_seed();
    uint8_t *data = random_bytes(200, &random);
    pr_job_instance *job = input_job(type, data, 200);
    const pr_air *air = type->air(job);
    rows t = trace_in_rows(type, job, 1);
    for (uint32_t k = 0; k < t.n_columns; k++)
        for (int tries = 0; tries < 4; tries++) {
            uint32_t row = (uint32_t)next_random(&random) % 16, next = (row + 1) % 16, first = 0;
            pr_m31 kept = t.columns[k][row];
            t.columns[k][row] =
                tries == 0 ? pr_m31_add(kept, 1) : pr_m31_add(kept, 1 + random_m31(&random) % (PR_P - 1));
            if (!count_failures_in_row(air, &t, row, &first) && !count_failures_in_row(air, &t, next, &first))
                fail_msg("column %u row %u: %u for %u was not noticed", k, row, t.columns[k][row], kept);
            t.columns[k][row] = kept;
        }
    rows_destroy(&t);
    pr_instance_destroy(type, job);
    free(data);
}

static void the_shape_is_as_documented(void **state) {
    (void)state;
    pr_job_instance *job = input_job(type, "abc", 3);
    const pr_air_component *c = &type->air(job)->components[0];
    assert_int_equal(c->n_columns, 292);
    assert_int_equal(c->n_lookups, 0);
    assert_int_equal(type->air(job)->n_preprocessed, 3);
    assert_int_equal(c->n_constraints, 2 * 142 + 1 + 6 + 8); /* two elements: the length and abc */
    for (uint32_t k = 0; k < c->n_columns; k++) {
        bool carried = k >= 8 && k < 24;
        assert_int_equal(c->columns[k].n_offsets, carried ? 2 : 1);
        assert_int_equal(c->columns[k].offsets[0], carried ? -1 : 0);
    }
    pr_instance_destroy(type, job);
}

static void inputs_that_cannot_be_read(void **state) {
    (void)state;
    pr_job_instance *job = NULL;
    pr_error err = {0};
    assert_int_equal(input_try(&job, type, "absent", &err), PR_ERR_INPUT);
    assert_non_null(strstr(err.text, "absent"));
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(input_try(&job, type, ".", &err), PR_ERR_INPUT);
    assert_non_null(strstr(err.text, "not a regular file"));
    assert_int_equal(input_try(&job, type, "/dev/zero", &err), PR_ERR_INPUT);
    /* a sparse file, one byte longer than 2^24 - 1 blocks */
    input_write("input", "", 0);
    assert_int_equal(truncate(input_path_of("input").text, ((16777215L * 8 - 1) * 3) + 1), 0);
    assert_int_equal(input_try(&job, type, "input", &err), PR_ERR_INPUT);
    assert_non_null(strstr(err.text, "at most 402653157"));
    assert_null(job);
}

static void public_data_that_is_refused(void **state) {
    (void)state;
    pr_job_instance *job = input_job(type, "abcdef", 6), *again = NULL;
    pr_writer w = public_of(type, job);
    assert_int_equal(w.size, 40);
    for (size_t size = 0; size < w.size; size++)
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, size, NULL), PR_ERR_MALFORMED);
    uint8_t bad[41] = {0};
    memcpy(bad, w.data, 40);
    assert_int_equal(pr_instance_create_public(&again, type, NULL, bad, 41, NULL), PR_ERR_MALFORMED);
    for (size_t word = 1; word < 10; word++) { /* the length's upper half, each element */
        memcpy(bad, w.data, 40);
        memset(bad + 4 * word, 0xff, 4);
        assert_int_equal(pr_instance_create_public(&again, type, NULL, bad, 40, NULL), PR_ERR_MALFORMED);
    }
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, 40, NULL), PR_OK);
    pr_m31 *column[1] = {NULL};
    assert_int_equal(type->trace(again, 0, column, PR_JOB_ROW_ORDER, 1, NULL),
                     PR_ERR_INTERNAL); /* there is no file to trace */
    pr_instance_destroy(type, again);
    pr_writer_clear(&w);
    pr_instance_destroy(type, job);
}

static void the_example_works(void **state) {
    (void)state;
    pr_params params = {.base_dir = ".", .n = type->n_example, .items = type->example};
    assert_int_equal(pr_params_check(type, &params, NULL, NULL), PR_OK);
    if (access(type->example[0].value, R_OK) != 0) skip();
    pr_job_instance *job = NULL;
    assert_int_equal(pr_instance_create(&job, type, &params, NULL), PR_OK);
    pr_instance_destroy(type, job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_at_every_edge),        cmocka_unit_test(many_threads_many_blocks),
        cmocka_unit_test(a_changed_cell_is_noticed),  cmocka_unit_test(the_shape_is_as_documented),
        cmocka_unit_test(inputs_that_cannot_be_read), cmocka_unit_test(public_data_that_is_refused),
        cmocka_unit_test(the_example_works),
    };
    return cmocka_run_group_tests(tests, input_make_folder, input_remove_folder);
}
