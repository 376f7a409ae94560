/* mlp_inference on its own model and images, and on lies: every constraint and every lookup has a trace that it alone
 * refuses. A lie about one hidden unit of one image is followed honestly to the logits, and these are the claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mlp_inference/job.h"
#include "mlp_inference/layout.h"
#include "soundness.h"

static const pr_job_type *const type = &pr_job_mlp_inference;

static pr_status try_create(pr_job_instance **job, const char *model, const char *first, const char *count,
                            pr_error *err) {
    const pr_param items[] = {{"model", model}, {"images", "digits.h5"}, {"first", first}, {"count", count}};
    pr_params params = {.base_dir = PR_TEST_JOBS "/mlp_inference", .n = 4, .items = items};
    return pr_instance_create(job, type, &params, err);
}

static pr_job_instance *create(const char *first, const char *count) {
    pr_job_instance *job = NULL;
    pr_error err = {0};
    if (try_create(&job, "model.h5", first, count, &err) != PR_OK) fail_msg("%s", err.text);
    return job;
}

static const char *output_of(const pr_job_instance *job, const char *name, pr_output out[6]) {
    assert_int_equal(type->outputs(job, out, 6), 6);
    for (int k = 0; k < 6; k++)
        if (strcmp(out[k].name, name) == 0) return out[k].value;
    fail_msg("no output %s", name);
    return NULL;
}

/* The accuracy that train.py printed when it made these files: 356 of 360, and nothing else will do. */
static void the_held_out_images(void **state) {
    (void)state;
    static const char *const firsts[] = {"0", "60", "120", "180", "240", "300"};
    unsigned long correct = 0;
    for (size_t k = 0; k < sizeof firsts / sizeof *firsts; k++) {
        pr_output out[6];
        pr_job_instance *job = create(firsts[k], "60");
        correct += strtoul(output_of(job, "correct", out), NULL, 10);
        pr_instance_destroy(type, job);
    }
    assert_int_equal(correct, 356);
}

/* Two images of the file, written out: the same statement. */
static void images_in_the_manifest(void **state) {
    (void)state;
    pr_job_instance *of_file = create("0", "2"), *job = NULL;
    pr_writer w, v;
    pr_error err = {0};
    pr_writer_init(&w);
    pr_writer_init(&v);
    type->write_public(of_file, &w);
    const uint8_t *at = w.data + w.size - 2 * 10 * 4 - 2 - 2 * 64; /* inputs, labels, logits */
    char list[1000] = "", labels[16];
    for (int k = 0; k < 128; k++) snprintf(list + strlen(list), sizeof list - strlen(list), "%u ", at[k]);
    snprintf(labels, sizeof labels, "%u, %u", at[128], at[129]);
    pr_param items[] = {{"model", "model.h5"}, {"input", list}, {"labels", labels}};
    const pr_params params = {.base_dir = PR_TEST_JOBS "/mlp_inference", .n = 3, .items = items};
    assert_int_equal(pr_params_check(type, &params, NULL, &err), PR_OK);
    if (pr_instance_create(&job, type, &params, &err) != PR_OK) fail_msg("%s", err.text);
    type->write_public(job, &v);
    assert_int_equal(v.size, w.size);
    assert_memory_equal(v.data, w.data, w.size);
    pr_job_size size;
    assert_int_equal(type->size(&size, &params, NULL), PR_OK);
    pr_instance_destroy(type, job);
    pr_instance_destroy(type, of_file);
    pr_writer_clear(&w);
    pr_writer_clear(&v);
    static const char *const bad[][3] = {
        {"1 2 3", "1", "input: 3 numbers, and there must be 64 for each of 1 labels"},
        {"1 2 300", "1", "input:1:5: '300' is not a whole number from 0 to 255"},
        {NULL, "1 x", "labels:1:3: 'x' is not"},
        {NULL, "# none", "labels: 0 numbers; allowed: 1 to 128"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        items[1].value = bad[k][0] ? bad[k][0] : list;
        items[2].value = bad[k][1];
        assert_int_equal(pr_instance_create(&job, type, &params, &err), PR_ERR_INPUT);
        if (!strstr(err.text, bad[k][2])) fail_msg("%s", err.text);
    }
    items[2].value = labels;
    char above[1004];
    snprintf(above, sizeof above, "17%s", strchr(list, ' '));
    items[1].value = above;
    assert_int_equal(pr_instance_create(&job, type, &params, &err), PR_ERR_INPUT);
    assert_string_equal(err.text, "input: number 0 of image 0 is 17; allowed: 0 to 16");
}

static void traces_hold_at_every_size(void **state) {
    (void)state;
    static const char *const counts[] = {"1", "15", "16", "17", "128"};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        pr_job_instance *job = create("3", counts[k]);
        traces t = traces_of(type, job, 1);
        pr_statement st = plain_statement(type->air(job));
        assert_traces_hold(&st, &t);
        traces_destroy(&t);
        pr_instance_destroy(type, job);
    }
}

/* Behind the images too. A sign is free where the sum is 0, which no unit of the model has on a dark image. */
static void a_changed_cell_is_noticed(void **state) {
    (void)state;
    uint64_t random = test_seed();
    pr_job_instance *job = create("0", "5");
    traces t = traces_of(type, job, 1);
    const uint32_t busy[3] = {5, 1000, 256};
    assert_every_column_is_noticed(type->air(job), &t, &random, 4, busy);
    traces_destroy(&t);
    pr_instance_destroy(type, job);
}

/* ---- what is public ---- */

/* Where the images stand in the public data of a model of 64 inputs, 32 units and 10 classes. */
enum { MODEL_SIZE = 8 + (16 + 64 * 32 + 4 * 32) + (16 + 32 * 10 + 4 * 10), AT_COUNT = MODEL_SIZE };

static void wrong_logits(void **state) {
    (void)state;
    pr_job_instance *job = create("0", "3"), *liar = NULL;
    traces t = traces_of(type, job, 1);
    pr_writer w = public_of(type, job);
    assert_int_equal(w.size, AT_COUNT + 4 + 3 * 64 + 3 + 4 * 30);
    static const uint8_t head[24] = {16, 0, 0, 0, 2, 0, 0, 0, 64, 0, 0, 0, 32, 0, 0, 0, 0x64, 4, 0, 0, 16, 0, 0, 0};
    assert_memory_equal(w.data, head, sizeof head); /* up to the first layer's shift */
    for (uint32_t k = 0; k < 30; k++) {
        uint8_t *byte = w.data + AT_COUNT + 4 + 3 * 64 + 3 + 4 * k;
        *byte ^= 1;
        assert_int_equal(pr_instance_create_public(&liar, type, NULL, w.data, w.size, NULL), PR_OK);
        pr_statement st = plain_statement(type->air(liar));
        assert_int_equal(count_findings(&st, &t), 1);
        pr_instance_destroy(type, liar);
        *byte ^= 1;
    }
    w.data[AT_COUNT + 4] ^= 1; /* a pixel that some unit looks at, or that no unit does: then the digest differs */
    assert_int_equal(pr_instance_create_public(&liar, type, NULL, w.data, w.size, NULL), PR_OK);
    pr_output x[6], y[6];
    assert_string_not_equal(output_of(job, "images", x), output_of(liar, "images", y));
    pr_instance_destroy(type, liar);
    pr_writer_clear(&w);
    traces_destroy(&t);
    pr_instance_destroy(type, job);
}

static void public_data_is_enough(void **state) {
    (void)state;
    pr_job_instance *job = create("10", "4"), *again = NULL;
    pr_writer w = public_of(type, job);
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_OK);
    pr_hash x = pr_air_digest(type->air(job)), y = pr_air_digest(type->air(again));
    assert_memory_equal(&x, &y, sizeof x);
    pr_m31 *columns[1] = {NULL};
    assert_int_equal(type->trace(again, 0, columns, PR_JOB_ROW_ORDER, 1, NULL), PR_ERR_INTERNAL);
    pr_instance_destroy(type, again);
    for (size_t size = 0; size < w.size; size++)
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, size, NULL), PR_ERR_MALFORMED);
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {{0, 0},          /* input_max 0 */
               {4, 5},          /* layers */
               {8, 63},         /* inputs */
               {8 + 10, 16},    /* multiplier 2^20 and more: above 255 */
               {AT_COUNT, 129}, /* images */
               {AT_COUNT, 0},   /* images */
               {AT_COUNT + 4, 17} /* a pixel above input_max */};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        uint8_t kept = w.data[bad[k].at];
        w.data[bad[k].at] = bad[k].value;
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_ERR_MALFORMED);
        w.data[bad[k].at] = kept;
    }
    w.data[w.size - 1] ^= 0x40; /* a logit of 2^30 and more */
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_ERR_MALFORMED);
    pr_writer_clear(&w);
    pr_instance_destroy(type, job);
}

static void inputs_that_are_refused(void **state) {
    (void)state;
    pr_job_instance *job = NULL;
    pr_error err = {0};
    assert_int_equal(try_create(&job, "absent.h5", "0", "1", &err), PR_ERR_INPUT);
    assert_non_null(strstr(err.text, "absent.h5"));
    assert_int_equal(try_create(&job, "README.md", "0", "1", &err), PR_ERR_INPUT);
    assert_int_equal(try_create(&job, "digits.h5", "0", "1", &err), PR_ERR_INPUT);
    assert_non_null(strstr(err.text, "input_max"));
    assert_int_equal(try_create(&job, "model.h5", "350", "11", &err), PR_ERR_INPUT);
    assert_non_null(strstr(err.text, "360 rows"));
    assert_null(job);
}

/* ---- lies ---- */

typedef enum lie_kind { LIE_SIGN, LIE_MAGNITUDE, LIE_RESCALING, LIE_LOW, LIE_HIGH, LIE_REST, LIE_VALUE } lie_kind;

/* Square root mod p, p = 3 mod 4; false when there is none. */
static bool find_root(pr_m31 *out, pr_m31 x) {
    pr_m31 r = x;
    for (int k = 0; k < 29; k++) r = pr_m31_square(r);
    *out = r;
    return pr_m31_square(r) == x;
}

static pr_m31 halved(pr_m31 x, unsigned n) { return pr_m31_mul(x, 1u << (31 - n)); }

/* A sign that is neither 0 nor 1 with a magnitude below 2^24 such that sign * magnitude, what is rescaled, is small:
 * s (2 s - 1) a = r for r = 1, 2, ..: s = (1 + sqrt(1 + 8 r / a)) / 4. */
static bool find_sign(pr_m31 *sign, pr_m31 *magnitude, pr_m31 *rescaled, pr_m31 a) {
    for (uint32_t r = 1; r < 8000; r++) {
        pr_m31 root;
        if (!find_root(&root, pr_m31_add(1, pr_m31_mul(8 * r, pr_m31_inverse(a))))) continue;
        for (int k = 0; k < 2; k++, root = pr_m31_neg(root)) {
            *sign = halved(pr_m31_add(1, root), 2);
            *magnitude = pr_m31_mul(pr_m31_sub(pr_m31_double(*sign), 1), a);
            *rescaled = r;
            if (*magnitude < 1u << 24 && *sign > 1) return true;
        }
    }
    return false;
}

/* Cells of a unit with one lie; what follows is honest. false: the lie cannot be told here. */
static bool tell_unit(pr_m31 cells[5], lie_kind kind, uint32_t multiplier) {
    pr_m31 sign = cells[0], a = pr_m31_add(cells[1], cells[2] << 16), counted = sign ? a : 0;
    if (!sign) a = pr_m31_neg(a);
    if (kind == LIE_SIGN) {
        pr_m31 magnitude;
        if (!a || !find_sign(&cells[0], &magnitude, &counted, a)) return false;
        cells[1] = magnitude & 0xffff, cells[2] = magnitude >> 16;
    }
    if (kind == LIE_MAGNITUDE) {
        if (cells[1] == 0xffff) return false;
        cells[1]++, counted = sign ? counted + 1 : 0;
    }
    if (kind == LIE_LOW) cells[1] = pr_m31_sub(cells[1], 1 << 16), cells[2]++;
    if (kind == LIE_HIGH) {
        if (!cells[1]) return false;
        cells[1]--, cells[2] = pr_m31_add(cells[2], 1u << 15);
    }
    pr_m31 scaled = pr_m31_add(pr_m31_mul(counted, multiplier), 1u << 15);
    if (scaled >= 255u << 16) return false;
    cells[3] = scaled & 0xffff, cells[4] = scaled >> 16;
    if (kind == LIE_RESCALING) cells[4]++;
    if (kind == LIE_REST) cells[3] = pr_m31_sub(cells[3], 1 << 16), cells[4]++;
    if (kind == LIE_VALUE) {
        if (!cells[3]) return false;
        cells[3]--, cells[4] = pr_m31_add(cells[4], 1u << 15);
    }
    return true;
}

/* Multiplicities counted anew; what is in no table is not counted. */
static void count_again(traces *t) {
    static const uint32_t table_of[5] = {0, PR_MLP_RANGE_16, PR_MLP_RANGE_8, PR_MLP_RANGE_16, PR_MLP_RANGE_8};
    const pr_air_component *images = &t->air->components[PR_MLP_IMAGES];
    memset(t->columns[PR_MLP_RANGE_16][0], 0, sizeof(pr_m31) << 16);
    memset(t->columns[PR_MLP_RANGE_8][0], 0, sizeof(pr_m31) << 8);
    for (uint32_t k = 0; k < images->n_columns; k++)
        for (uint32_t row = 0; k % 5 && row < 1u << images->log_size; row++) {
            pr_m31 x = t->columns[PR_MLP_IMAGES][k][row];
            uint32_t table = table_of[k % 5];
            if (x < 1u << t->air->components[table].log_size) t->columns[table][0][x]++;
        }
}

static void tell(needs *needed, const traces *honest, traces *forged, uint32_t unit, uint32_t row, lie_kind kind) {
    pr_m31 cells[5];
    for (uint32_t k = 0; k < 5; k++) cells[k] = honest->columns[PR_MLP_IMAGES][5 * unit + k][row];
    if (!tell_unit(cells, kind, 1124)) return;
    for (uint32_t k = 0; k < 5; k++) forged->columns[PR_MLP_IMAGES][5 * unit + k][row] = cells[k];
    count_again(forged);
    /* names of the last layer's constraints begin so: the logits that come out are the claim */
    culprits found = find_culprits(honest->air, honest, forged, "layer 1");
    if (!found.is_noticed) fail_msg("unit %u, row %u: lie %d was not noticed", unit, row, (int)kind);
    needs_note(needed, &found);
    for (uint32_t k = 0; k < 5; k++)
        forged->columns[PR_MLP_IMAGES][5 * unit + k][row] = honest->columns[PR_MLP_IMAGES][5 * unit + k][row];
}

static void note_logits(needs *needed) {
    const pr_air_component *c = &needed->air->components[PR_MLP_IMAGES];
    for (uint32_t k = 0; k < c->n_constraints; k++)
        if (strstr(c->constraints[k].name, "logit")) needed->constraints[PR_MLP_IMAGES][k] = true; /* wrong_logits */
}

static void everything_is_needed(void **state) {
    (void)state;
    pr_job_instance *job = create("0", "16");
    traces honest = traces_of(type, job, 1), forged = traces_copy(&honest);
    needs needed = needs_create(type->air(job), &honest);
    note_logits(&needed);
    for (uint32_t unit = 0; unit < 32; unit++)
        for (uint32_t row = 0; row < 4; row++)
            for (int kind = LIE_SIGN; kind <= LIE_VALUE; kind++)
                tell(&needed, &honest, &forged, unit, row, (lie_kind)kind);
    uint32_t missing = needs_print_missing(&needed);
    needs_destroy(&needed);
    traces_destroy(&honest);
    traces_destroy(&forged);
    pr_instance_destroy(type, job);
    assert_int_equal(missing, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_held_out_images),
        cmocka_unit_test(images_in_the_manifest),
        cmocka_unit_test(traces_hold_at_every_size),
        cmocka_unit_test(a_changed_cell_is_noticed),
        cmocka_unit_test(wrong_logits),
        cmocka_unit_test(public_data_is_enough),
        cmocka_unit_test(inputs_that_are_refused),
        cmocka_unit_test(everything_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
