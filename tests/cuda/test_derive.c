/* Columns that the device derives from given ones: every column that of the processor's kernels, padding rows too, and
 * where slots spill; proofs the same bytes, however the given columns come; and what is copied to the device falls by
 * the columns that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "air/builder.h"
#include "air/evaluate.h"
#include "air/profile.h"
#include "circle/circle.h"
#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "file_hash/job.h"
#include "job/job.h"
#include "poseidon2_merkle/job.h"
#include "poseidon2_merkle/layout.h"
#include "prove/prove.h"
#include "vm/job.h"
#include "wide_fibonacci/job.h"

enum { COLUMNS = PR_POSEIDON2_MERKLE_COLUMNS, INPUTS = PR_POSEIDON2_MERKLE_DIGEST_AT, MOST_LOG_ROWS = 9 };

/* PROVERUN_TEST_BACKEND=cuda: the one of a GPU, where there is one; then nothing is counted. */
static const pr_backend *tested(void) {
#ifdef PR_HAVE_CUDA
    const char *name = getenv("PROVERUN_TEST_BACKEND");
    if (name && !strcmp(name, "cuda")) return &pr_backend_cuda;
#endif
    return &pr_backend_cuda_emu;
}

static pr_job *create_job(const pr_job_type *type, const pr_param *items, size_t n) {
    const pr_params params = {".", n, items};
    pr_job *job = NULL;
    pr_config config;
    pr_error err = {0};
    assert_int_equal(pr_profile_config(&config, "fast", NULL), PR_OK);
    config.pow_bits = 0;
    if (pr_job_create(&job, type, &params, &config, &err) != PR_OK) fail_msg("%s", err.text);
    return job;
}

/* Many values are edges: 0, 1, p - 1. */
static pr_job *create(unsigned n_values) {
    pr_writer list;
    pr_writer_init(&list);
    for (uint64_t k = 0, x = n_values; k < n_values; k++) {
        x = x * 0x5851f42d4c957f2du + 0x14057b7ef767814fu;
        uint32_t edges[4] = {0, 1, PR_P - 1, (uint32_t)(x >> 33) % PR_P};
        pr_write_format(&list, "%u ", edges[k % 7 < 3 ? k % 7 : 3]);
    }
    pr_write_u8(&list, 0);
    const pr_param items[] = {{"input", (const char *)list.data}};
    pr_job *job = create_job(&pr_job_poseidon2_merkle, items, 1);
    pr_writer_clear(&list);
    return job;
}

static uint32_t log_rows_of(const pr_job *job) { return job->statement.air->components[0].log_size; }

/* ---- the operation ---- */

static void derive(const pr_backend *ops, pr_device *dev, const pr_job *job, const pr_col *cols) {
    pr_program program;
    pr_col inputs[COLUMNS];
    assert_int_equal(pr_program_lower(&program, &job->statement.air->components[0], PR_PROGRAM_DERIVE, NULL), PR_OK);
    assert_int_equal(program.n_constraints, COLUMNS - INPUTS);
    for (uint32_t k = 0; k < program.n_inputs; k++) {
        assert_true(!program.inputs[k].is_preprocessed && program.inputs[k].column < INPUTS);
        inputs[k] = cols[program.inputs[k].column];
    }
    const pr_derive args = {&program, log_rows_of(job), inputs, cols + INPUTS};
    assert_int_equal(ops->derive(dev, &args, NULL), PR_OK);
    pr_program_clear(&program);
}

static void compare_columns(const pr_backend *ops, pr_device *dev, const pr_job *job) {
    static pr_m31 want[COLUMNS << MOST_LOG_ROWS], got[1 << MOST_LOG_ROWS];
    uint32_t log_rows = log_rows_of(job);
    pr_m31 *columns[COLUMNS];
    pr_col cols[COLUMNS];
    for (size_t k = 0; k < COLUMNS; k++) {
        columns[k] = want + (k << log_rows);
        cols[k] = (pr_col){(COLUMNS - 1 - k) << log_rows, log_rows};
    }
    assert_true(log_rows <= MOST_LOG_ROWS);
    assert_int_equal(pr_job_fill_trace((void *)(uintptr_t)job, 0, columns, 1, NULL), PR_OK);
    for (size_t k = 0; k < INPUTS; k++) assert_int_equal(ops->upload(dev, cols[k], columns[k], NULL), PR_OK);
    derive(ops, dev, job, cols);
    for (size_t k = 0; k < COLUMNS; k++) {
        assert_int_equal(ops->download(dev, got, cols[k], NULL), PR_OK);
        if (memcmp(got, columns[k], sizeof *got << log_rows)) fail_msg("2^%u rows: column %zu differs", log_rows, k);
    }
}

/* One leaf; a full tree; padding of one row, of nearly half of all; more rows than a block has threads. */
static void test_columns(void **unused) {
    (void)unused;
    static const unsigned sizes[] = {1, 17, 128, 129, 1000, 2048, 2049};
    const pr_device_needs needs = {.n_threads = 1,
                                   .arena_bytes = sizeof(pr_m31) * COLUMNS << MOST_LOG_ROWS,
                                   .max_log_rows = MOST_LOG_ROWS,
                                   .max_columns = COLUMNS,
                                   .max_insns = 8192,
                                   .max_constants = 256,
                                   .max_inputs = INPUTS,
                                   .max_values = COLUMNS};
    pr_device *dev = NULL;
    pr_cuda_emu_reset();
    assert_int_equal(tested()->device_create(&dev, &needs, NULL), PR_OK);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        pr_job *job = create(sizes[k]);
        compare_columns(tested(), dev, job);
        pr_job_destroy(job);
    }
    tested()->device_destroy(dev);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
}

/* ---- any program ---- */

enum { MANY = 600, LOG_ROWS = 5, ROWS = 1 << LOG_ROWS, GIVEN = 2 };

/* Derived column k is x^(k + 2) + selector * y of the row before; then come as many sums of one of them from the front
 * and one from the back, so that all of those are wanted to the end and no shared memory has room for them. */
static pr_air *many_values(pr_m31 *selector) {
    static const int32_t before[] = {-1, 0};
    pr_air_builder *b = pr_air_builder_create("many");
    pr_expr y[2], values[MANY];
    pr_air *air = NULL;
    for (uint32_t r = 0; r < ROWS; r++) selector[r] = r % 3;
    (void)pr_air_add_preprocessed(b, "selector", LOG_ROWS, selector);
    (void)pr_air_component_begin(b, "many", LOG_ROWS);
    pr_expr x = pr_air_add_column(b, 0), power = x;
    pr_air_add_column_mask(b, y, before, 2);
    pr_expr moved = pr_mul(b, pr_air_use_preprocessed(b, "selector"), y[0]);
    for (int k = 0; k < MANY; k++) {
        values[k] = pr_air_add_column(b, 0);
        pr_air_constrain(b, "a value", pr_sub(b, values[k], pr_add(b, pr_mul(b, power, x), moved)));
        power = pr_sub(b, values[k], moved);
    }
    for (int k = 0; k < MANY; k++) {
        pr_expr sum = pr_air_add_column(b, 0);
        pr_air_constrain(b, "a sum", pr_sub(b, pr_add(b, values[k], values[MANY - 1 - k]), sum));
    }
    pr_air_declare_derived(b, GIVEN);
    assert_int_equal(pr_air_build(&air, b, NULL), PR_OK);
    return air;
}

static pr_m31 given(uint32_t column, uint32_t row) { return (column + 3) * (row + 0x1234567u) % PR_P; }

static pr_m31 input_at(const pr_input *in, const pr_m31 *selector, uint32_t row) {
    return in->is_preprocessed ? selector[row] : given(in->column, (row + ROWS + (uint32_t)in->offset) % ROWS);
}

static void compare_rows(const pr_backend *ops, pr_device *dev, const pr_program *program, const pr_m31 *selector) {
    static pr_m31 got[2 * MANY][ROWS];
    pr_evaluation e;
    assert_int_equal(pr_evaluation_init(&e, program, NULL), PR_OK);
    for (uint32_t k = 0; k < 2 * MANY; k++)
        assert_int_equal(ops->download(dev, got[k], (pr_col){(GIVEN + 1 + k) * ROWS, LOG_ROWS}, NULL), PR_OK);
    for (uint32_t row = 0; row < ROWS; row++) {
        for (uint32_t k = 0; k < program->n_inputs; k++) e.inputs[k] = input_at(&program->inputs[k], selector, row);
        pr_evaluation_run(&e);
        for (uint32_t k = 0; k < 2 * MANY; k++)
            assert_int_equal(got[k][pr_slot_of_row(LOG_ROWS, row)], e.constraints[k]);
    }
    pr_evaluation_clear(&e);
}

static void upload_given(const pr_backend *ops, pr_device *dev, const pr_m31 *selector) {
    for (uint32_t k = 0; k <= GIVEN; k++) {
        pr_m31 column[ROWS];
        for (uint32_t row = 0; row < ROWS; row++)
            column[pr_slot_of_row(LOG_ROWS, row)] = k == GIVEN ? selector[row] : given(k, row);
        assert_int_equal(ops->upload(dev, (pr_col){k * ROWS, LOG_ROWS}, column, NULL), PR_OK);
        assert_int_equal(ops->synchronize(dev, NULL), PR_OK);
    }
}

static void test_any_program(void **unused) {
    (void)unused;
    const pr_backend *ops = tested();
    pr_m31 selector[ROWS];
    pr_air *air = many_values(selector);
    pr_program program;
    pr_col inputs[8], out[2 * MANY];
    pr_device *dev = NULL;
    pr_cuda_emu_reset();
    assert_int_equal(pr_program_lower(&program, &air->components[0], PR_PROGRAM_DERIVE, NULL), PR_OK);
    assert_true(program.n_slots >= MANY && program.n_inputs == 3);
    const pr_device_needs needs = {.n_threads = 1,
                                   .arena_bytes = sizeof(pr_m31) * (GIVEN + 1 + 2 * MANY) * ROWS,
                                   .max_log_rows = LOG_ROWS,
                                   .max_columns = 2 * MANY,
                                   .max_slots = program.n_slots,
                                   .max_insns = program.n_insns,
                                   .max_inputs = program.n_inputs,
                                   .max_values = 2 * MANY};
    assert_int_equal(ops->device_create(&dev, &needs, NULL), PR_OK);
    upload_given(ops, dev, selector);
    for (uint32_t k = 0; k < program.n_inputs; k++)
        inputs[k] = (pr_col){(program.inputs[k].is_preprocessed ? GIVEN : program.inputs[k].column) * ROWS, LOG_ROWS};
    for (size_t k = 0; k < 2 * MANY; k++) out[k] = (pr_col){(GIVEN + 1 + k) * ROWS, LOG_ROWS};
    assert_int_equal(ops->derive(dev, &(pr_derive){&program, LOG_ROWS, inputs, out}, NULL), PR_OK);
    compare_rows(ops, dev, &program, selector);
    ops->device_destroy(dev);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    pr_program_clear(&program);
    pr_air_destroy(air);
}

/* ---- proofs ---- */

static pr_status fill_rows(void *context, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                           pr_error *err) {
    const pr_job *job = context;
    return job->type->trace(job->instance, component, columns, PR_JOB_ROW_ORDER, n_threads, err);
}

typedef struct way {
    const pr_backend *backend;
    bool in_rows, twice; /* by the same prover */
    size_t limit;        /* of device memory */
} way;

static pr_hash prove(pr_job *job, way w, pr_plan *plan) {
    const pr_prover_options options = {.backend = w.backend, .n_threads = 1, .max_device_bytes = w.limit};
    const pr_trace_source source = {job, !w.in_rows, w.in_rows ? fill_rows : pr_job_fill_trace};
    pr_prover *p = NULL;
    pr_error err = {0};
    pr_hash hash = {0};
    if (pr_prover_create(&p, &job->layout, &options, &err) != PR_OK) fail_msg("%s", err.text);
    *plan = *pr_prover_get_plan(p);
    for (int k = 0; k < 1 + w.twice; k++) {
        pr_proof proof = {0};
        pr_writer bytes;
        pr_writer_init(&bytes);
        if (pr_prover_run(p, &proof, &source, NULL, NULL, NULL, &err) != PR_OK) fail_msg("%s", err.text);
        assert_int_equal(pr_proof_encode(&bytes, &proof, &job->layout), PR_OK);
        pr_hash h = pr_blake2s_hash(bytes.data, bytes.size);
        if (k) assert_true(pr_hash_equal(&h, &hash));
        hash = h;
        pr_writer_clear(&bytes);
        pr_proof_clear(&proof);
    }
    pr_prover_destroy(p);
    return hash;
}

static size_t on_device(const pr_plan *p) { return p->arena_bytes - p->far_bytes + p->workspace_bytes; }

/* The proof of the processor; within the memory that was planned. */
static pr_plan expect_proof(pr_job *job, const pr_hash *expected, way w) {
    pr_plan plan;
    pr_cuda_emu_reset();
    pr_hash got = prove(job, w, &plan);
    const pr_cuda_counts counts = pr_cuda_emu_counts();
    assert_true(pr_hash_equal(&got, expected));
    assert_true(counts.peak_bytes <= on_device(&plan));
    assert_true(counts.peak_pinned_bytes <= plan.pinned_bytes + plan.far_bytes);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    return plan;
}

static void prove_every_way(unsigned n_values) {
    const pr_backend *emu = tested();
    pr_job *job = create(n_values);
    pr_plan plan;
    const pr_hash expected = prove(job, (way){.backend = pr_cpu_best()}, &plan);
    for (int in_rows = 0; in_rows < 2; in_rows++) (void)expect_proof(job, &expected, (way){emu, in_rows, true, 0});
    pr_job_destroy(job);
}

static void test_proofs(void **unused) {
    (void)unused;
    prove_every_way(20);
    prove_every_way(300);
}

/* Two given columns; given columns of the row before, and a preprocessed one that no lookup reads; a component among
 * others. */
static void test_other_types(void **unused) {
    (void)unused;
    static const pr_param rows[] = {{"log_rows", "6"}, {"columns", "20"}},
                          text[] = {{"text", "a few blocks of a file, and then some more of it"}},
                          code[] = {{"code", "HASH r1, r1, 5\nHALT"}, {"input", "1"}};
    pr_job *const jobs[] = {create_job(&pr_job_wide_fibonacci, rows, 2), create_job(&pr_job_file_hash, text, 1),
                            create_job(&pr_job_vm, code, 2)};
    for (size_t k = 0; k < 3; k++) {
        pr_plan plan;
        const pr_hash expected = prove(jobs[k], (way){.backend = pr_cpu_best()}, &plan);
        (void)expect_proof(jobs[k], &expected, (way){.backend = tested(), .twice = true});
        pr_job_destroy(jobs[k]);
    }
}

/* Where columns are streamed, kernels do not reach them: the job computes them all. A GPU's tables are larger than such
 * columns. */
static void test_streamed_columns(void **unused) {
    (void)unused;
    const pr_backend *emu = tested();
    if (emu != &pr_backend_cuda_emu) skip();
    pr_job *job = create(1500);
    pr_plan plan;
    const pr_hash expected = prove(job, (way){.backend = pr_cpu_best()}, &plan);
    const pr_plan all = expect_proof(job, &expected, (way){.backend = emu});
    for (int in_rows = 0; in_rows < 2; in_rows++) {
        const pr_plan far = expect_proof(job, &expected, (way){emu, in_rows, true, on_device(&all) * 3 / 4});
        assert_true(far.far_bytes > 0);
    }
    pr_job_destroy(job);
}

static uint64_t copied_bytes(pr_job *job) {
    pr_plan plan;
    pr_cuda_emu_reset();
    const uint64_t before = pr_cuda_emu_counts().to_device_bytes;
    (void)prove(job, (way){.backend = tested()}, &plan);
    return pr_cuda_emu_counts().to_device_bytes - before;
}

/* Against the same AIR without the advice. */
static void test_copies(void **unused) {
    (void)unused;
    enum { TABLES = 32 << 10 }; /* the program among them */
    if (tested() != &pr_backend_cuda_emu) skip();
    pr_job *job = create(1500);
    const uint64_t computed = copied_bytes(job), columns = (COLUMNS - INPUTS) * sizeof(pr_m31) << log_rows_of(job);
    ((pr_air *)(uintptr_t)job->statement.air)->components[0].n_derived = 0;
    const uint64_t copied = copied_bytes(job);
    print_message("2^%u rows: %llu bytes copied to the device; %llu with every column copied\n", log_rows_of(job),
                  (unsigned long long)computed, (unsigned long long)copied);
    assert_true(copied >= computed + columns - TABLES && copied <= computed + columns);
    pr_job_destroy(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns),          cmocka_unit_test(test_any_program),
                                       cmocka_unit_test(test_proofs),           cmocka_unit_test(test_other_types),
                                       cmocka_unit_test(test_streamed_columns), cmocka_unit_test(test_copies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
