#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "soundness.h"
#include "state_machine/job.h"

static const pr_job_type *const type = &pr_job_state_machine;

static pr_status try_create(pr_job_instance **job, pr_m31 x, pr_m31 y, uint32_t x_steps, uint32_t y_steps,
                            pr_error *err) {
    char text[4][16];
    const uint32_t numbers[4] = {x, y, x_steps, y_steps};
    for (int k = 0; k < 4; k++) snprintf(text[k], sizeof text[k], "%u", numbers[k]);
    const pr_param items[] = {{"x", text[0]}, {"y", text[1]}, {"x_steps", text[2]}, {"y_steps", text[3]}};
    pr_params params = {.base_dir = ".", .n = 4, .items = items};
    PR_TRY(pr_params_check(type, &params, NULL, err));
    return pr_instance_create(job, type, &params, err);
}

static pr_job_instance *create(pr_m31 x, pr_m31 y, uint32_t x_steps, uint32_t y_steps) {
    pr_job_instance *job = NULL;
    pr_error err = {0};
    if (try_create(&job, x, y, x_steps, y_steps, &err) != PR_OK) fail_msg("%s", err.text);
    return job;
}

static pr_statement statement_of(const pr_job_instance *job) {
    pr_statement st = plain_statement(type->air(job));
    assert_int_equal(type->public_terms(job, &st, NULL), PR_OK);
    return st;
}

static void assert_final(const pr_job_instance *job, pr_m31 x, pr_m31 y) {
    pr_output out[2];
    char text[2][16];
    snprintf(text[0], sizeof text[0], "%u", x);
    snprintf(text[1], sizeof text[1], "%u", y);
    assert_int_equal(type->outputs(job, out, 2), 2);
    assert_string_equal(out[0].value, text[0]);
    assert_string_equal(out[1].value, text[1]);
}

/* No step along an axis, one, a component exactly full, one more; a coordinate that wraps. */
static void walks_hold(void **state) {
    (void)state;
    static const struct {
        pr_m31 x, y;
        uint32_t x_steps, y_steps;
        pr_m31 x_end, y_end;
        uint32_t x_log, y_log;
    } walks[] = {{5, 9, 20, 7, 25, 16, 5, 4},  {0, 0, 1, 0, 1, 0, 4, 4},     {0, 0, 0, 1, 0, 1, 4, 4},
                 {7, 8, 16, 17, 23, 25, 4, 5}, {1, 2, 33, 32, 34, 34, 6, 5}, {PR_P - 2, PR_P - 1, 5, 1, 3, 0, 4, 4}};
    for (size_t k = 0; k < sizeof walks / sizeof *walks; k++) {
        pr_job_instance *job = create(walks[k].x, walks[k].y, walks[k].x_steps, walks[k].y_steps);
        traces t = traces_of(type, job, 1);
        pr_statement st = statement_of(job);
        assert_traces_hold(&st, &t);
        assert_final(job, walks[k].x_end, walks[k].y_end);
        assert_int_equal(type->air(job)->components[0].log_size, walks[k].x_log);
        assert_int_equal(type->air(job)->components[1].log_size, walks[k].y_log);
        pr_statement_clear(&st);
        traces_destroy(&t);
        pr_instance_destroy(type, job);
    }
}

/* docs/statement.md, "Public data of job types" */
static void public_data_is_as_documented(void **state) {
    (void)state;
    static const uint8_t expected[24] = {5, 0, 0, 0, 9, 0, 0, 0, 20, 0, 0, 0, 7, 0, 0, 0, 25, 0, 0, 0, 16, 0, 0, 0};
    pr_job_instance *job = create(5, 9, 20, 7);
    assert_public(type, job, expected, sizeof expected);
    pr_instance_destroy(type, job);
}

/* Each of the six numbers, one more; steps that leave the sizes of the components as they are. */
static void wrong_claims(void **state) {
    (void)state;
    pr_job_instance *job = create(5, 9, 20, 7), *liar = NULL;
    traces t = traces_of(type, job, 1);
    pr_writer w = public_of(type, job);
    for (size_t at = 0; at < w.size; at += 4) {
        w.data[at]++;
        assert_int_equal(pr_instance_create_public(&liar, type, NULL, w.data, w.size, NULL), PR_OK);
        pr_statement st = statement_of(liar);
        assert_true(count_findings(&st, &t) > 0);
        pr_statement_clear(&st);
        pr_instance_destroy(type, liar);
        w.data[at]--;
    }
    pr_writer_clear(&w);
    traces_destroy(&t);
    pr_instance_destroy(type, job);
}

static void public_data_is_enough(void **state) {
    (void)state;
    pr_job_instance *job = create(5, 9, 20, 7), *again = NULL;
    pr_writer w = public_of(type, job);
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_OK);
    pr_hash x = pr_air_digest(type->air(job)), y = pr_air_digest(type->air(again));
    assert_memory_equal(&x, &y, sizeof x);
    assert_final(again, 25, 16);
    assert_int_equal(type->trace(again, 0, NULL, PR_JOB_ROW_ORDER, 1, NULL), PR_ERR_INTERNAL);
    pr_instance_destroy(type, again);
    for (size_t size = 0; size < w.size; size++)
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, size, NULL), PR_ERR_MALFORMED);
    for (size_t at = 3; at < w.size; at += 4) { /* elements of 2^31 and more, too many steps */
        w.data[at] = 0xee;
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_ERR_MALFORMED);
        w.data[at] = 0;
    }
    memset(w.data + 8, 0, 8);
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_ERR_MALFORMED);
    pr_writer_clear(&w);
    pr_instance_destroy(type, job);
}

static void parameters_are_checked(void **state) {
    (void)state;
    pr_job_instance *job = NULL;
    pr_error err = {0};
    assert_int_equal(try_create(&job, 1, 2, 0, 0, &err), PR_ERR_USAGE);
    assert_non_null(strstr(err.text, "no steps"));
    assert_int_equal(try_create(&job, PR_P, 0, 1, 1, &err), PR_ERR_USAGE);
    assert_int_equal(try_create(&job, 0, 0, (1u << 24) + 1, 1, &err), PR_ERR_USAGE);
    assert_null(job);
}

static void the_planned_size(void **state) {
    (void)state;
    const pr_param items[] = {{"x_steps", "20"}, {"y_steps", "7"}};
    pr_params params = {.base_dir = ".", .n = 2, .items = items};
    pr_job_size size;
    assert_int_equal(type->size(&size, &params, NULL), PR_OK);
    assert_int_equal(size.log_rows, 5);
    assert_int_equal(size.cells, 8 * (32 + 16));
}

/* From a step on, one coordinate is one more than it was: the step takes a state that nobody gives, and all that
 * follows is honest. */
static void jump(const traces *honest, traces *forged, uint32_t component, uint32_t coordinate, uint32_t row,
                 const uint32_t *n_steps) {
    for (uint32_t c = component; c < 2; c++)
        for (uint32_t r = c == component ? row : 0; r < n_steps[c]; r++)
            forged->columns[c][coordinate][r] = pr_m31_add(honest->columns[c][coordinate][r], 1);
}

static void each_is_needed(void **state) {
    (void)state;
    static const uint32_t n_steps[2] = {20, 7};
    uint64_t random = test_seed();
    pr_job_instance *job = create(5, 9, n_steps[0], n_steps[1]);
    const pr_air *air = type->air(job);
    traces honest = traces_of(type, job, 1);
    needs needed = needs_create(air, &honest);
    for (uint32_t component = 0; component < 2; component++)
        for (uint32_t coordinate = 0; coordinate < 2; coordinate++) {
            traces jumps = traces_copy(&honest), fills = traces_copy(&honest);
            jump(&honest, &jumps, component, coordinate, 3, n_steps);
            fills.columns[component][coordinate][n_steps[component] + 1] = 1;
            culprits by_jump = find_culprits(air, &honest, &jumps, NULL);
            culprits by_fill = find_culprits(air, &honest, &fills, NULL);
            assert_int_equal(by_jump.n, 1);
            assert_true(by_jump.items[0].is_lookup);
            assert_int_equal(by_fill.n, 1);
            assert_false(by_fill.items[0].is_lookup);
            needs_note(&needed, &by_jump);
            needs_note(&needed, &by_fill);
            traces_destroy(&jumps);
            traces_destroy(&fills);
        }
    assert_int_equal(needs_print_missing(&needed), 0);
    assert_every_column_is_noticed(air, &honest, &random, 40, n_steps);
    needs_destroy(&needed);
    traces_destroy(&honest);
    pr_instance_destroy(type, job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_hold),
        cmocka_unit_test(public_data_is_as_documented),
        cmocka_unit_test(wrong_claims),
        cmocka_unit_test(public_data_is_enough),
        cmocka_unit_test(parameters_are_checked),
        cmocka_unit_test(the_planned_size),
        cmocka_unit_test(each_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
