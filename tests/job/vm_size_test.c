/* What is foretold of a program's proof against the proof's own plan, for programs that take as many steps as their
 * jobs allow: heavy in MATMUL, RELU and HASH, and ordinary ones. */
#include "air/profile.h"
#include "air/program.h"
#include "cpu/cpu_backend.h"
#include "data_pipeline/job.h"
#include "generic_compute/job.h"
#include "job/estimate.h"
#include "job/job.h"
#include "prove/prove.h"
#include "vm/job.h"
#include "vm/run.h"
#include "vm/size.h"
#include "vm/source.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { HEAVY_PERCENT = 10, ORDINARY_PERCENT = 20 };

/* Cells of the trace that lookups read, component by component; with all preprocessed ones. */
static uint64_t count_looked_up(const pr_air *air) {
    uint64_t n = 0;
    for (uint32_t k = 0; k < air->n_preprocessed; k++) n += UINT64_C(1) << air->preprocessed[k].log_size;
    for (uint32_t c = 0; c < air->n_components; c++) {
        const pr_air_component *component = &air->components[c];
        pr_program lookups;
        bool *used = calloc(component->n_columns, sizeof *used);
        assert_non_null(used);
        assert_int_equal(pr_program_lower(&lookups, component, PR_PROGRAM_LOOKUPS, NULL), PR_OK);
        for (uint32_t i = 0; i < lookups.n_inputs; i++)
            if (!lookups.inputs[i].is_preprocessed) used[lookups.inputs[i].column] = true;
        for (uint32_t k = 0; k < component->n_columns; k++) n += (uint64_t)used[k] << component->log_size;
        pr_program_clear(&lookups);
        free(used);
    }
    return n;
}

/* Rows as they are: the cells that follow must be those of the AIR. */
static pr_job_size real_size(const pr_job *job) {
    const pr_vm_public *s = &job->instance->run.statement;
    pr_vm_rows rows = {{0}};
    for (int c = 0; c < PR_VM_COMPONENTS; c++)
        if (s->log_rows[c]) rows.n[c] = (double)(UINT64_C(1) << s->log_rows[c]);
    pr_job_size size = pr_vm_size_of_rows(&s->program, &rows), of_layout = pr_job_size_of_layout(&job->layout);
    assert_int_equal(size.cells, of_layout.cells);
    assert_int_equal(size.n_columns, of_layout.n_columns);
    assert_int_equal(size.n_values, of_layout.n_values);
    assert_int_equal(size.n_looked_up, count_looked_up(job->statement.air));
    assert_int_equal(size.log_rows, of_layout.log_rows);
    assert_int_equal(size.n_trees, of_layout.n_trees);
    return size;
}

static pr_job *create(const pr_job_type *type, const pr_params *params, const pr_config *config) {
    pr_job *job = NULL;
    pr_error e = {0};
    if (pr_job_create(&job, type, params, config, &e) != PR_OK) fail_msg("%s", e.text);
    return job;
}

/* Where it is run for it, the size is known. */
static void expect_known(const pr_job_type *type, const pr_params *params, const pr_job *job,
                         const pr_job_size *known) {
    const pr_vm_public *s = &job->instance->run.statement;
    pr_job_size tried;
    pr_error e = {0};
    const uint64_t takes = s->n_steps + (uint64_t)s->n_inputs;
    uint64_t effort = takes + 7;
    if (type->try_size(&tried, params, &effort, &e) != PR_OK) fail_msg("%s", e.text);
    assert_int_equal(effort, 7);
    assert_int_equal(tried.cells, known->cells);
    assert_int_equal(tried.n_columns, known->n_columns);
    assert_int_equal(tried.n_values, known->n_values);
    assert_int_equal(tried.n_looked_up, known->n_looked_up);
    assert_int_equal(tried.log_rows, known->log_rows);
    assert_int_equal(tried.n_trees, known->n_trees);
    assert_int_equal(tried.instance_bytes, known->instance_bytes);
    effort = takes - 1;
    assert_int_equal(type->try_size(&tried, params, &effort, &e), PR_ERR_INPUT);
    assert_true(effort < takes);
}

/* A file that may crash the HDF5 library is not read for an estimate. */
static void expect_unread(const pr_job_type *type, const pr_params *params) {
    pr_job_size tried;
    uint64_t effort = 1 << 24;
    assert_int_equal(type->try_size(&tried, params, &effort, NULL), PR_ERR_INPUT);
    assert_int_equal(effort, 1 << 24);
}

static void foretell(const char *name, const pr_job_type *type, const pr_params *params, int allowed_percent) {
    const pr_costs costs = pr_costs_built_in(PR_ISA_AVX2);
    const pr_prover_options options = {.backend = pr_cpu_best(), .n_threads = 1};
    pr_config config;
    pr_plan plan;
    pr_job_size size;
    pr_error e = {0};
    assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
    pr_job *job = create(type, params, &config);
    if (pr_prover_plan(&plan, &job->layout, &options, &e) != PR_OK) fail_msg("%s", e.text);
    pr_job_size known = real_size(job);
    double real = (double)plan.total_bytes + (double)known.instance_bytes;
    double by_rows = (double)pr_estimate_size(&known, &config, &costs, 1).host_bytes;
    assert_true(by_rows >= real && by_rows <= 1.1 * real);
    if (type->size(&size, params, &e) != PR_OK) fail_msg("%s", e.text);
    double foretold = (double)pr_estimate_size(&size, &config, &costs, 1).host_bytes, off = 100 * (foretold / real - 1);
    uint64_t cells = pr_job_size_of_layout(&job->layout).cells;
    print_message("%s: %u steps, %.1f MB, foretold %.1f MB (%+.1f %%), cells %llu, foretold %llu, 2^%u rows, 2^%u\n",
                  name, job->instance->run.statement.n_steps, real / 1e6, foretold / 1e6, off,
                  (unsigned long long)cells, (unsigned long long)size.cells, job->layout.log_max_rows, size.log_rows);
    if (type->try_size && pr_params_get(type, params, "data"))
        expect_unread(type, params);
    else if (type->try_size)
        expect_known(type, params, job, &known);
    pr_job_destroy(job);
    assert_true(fabs(off) <= allowed_percent);
}

/* The last parameter is max_steps, and is set to what the program takes. */
static void compare(const char *name, const pr_job_type *type, size_t n, pr_param *items, int allowed_percent) {
    const pr_params params = {"jobs", n, items};
    pr_config config;
    char steps[16];
    assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
    pr_job *job = create(type, &params, &config);
    snprintf(steps, sizeof steps, "%u", job->instance->run.statement.n_steps);
    pr_job_destroy(job);
    items[n - 1].value = steps;
    foretell(name, type, &params, allowed_percent);
}

#define MOST_STEPS "4194302"

static void compare_code(const char *name, const char *code, const char *input, int allowed_percent) {
    pr_param items[] = {{"code", code}, {"input", input}, {"max_steps", MOST_STEPS}};
    compare(name, &pr_job_vm, 3, items, allowed_percent);
}

/* The input decides when it stops, long before max_steps: without running it, memory is planned for all of them. */
static void test_stops_early(void **state) {
    (void)state;
    static const char *const codes[] = {
        "LOADIMM r1, INPUT\nLOAD r2, r1, 1\nnext: STORE r2, r2, 5000\nMUL r4, r2, r2\nSHL r4, r4, 3\nDIV r5, r4, r2\n"
        "SUB r2, r2, 1\nJNZ r2, next\nLOADIMM r5, OUTPUT\nLOADIMM r6, 3\nSTORE r6, r5\nHALT\n",
        "LOADIMM r1, INPUT\nLOAD r2, r1, 1\nnext: SUB r2, r2, 1\nDIV r5, r1, r2\nJNZ r1, next\nHALT\n", /* by zero */
        "LOADIMM r1, INPUT\nLOAD r2, r1, 1\nLOADIMM r3, 70000\nHASH r3, r1, r2\nRELU r2, r2\nHALT\n"};
    const pr_costs costs = pr_costs_built_in(PR_ISA_AVX2);
    for (size_t k = 0; k < sizeof codes / sizeof *codes; k++) {
        pr_param items[] = {{"code", codes[k]}, {"input", "300 7 9"}, {"max_steps", MOST_STEPS}};
        const pr_params params = {"jobs", 3, items};
        uint64_t effort = 1 << 24, little = 100, none = little;
        pr_estimate known, too_little, unknown;
        pr_config config;
        assert_int_equal(pr_profile_config(&config, "standard", NULL), PR_OK);
        pr_job *job = create(&pr_job_vm, &params, &config);
        pr_job_size size = real_size(job);
        expect_known(&pr_job_vm, &params, job, &size);
        uint64_t takes = job->instance->run.statement.n_steps + UINT64_C(3);
        pr_job_destroy(job);
        assert_int_equal(pr_estimate_job(&known, &pr_job_vm, &params, &config, &costs, 1, &effort, NULL), PR_OK);
        assert_int_equal(effort, (1 << 24) - takes);
        assert_int_equal(known.host_bytes, pr_estimate_size(&size, &config, &costs, 1).host_bytes);
        assert_int_equal(pr_estimate_job(&unknown, &pr_job_vm, &params, &config, &costs, 1, NULL, NULL), PR_OK);
        assert_true(unknown.host_bytes > 20 * known.host_bytes && unknown.expected_ns > 20 * known.expected_ns);
        assert_int_equal(pr_estimate_job(&too_little, &pr_job_vm, &params, &config, &costs, 1, &little, NULL), PR_OK);
        assert_int_equal(too_little.host_bytes, unknown.host_bytes);
        assert_true(little < none);
    }
}

static void test_matmul(void **state) {
    (void)state;
    compare_code("one MATMUL",
                 "LOADIMM r1, 1000\nLOADIMM r2, 9000\nLOADIMM r3, 20000\nMATMUL r3, r1, r2, 40, 50, 60\nHALT\n", "1",
                 HEAVY_PERCENT);
    compare_code("MATMUL in a loop",
                 "LOADIMM r1, INPUT\nLOADIMM r2, 9000\nLOADIMM r3, 20000\nLOADIMM r4, 25\n"
                 "next: MATMUL r3, r1, r2, 16, 16, 16\nADD r2, r2, 1\nSUB r4, r4, 1\nJNZ r4, next\nHALT\n",
                 "1 2 3", HEAVY_PERCENT);
    compare_code("a network's layers",
                 "LOADIMM r1, 1000\nLOADIMM r2, 4000\nLOADIMM r3, 90000\nLOADIMM r4, 99000\nLOADIMM r9, 20\n"
                 "batch: MATMUL r3, r1, r2, 4, 64, 32\nLOADIMM r5, 128\nADD r6, r3, 0\n"
                 "relu: LOAD r7, r6\nRELU r7, r7\nSTORE r7, r6\nADD r6, r6, 1\nSUB r5, r5, 1\nJNZ r5, relu\n"
                 "MATMUL r4, r3, r2, 4, 32, 10\nSUB r9, r9, 1\nJNZ r9, batch\nHALT\n",
                 "1", HEAVY_PERCENT);
}

static void test_relu(void **state) {
    (void)state;
    compare_code("RELU over memory",
                 "LOADIMM r1, 1000\nLOADIMM r2, 9000\n"
                 "next: LOAD r3, r1\nRELU r3, r3\nSTORE r3, r1\nADD r1, r1, 1\nSUB r2, r2, 1\nJNZ r2, next\nHALT\n",
                 "1", HEAVY_PERCENT);
    compare_code("RELU alone", "LOADIMM r2, 20000\nnext: RELU r3, r2\nSUB r2, r2, 1\nJNZ r2, next\nHALT\n", "1",
                 HEAVY_PERCENT);
}

static void test_hash(void **state) {
    (void)state;
    compare_code("one HASH, length in a register", "LOADIMM r1, 1000\nLOADIMM r2, 50000\nHASH r1, r1, r2\nHALT\n", "1",
                 HEAVY_PERCENT);
    compare_code("HASH in a loop",
                 "LOADIMM r1, 1000\nLOADIMM r2, 400\n"
                 "next: HASH r1, r1, 64\nSUB r2, r2, 1\nJNZ r2, next\nHALT\n",
                 "1", HEAVY_PERCENT);
    compare_code("a tree of pairs",
                 "LOADIMM r1, 1000\nLOADIMM r2, 600\n"
                 "next: HASH r1, r1, 16\nADD r1, r1, 8\nSUB r2, r2, 1\nJNZ r2, next\nHALT\n",
                 "1", HEAVY_PERCENT);
}

/* Programs of files, with little of any of these. */
static void test_ordinary(void **state) {
    (void)state;
    pr_param fibonacci[] = {{"program", "vm/programs/fibonacci.asm"}, {"input", "9000"}, {"max_steps", MOST_STEPS}};
    pr_param sort[] = {{"program", "vm/programs/sort.asm"},
                       {"input_file", "vm/programs/iris_sepal_length.txt"},
                       {"max_steps", MOST_STEPS}};
    pr_param mix[] = {{"program", "vm/programs/mix.asm"}, {"input", "1 2 3"}, {"max_steps", MOST_STEPS}};
    pr_param network[] = {
        {"program", "vm/programs/network.asm"}, {"input_file", "vm/programs/digit.txt"}, {"max_steps", MOST_STEPS}};
    pr_param hash[] = {{"program", "vm/programs/hash.asm"}, {"input", "1 2 3 4 5"}, {"max_steps", MOST_STEPS}};
    compare("fibonacci", &pr_job_vm, 3, fibonacci, ORDINARY_PERCENT);
    compare("sort", &pr_job_vm, 3, sort, ORDINARY_PERCENT);
    compare("mix", &pr_job_vm, 3, mix, ORDINARY_PERCENT);
    compare("network", &pr_job_vm, 3, network, ORDINARY_PERCENT);
    compare("hash", &pr_job_vm, 3, hash, ORDINARY_PERCENT);
    pr_param changes[] = {{"program", "generic_compute/label_changes.asm"},
                          {"data", "data_pipeline/digits.h5"},
                          {"dataset", "labels"},
                          {"max_steps", MOST_STEPS}};
    compare("label changes", &pr_job_generic_compute, 4, changes, ORDINARY_PERCENT);
    pr_param histogram[] = {{"operation", "histogram"},
                            {"data", "data_pipeline/digits.h5"},
                            {"dataset", "labels"},
                            {"bins", "10"},
                            {"max_steps", MOST_STEPS}};
    compare("histogram", &pr_job_data_pipeline, 5, histogram, ORDINARY_PERCENT);
    compare_code("calls",
                 "LOADIMM r2, 9000\nnext: CALL add\nSUB r2, r2, 1\nJNZ r2, next\nHALT\nadd: ADD r3, r3, r2\nRET\n", "1",
                 ORDINARY_PERCENT);
}

/* What data_pipeline does takes as many steps as there are values to do it with, whatever is allowed. */
static void test_pipelines(void **state) {
    static const char *const operations[] = {"sum", "min", "max", "count", "histogram"};
    (void)state;
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++) {
        const pr_param items[] = {{"operation", operations[k]},
                                  {"data", "data_pipeline/digits.h5"},
                                  {"dataset", "pixels"},
                                  {"column", "27"},
                                  {"max_steps", MOST_STEPS}};
        const pr_params params = {"jobs", 5, items};
        foretell(operations[k], &pr_job_data_pipeline, &params, ORDINARY_PERCENT);
    }
}

static pr_vm_rows rows_of(const char *code, uint64_t max_steps) {
    const pr_param items[] = {{"code", code}};
    const pr_params params = {".", 1, items};
    pr_vm_program program = {0};
    pr_vm_rows rows;
    assert_int_equal(pr_vm_source_program(&program, &pr_job_vm, &params, NULL), PR_OK);
    assert_int_equal(pr_vm_expect_rows(&rows, &program, max_steps, 0, NULL), PR_OK);
    pr_vm_program_clear(&program);
    return rows;
}

static void test_rows(void **state) {
    (void)state;
    /* no loop: every line once, whatever is allowed */
    pr_vm_rows r = rows_of("LOADIMM r1, 5\nADD r1, r1, 2\nMATMUL r1, r1, r1, 2, 3, 4\nHASH r1, r1, 9\nHALT\n", 1000000);
    assert_true(r.n[PR_VM_MAIN] == 5 && r.n[PR_VM_ADDITION] == 1 && r.n[PR_VM_PRODUCT] == 24);
    assert_true(r.n[PR_VM_SPONGE] == 3 && r.n[PR_VM_DIGEST] == 1 && r.n[PR_VM_MEMORY] == 48 + 8 + 9 + 8);
    /* a loop takes what is left */
    r = rows_of("LOADIMM r1, 5\nnext: SHL r1, r1, 2\nJNZ r1, next\nHALT\n", 2002);
    assert_true(r.n[PR_VM_SHIFT] == 1000 && r.n[PR_VM_MULTIPLICATION] == 1000 && r.n[PR_VM_EQUALITY] == 1000);
    /* a function is as deep in loops as its call, and one that calls itself is a loop */
    r = rows_of("next: CALL f\nJNZ r1, next\nHALT\nf: XOR r1, r1, 3\nRET\n", 4001);
    assert_true(r.n[PR_VM_BITWISE] == 1000 && r.n[PR_VM_MEMORY] == 2000);
    r = rows_of("CALL f\nHALT\nf: XOR r1, r1, 3\nJZ r1, end\nCALL f\nend: RET\n", 4002);
    assert_true(r.n[PR_VM_BITWISE] == 1000);
    /* of nested loops the inner one runs more often */
    r = rows_of("out: AND r1, r1, 3\nin: ADD r1, r1, 1\nJNZ r1, in\nJNZ r2, out\nHALT\n", 10001);
    assert_true(r.n[PR_VM_ADDITION] > 10 * r.n[PR_VM_BITWISE] && r.n[PR_VM_MAIN] > 9999);
    /* a HASH of unknown length may take it all */
    r = rows_of("HASH r1, r1, r2\nHALT\n", 40000);
    assert_true(r.n[PR_VM_SPONGE] > 9000 && r.n[PR_VM_SPONGE] < 11000);
}

/* No program, or one with a mistake: its job fails at once. */
static void test_no_program(void **state) {
    (void)state;
    const pr_param missing[] = {{"program", "not-there.asm"}}, wrong[] = {{"code", "ADD r1, r1, r40\n"}};
    const pr_params none = {".", 1, missing}, bad = {".", 1, wrong};
    pr_job_size size;
    assert_int_equal(pr_job_vm.size(&size, &none, NULL), PR_ERR_INPUT);
    assert_int_equal(pr_job_vm.size(&size, &bad, NULL), PR_ERR_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stops_early), cmocka_unit_test(test_matmul),
                                       cmocka_unit_test(test_relu),        cmocka_unit_test(test_hash),
                                       cmocka_unit_test(test_ordinary),    cmocka_unit_test(test_pipelines),
                                       cmocka_unit_test(test_rows),        cmocka_unit_test(test_no_program)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
