/* logup of every backend: golden vectors, and random components against a direct evaluation in row order. */
#include "program_cases.h"
#include "../field/json_field.h"

#define N_TRACE_MAX 6
#define MAX_BATCHES 3
#define N_NODES 30

typedef struct logup_case {
    program_case base;
    uint32_t n;
    pr_program program;
    pr_m31 *trace[N_TRACE_MAX], *preprocessed[2];
    pr_m31 *want[4 * MAX_BATCHES];
    pr_qm31 claimed;
} logup_case;

static void write_secure(pr_m31 *const cols[4], uint32_t slot, pr_qm31 v) {
    for (int k = 0; k < 4; k++) cols[k][slot] = v.c[k];
}

static void find_wanted(logup_case *c) {
    const pr_air_component *comp = &c->base.component;
    const case_columns_view view = {c->trace, c->preprocessed, c->n, 0};
    pr_m31 *v = malloc(comp->n_nodes * sizeof *v);
    uint32_t rows = 1u << c->n, last = comp->n_batches - 1;
    c->claimed = PR_QM31_ZERO;
    for (uint32_t slot = 0; slot < rows; slot++) {
        pr_qm31 total = PR_QM31_ZERO, num, den;
        case_evaluate(v, comp, &view, slot);
        for (uint32_t k = 0; k <= last; k++) {
            case_fraction(&num, &den, &c->base, k, v);
            total = pr_qm31_add(total, pr_qm31_mul(num, pr_qm31_inverse(den)));
            write_secure(&c->want[4 * k], slot, total);
        }
        c->claimed = pr_qm31_add(c->claimed, total);
    }
    pr_qm31 shift = pr_qm31_mul_m31(c->claimed, pr_m31_inverse(rows)), sum = PR_QM31_ZERO;
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t slot = pr_slot_of_row(c->n, r);
        pr_m31 *const *cols = &c->want[4 * last];
        pr_qm31 value = {{cols[0][slot], cols[1][slot], cols[2][slot], cols[3][slot]}};
        sum = pr_qm31_add(sum, pr_qm31_sub(value, shift));
        write_secure(cols, slot, sum);
    }
    free(v);
}

static void make_case(logup_case *c, uint64_t *state, uint32_t n, uint32_t n_nodes, uint32_t n_batches) {
    pr_error err = {0};
    size_t rows = (size_t)1 << n;
    *c = (logup_case){.n = n};
    case_init(&c->base, state, n, n_nodes, 2, n_batches);
    if (pr_program_lower(&c->program, &c->base.component, PR_PROGRAM_LOOKUPS, &err) != PR_OK) fail_msg("%s", err.text);
    for (uint32_t k = 0; k < c->base.component.n_columns; k++) c->trace[k] = fixture_values(state, rows);
    for (int k = 0; k < 2; k++) c->preprocessed[k] = fixture_values(state, rows);
    for (uint32_t k = 0; k < 4 * n_batches; k++) c->want[k] = malloc(rows * sizeof(pr_m31));
    find_wanted(c);
}

static void clear_case(logup_case *c) {
    for (int k = 0; k < N_TRACE_MAX; k++) free(c->trace[k]);
    for (int k = 0; k < 2; k++) free(c->preprocessed[k]);
    for (int k = 0; k < 4 * MAX_BATCHES; k++) free(c->want[k]);
    pr_program_clear(&c->program);
    case_clear(&c->base);
}

/* A case in the arena. */
typedef struct placed_case {
    pr_col inputs[256], out[4 * MAX_BATCHES], trace[N_TRACE_MAX];
    pr_qm31 claimed;
    pr_logup args;
} placed_case;

static void place_case(placed_case *to, fixture *f, const logup_case *c) {
    pr_col preprocessed[2];
    for (uint32_t k = 0; k < 4 * c->program.n_batches; k++) to->out[k] = fixture_col(f, c->n);
    for (uint32_t k = 0; k < c->base.component.n_columns; k++)
        fixture_upload(f, to->trace[k] = fixture_col(f, c->n), c->trace[k]);
    for (int k = 0; k < 2; k++) fixture_upload(f, preprocessed[k] = fixture_col(f, c->n), c->preprocessed[k]);
    for (uint32_t k = 0; k < c->program.n_inputs; k++)
        to->inputs[k] = c->program.inputs[k].is_preprocessed ? preprocessed[c->program.inputs[k].column]
                                                             : to->trace[c->program.inputs[k].column];
    to->args = (pr_logup){&c->program, c->n, to->inputs, c->base.z, c->base.alpha, to->out, &to->claimed};
}

static void check_placed(fixture *f, const placed_case *at, const logup_case *c) {
    fixture_assert_equal(f, "claimed sum", c->n, at->claimed.c, c->claimed.c, 4);
    for (size_t k = 0; k < 4 * c->program.n_batches; k++)
        fixture_assert_col(f, "interaction column", k, at->out[k], c->want[k]);
    for (uint32_t k = 0; k < c->base.component.n_columns; k++)
        fixture_assert_col(f, "trace column", k, at->trace[k], c->trace[k]);
}

static void check_backend(const logup_case *c, const pr_backend *ops, unsigned n_threads) {
    fixture f;
    placed_case placed;
    fixture_open_needs(&f, ops, case_needs(n_threads, &c->program, c->n));
    place_case(&placed, &f, c);
    assert_int_equal(ops->logup(f.dev, &placed.args, 1, NULL), PR_OK);
    check_placed(&f, &placed, c);
    fixture_close(&f);
}

static void test_random(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed();
    for (int repeat = 0; repeat < 4; repeat++)
        for (uint32_t n = 1; n <= (repeat ? 7u : 15u); n++) {
            logup_case c;
            make_case(&c, &state, n, N_NODES, 1 + case_random(&state, MAX_BATCHES));
            for (const pr_backend *const *ops = fixture_backends(); *ops; ops++)
                for (unsigned n_threads = 1; n_threads <= 3; n_threads += 2) check_backend(&c, *ops, n_threads);
            clear_case(&c);
        }
}

/* Components of a list, of two sizes, one of more slots than the others. */
enum { LIST = 7, OF_FIRST_SIZE = 5 };

static void check_list(const logup_case *cases, const pr_backend *ops, pr_device_needs needs) {
    static placed_case placed[LIST];
    pr_logup list[LIST];
    fixture f;
    fixture_open_needs(&f, ops, needs);
    for (size_t i = 0; i < LIST; i++) {
        place_case(&placed[i], &f, &cases[i]);
        list[i] = placed[i].args;
    }
    assert_int_equal(ops->logup(f.dev, list, LIST, NULL), PR_OK);
    for (size_t i = 0; i < LIST; i++) check_placed(&f, &placed[i], &cases[i]);
    fixture_close(&f);
}

static void test_lists(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed() + 4;
    for (uint32_t n = 1; n <= 9; n += 4) {
        logup_case cases[LIST];
        for (uint32_t i = 0; i < LIST; i++) {
            make_case(&cases[i], &state, i < OF_FIRST_SIZE ? n : n + 2, i == 2 ? 300 : N_NODES, 1 + i % MAX_BATCHES);
            if (i != 2) continue;
            cases[i].base.component.lookups[0].multiplicity = case_many_alive(&cases[i].base.component, 100);
            pr_program_clear(&cases[i].program);
            assert_int_equal(pr_program_lower(&cases[i].program, &cases[i].base.component, PR_PROGRAM_LOOKUPS, NULL),
                             PR_OK);
            find_wanted(&cases[i]);
        }
        pr_device_needs needs = case_needs(2, &cases[2].program, n + 2);
        needs.max_slots = needs.max_inputs = needs.max_constants = 256;
        needs.max_batches = needs.n_relations = 4, needs.max_lookup_values = 16;
        needs.n_lookup_components = LIST;
        needs.max_insns = needs.max_values = 4096;
        needs.arena_bytes = (size_t)4 * LIST * 32 * (((size_t)4 << n) + 32);
        for (const pr_backend *const *ops = fixture_backends(); *ops; ops++) check_list(cases, *ops, needs);
        for (int i = 0; i < LIST; i++) clear_case(&cases[i]);
    }
}

/* More slots than a GPU's shared memory has room for. */
static void test_many_slots(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed() + 3;
    for (uint32_t n = 4; n <= 9; n += 5) {
        logup_case c;
        make_case(&c, &state, n, 1000, 2);
        c.base.component.lookups[0].multiplicity = case_many_alive(&c.base.component, 450);
        pr_program_clear(&c.program);
        assert_int_equal(pr_program_lower(&c.program, &c.base.component, PR_PROGRAM_LOOKUPS, NULL), PR_OK);
        assert_true(c.program.n_slots > 400);
        find_wanted(&c);
        for (const pr_backend *const *ops = fixture_backends(); *ops; ops++) check_backend(&c, *ops, 1);
        clear_case(&c);
    }
}

/* ---- golden vectors: columns are multiplicities and values of two entries, in storage order ---- */

static pr_m31 *json_column(const json_t *list, int item) {
    size_t n = json_array_size(list);
    pr_m31 *v = malloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        const json_t *e = json_array_get(list, i);
        v[i] = pr_m31_from_i64(json_integer_value(item < 0 ? e : json_array_get(e, (size_t)item)));
    }
    return v;
}

static void golden_component(logup_case *c, const json_t *j, bool is_paired) {
    static pr_air_column columns[8];
    static pr_node nodes[8];
    static uint32_t values[2][3];
    static pr_air_lookup lookups[2];
    for (uint32_t k = 0; k < 8; k++) {
        columns[k].n_offsets = 1;
        nodes[k] = (pr_node){PR_NODE_COL, k, 0};
    }
    for (uint32_t e = 0; e < 2; e++) {
        for (uint32_t k = 0; k < 3; k++) values[e][k] = 4 * e + 1 + k;
        lookups[e] = (pr_air_lookup){0, 4 * e, 3, values[e], is_paired ? 0 : e};
    }
    c->base.component = (pr_air_component){.name = "golden",
                                           .log_size = c->n,
                                           .n_columns = 8,
                                           .n_nodes = 8,
                                           .n_lookups = 2,
                                           .n_batches = is_paired ? 1 : 2,
                                           .columns = columns,
                                           .nodes = nodes,
                                           .lookups = lookups};
    c->base.z[0] = to_qm31(json_object_get(j, "z"));
    c->base.alpha[0] = to_qm31(json_object_get(j, "alpha"));
}

static void check_golden(const json_t *j, const pr_backend *ops) {
    logup_case c = {.n = (uint32_t)json_integer_value(json_object_get(j, "log_size"))};
    const json_t *want = json_object_get(j, "interaction_columns");
    fixture f;
    pr_col cols[8], inputs[8], out[8];
    pr_qm31 claimed;
    golden_component(&c, j, json_is_true(json_object_get(j, "paired")));
    assert_int_equal(pr_program_lower(&c.program, &c.base.component, PR_PROGRAM_LOOKUPS, NULL), PR_OK);
    fixture_open_needs(&f, ops, case_needs(2, &c.program, c.n));
    for (size_t k = 0; k < 8; k++) {
        const json_t *list = json_object_get(j, k % 4 ? "values" : "numerators");
        pr_m31 *column = json_column(json_array_get(list, k / 4), (int)(k % 4) - 1);
        fixture_upload(&f, cols[k] = fixture_col(&f, c.n), column);
        out[k] = fixture_col(&f, c.n);
        free(column);
    }
    for (uint32_t k = 0; k < c.program.n_inputs; k++) inputs[k] = cols[c.program.inputs[k].column];
    pr_logup args = {&c.program, c.n, inputs, c.base.z, c.base.alpha, out, &claimed};
    assert_int_equal(ops->logup(f.dev, &args, 1, NULL), PR_OK);
    pr_qm31 want_claimed = to_qm31(json_object_get(j, "claimed_sum"));
    fixture_assert_equal(&f, "claimed sum", c.n, claimed.c, want_claimed.c, 4);
    assert_int_equal(json_array_size(want), 4 * c.program.n_batches);
    for (size_t k = 0; k < json_array_size(want); k++) {
        pr_m31 *column = json_column(json_array_get(want, k), -1);
        fixture_assert_col(&f, "interaction column", k, out[k], column);
        free(column);
    }
    pr_program_clear(&c.program);
    fixture_close(&f);
}

static void test_golden(void **unused) {
    (void)unused;
    json_t *root = json_load_file(PR_TEST_VECTORS "/primitives/logup.json", 0, NULL), *item;
    size_t i;
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "logup")), 4);
    json_array_foreach(json_object_get(root, "logup"), i, item) for (const pr_backend *const *ops = fixture_backends();
                                                                     *ops; ops++) check_golden(item, *ops);
    json_decref(root);
}

/* Prefix sums of one column: multiplicities over a denominator of 1, for z = -1 and the value 0. The column that comes
 * out lacks (row + 1) * claimed sum / rows. */
static void check_prefix_sum(const json_t *j, const pr_backend *ops) {
    static pr_air_column columns[1] = {{.n_offsets = 1}};
    static pr_node nodes[2] = {{PR_NODE_COL, 0, 0}, {PR_NODE_CONST, 0, 0}};
    static uint32_t zero[1] = {1};
    static pr_air_lookup lookups[1] = {{.n_values = 1, .values = zero}};
    uint32_t n = (uint32_t)json_integer_value(json_object_get(j, "log_size"));
    pr_air_component component = {.name = "prefix",
                                  .log_size = n,
                                  .n_columns = 1,
                                  .n_nodes = 2,
                                  .n_lookups = 1,
                                  .n_batches = 1,
                                  .columns = columns,
                                  .nodes = nodes,
                                  .lookups = lookups};
    const pr_qm31 z = {{PR_P - 1, 0, 0, 0}}, alpha = {{5, 6, 7, 8}};
    pr_program program;
    fixture f;
    pr_col in, out[4];
    pr_qm31 claimed;
    assert_int_equal(pr_program_lower(&program, &component, PR_PROGRAM_LOOKUPS, NULL), PR_OK);
    fixture_open_needs(&f, ops, case_needs(2, &program, n));
    pr_m31 *values = json_column(json_object_get(j, "in"), -1), *sums = json_column(json_object_get(j, "out"), -1);
    fixture_upload(&f, in = fixture_col(&f, n), values);
    for (size_t k = 0; k < 4; k++) out[k] = fixture_col(&f, n);
    pr_logup args = {&program, n, &in, &z, &alpha, out, &claimed};
    assert_int_equal(ops->logup(f.dev, &args, 1, NULL), PR_OK);
    pr_m31 total = sums[pr_slot_of_row(n, (1u << n) - 1)];
    fixture_assert_equal(&f, "total", n, claimed.c, (pr_m31[4]){total, 0, 0, 0}, 4);
    pr_m31 shift = pr_m31_mul(total, pr_m31_inverse(1u << n));
    for (uint32_t r = 0; r < 1u << n; r++) {
        pr_m31 *sum = &sums[pr_slot_of_row(n, r)];
        *sum = pr_m31_sub(*sum, pr_m31_mul(shift, r + 1));
    }
    fixture_assert_col(&f, "prefix sum", n, out[0], sums);
    memset(sums, 0, sizeof *sums << n);
    for (size_t k = 1; k < 4; k++) fixture_assert_col(&f, "other coordinate", k, out[k], sums);
    free(values);
    free(sums);
    pr_program_clear(&program);
    fixture_close(&f);
}

static void test_prefix_sums(void **unused) {
    (void)unused;
    json_t *root = json_load_file(PR_TEST_VECTORS "/primitives/logup.json", 0, NULL), *item;
    size_t i;
    assert_non_null(root);
    assert_true(json_array_size(json_object_get(root, "prefix_sum")) > 0);
    json_array_foreach(json_object_get(root, "prefix_sum"), i, item) {
        for (const pr_backend *const *ops = fixture_backends(); *ops; ops++) check_prefix_sum(item, *ops);
    }
    json_decref(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_prefix_sums),
                                       cmocka_unit_test(test_random), cmocka_unit_test(test_lists),
                                       cmocka_unit_test(test_many_slots)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
