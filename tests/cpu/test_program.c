/* compose of every backend against a direct evaluation of random components. */
#include "program_cases.h"

#define N_TRACE_MAX 6
#define MAX_BATCHES 3
#define N_NODES 40

typedef struct compose_case {
    program_case base;
    uint32_t n, b;
    pr_program program;
    pr_m31 *trace[N_TRACE_MAX], *preprocessed[2], *interaction[4 * MAX_BATCHES], *held[4];
    pr_qm31 powers[64], shift;
    pr_m31 *want[4];
} compose_case;

static pr_qm31 read_secure(pr_m31 *const cols[4], uint32_t slot) {
    return (pr_qm31){{cols[0][slot], cols[1][slot], cols[2][slot], cols[3][slot]}};
}

/* Value of the constraint of a batch, protocol.md section 9. */
static pr_qm31 batch_value(const compose_case *c, uint32_t k, const pr_m31 *v, uint32_t slot) {
    pr_m31 *const *current = &c->interaction[4 * k];
    pr_qm31 num, den, step = read_secure(current, slot);
    case_fraction(&num, &den, &c->base, k, v);
    if (k + 1 == c->base.component.n_batches) {
        step = pr_qm31_sub(step, read_secure(current, pr_slot_shift(c->n, c->b, slot, -1)));
        step = pr_qm31_add(step, c->shift);
    }
    if (k) step = pr_qm31_sub(step, read_secure(&c->interaction[4 * (k - 1)], slot));
    return pr_qm31_sub(pr_qm31_mul(step, den), num);
}

static void find_wanted(compose_case *c) {
    const pr_air_component *comp = &c->base.component;
    const case_columns_view view = {c->trace, c->preprocessed, c->n, c->b};
    pr_m31 *v = malloc(comp->n_nodes * sizeof *v);
    for (uint32_t slot = 0; slot < 2u << c->n; slot++) {
        pr_qm31 sum = PR_QM31_ZERO;
        case_evaluate(v, comp, &view, slot);
        for (uint32_t k = 0; k < comp->n_constraints; k++)
            sum = pr_qm31_add(sum, pr_qm31_mul_m31(c->powers[k], v[comp->constraints[k].node]));
        for (uint32_t k = 0; k < comp->n_batches; k++)
            sum = pr_qm31_add(sum, pr_qm31_mul(c->powers[comp->n_constraints + k], batch_value(c, k, v, slot)));
        sum = pr_qm31_mul_m31(sum, pr_m31_inverse(pr_vanishing(pr_domain_point(c->n + c->b, slot).x, c->n)));
        for (int t = 0; t < 4; t++) c->want[t][slot] = sum.c[t];
    }
    free(v);
}

static void make_case(compose_case *c, uint64_t *state, uint32_t n, uint32_t b, uint32_t n_nodes,
                      uint32_t n_constraints, uint32_t n_batches) {
    pr_error err = {0};
    size_t rows = (size_t)1 << (n + b);
    *c = (compose_case){.n = n, .b = b};
    case_init(&c->base, state, n, n_nodes, n_constraints, n_batches);
    if (pr_program_lower(&c->program, &c->base.component, PR_PROGRAM_FULL, &err) != PR_OK) fail_msg("%s", err.text);
    for (uint32_t k = 0; k < c->base.component.n_columns; k++) c->trace[k] = fixture_values(state, rows);
    for (int k = 0; k < 2; k++) c->preprocessed[k] = fixture_values(state, rows);
    for (uint32_t k = 0; k < 4 * n_batches; k++) c->interaction[k] = fixture_values(state, rows);
    for (int k = 0; k < 4; k++) c->held[k] = fixture_values(state, (size_t)2 << n);
    for (int k = 0; k < 4; k++) c->want[k] = malloc(sizeof(pr_m31) * 2 << n);
    for (uint32_t k = 0; k < n_constraints + n_batches; k++) c->powers[k] = fixture_qm31(state);
    c->shift = fixture_qm31(state);
    find_wanted(c);
}

static void clear_case(compose_case *c) {
    for (int k = 0; k < N_TRACE_MAX; k++) free(c->trace[k]);
    for (int k = 0; k < 2; k++) free(c->preprocessed[k]);
    for (int k = 0; k < 4 * MAX_BATCHES; k++) free(c->interaction[k]);
    for (int k = 0; k < 4; k++) free(c->held[k]), free(c->want[k]);
    pr_program_clear(&c->program);
    case_clear(&c->base);
}

static pr_col place(fixture *f, const pr_m31 *values, uint32_t log_rows) {
    pr_col col = fixture_col(f, log_rows);
    fixture_upload(f, col, values);
    return col;
}

/* Nothing but the results may have changed in the arena. */
static void check_rest(fixture *f, pr_m31 *before, const pr_col out[4]) {
    pr_m31 *after = fixture_download(f, (pr_col){0, (uint32_t)__builtin_ctzll(f->words)});
    for (int k = 0; k < 4; k++)
        memcpy(before + out[k].offset, after + out[k].offset, sizeof(pr_m31) << out[k].log_rows);
    fixture_assert_equal(f, "arena beside the result", 0, after, before, f->words);
    free(after);
}

/* A case in the arena; args.out is the caller's to set. */
typedef struct placed_case {
    pr_col inputs[256], interaction[4 * MAX_BATCHES];
    pr_compose args;
} placed_case;

static void place_case(placed_case *to, fixture *f, const compose_case *c, bool accumulate) {
    pr_col trace[N_TRACE_MAX], preprocessed[2];
    for (uint32_t k = 0; k < c->base.component.n_columns; k++) trace[k] = place(f, c->trace[k], c->n + c->b);
    for (int k = 0; k < 2; k++) preprocessed[k] = place(f, c->preprocessed[k], c->n + c->b);
    for (uint32_t k = 0; k < 4 * c->program.n_batches; k++)
        to->interaction[k] = place(f, c->interaction[k], c->n + c->b);
    for (uint32_t k = 0; k < c->program.n_inputs; k++)
        to->inputs[k] = c->program.inputs[k].is_preprocessed ? preprocessed[c->program.inputs[k].column]
                                                             : trace[c->program.inputs[k].column];
    to->args = (pr_compose){&c->program, c->n,          c->b,     to->inputs, to->interaction, c->powers,
                            c->base.z,   c->base.alpha, c->shift, {{0, 0}},   accumulate,      0};
}

static void check_backend(const compose_case *c, const pr_backend *ops, unsigned n_threads, bool accumulate) {
    fixture f;
    placed_case placed;
    pr_device_needs needs = case_needs(n_threads, &c->program, c->n + c->b);
    needs.arena_bytes = (size_t)4 << (c->n + c->b < 6 ? 11 : c->n + c->b + 6);
    fixture_open_needs(&f, ops, needs);
    place_case(&placed, &f, c, accumulate);
    pr_compose *args = &placed.args;
    for (int k = 0; k < 4; k++) args->out[k] = place(&f, c->held[k], c->n + 1);
    pr_m31 *before = fixture_download(&f, (pr_col){0, (uint32_t)__builtin_ctzll(f.words)});
    assert_int_equal(ops->compose(f.dev, args, 1, NULL), PR_OK);
    for (size_t k = 0; k < 4; k++) {
        pr_m31 *want = malloc(sizeof *want * 2 << c->n);
        for (size_t i = 0; i < (size_t)2 << c->n; i++)
            want[i] = accumulate ? pr_m31_add(c->held[k][i], c->want[k][i]) : c->want[k][i];
        fixture_assert_col(&f, "compose, coordinate", k, args->out[k], want);
        free(want);
    }
    check_rest(&f, before, args->out);
    free(before);
    fixture_close(&f);
}

static void check_case(uint64_t *state, uint32_t n, uint32_t b, uint32_t n_constraints, uint32_t n_batches) {
    compose_case c;
    make_case(&c, state, n, b, N_NODES, n_constraints, n_batches);
    for (const pr_backend *const *ops = fixture_backends(); *ops; ops++) {
        check_backend(&c, *ops, 1 + (n & 1), (n + b) & 1);
        if (n < 5) check_backend(&c, *ops, 2, !((n + b) & 1));
    }
    clear_case(&c);
}

static void test_small(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed();
    for (int repeat = 0; repeat < 3; repeat++)
        for (uint32_t n = 1; n <= 6; n++)
            for (uint32_t b = 1; b <= 4; b++)
                check_case(&state, n, b, case_random(&state, 9), case_random(&state, MAX_BATCHES + 1));
}

static void test_blocks(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed() + 1;
    for (uint32_t n = 7; n <= 13; n++) check_case(&state, n, 1 + n % 2, 5 + n % 4, 1 + n % MAX_BATCHES);
}

/* One constraint that is a column at an offset, for all offsets and sizes. */
static void test_offsets(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed() + 2;
    for (uint32_t n = 1; n <= 11; n++)
        for (int32_t offset = -3; offset <= 3; offset++) {
            compose_case c;
            make_case(&c, &state, n, 1 + n % 4, N_NODES, 1, 0);
            c.base.component.columns[0].offsets[0] = offset;
            c.base.component.nodes[0] = (pr_node){PR_NODE_COL, 0, 0};
            c.base.component.constraints[0].node = 0;
            pr_program_clear(&c.program);
            assert_int_equal(pr_program_lower(&c.program, &c.base.component, PR_PROGRAM_FULL, NULL), PR_OK);
            find_wanted(&c);
            for (const pr_backend *const *ops = fixture_backends(); *ops; ops++) check_backend(&c, *ops, 2, false);
            clear_case(&c);
        }
}

/* More slots than a GPU's shared memory has room for. */
static void test_many_slots(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed() + 3;
    for (uint32_t n = 5; n <= 9; n += 4) {
        compose_case c;
        make_case(&c, &state, n, 1, 1000, 1, 1);
        c.base.component.constraints[0].node = case_many_alive(&c.base.component, 450);
        pr_program_clear(&c.program);
        assert_int_equal(pr_program_lower(&c.program, &c.base.component, PR_PROGRAM_FULL, NULL), PR_OK);
        assert_true(c.program.n_slots > 400);
        find_wanted(&c);
        for (const pr_backend *const *ops = fixture_backends(); *ops; ops++) check_backend(&c, *ops, 1, n == 5);
        clear_case(&c);
    }
}

/* Components of a list, of two sizes; of each size the first does not add to what is there, and one has more slots than
 * the others. */
enum { LIST = 8, OF_FIRST_SIZE = 5 };

static void check_list(const compose_case *cases, const pr_backend *ops, pr_device_needs needs) {
    static placed_case placed[LIST];
    pr_compose list[LIST];
    pr_col out[2][4];
    fixture f;
    fixture_open_needs(&f, ops, needs);
    for (int size = 0; size < 2; size++)
        for (int c = 0; c < 4; c++)
            out[size][c] = place(&f, cases[size * OF_FIRST_SIZE].held[c], cases[size * OF_FIRST_SIZE].n + 1);
    for (size_t i = 0; i < LIST; i++) {
        place_case(&placed[i], &f, &cases[i], i != 0 && i != OF_FIRST_SIZE);
        list[i] = placed[i].args;
        memcpy(list[i].out, out[i >= OF_FIRST_SIZE], sizeof list[i].out);
    }
    assert_int_equal(ops->compose(f.dev, list, LIST, NULL), PR_OK);
    for (size_t size = 0; size < 2; size++)
        for (size_t c = 0; c < 4; c++) {
            const size_t first = size * OF_FIRST_SIZE, end = size ? LIST : OF_FIRST_SIZE;
            const size_t rows = (size_t)2 << cases[first].n;
            pr_m31 *want = calloc(rows, sizeof *want);
            for (size_t i = first; i < end; i++)
                for (size_t r = 0; r < rows; r++) want[r] = pr_m31_add(want[r], cases[i].want[c][r]);
            fixture_assert_col(&f, "sum of components, coordinate", c, out[size][c], want);
            free(want);
        }
    fixture_close(&f);
}

/* One launch, where tables and slots allow it: components with lookups and others are one each, for they have another
 * kernel. */
static void test_launches(void **unused) {
    (void)unused;
#ifdef FIXTURE_CUDA
    enum { N = 6 };
    uint64_t state = fixture_seed() + 5;
    for (uint32_t n_batches = 0; n_batches < 3; n_batches++) {
        static placed_case placed[N];
        compose_case c;
        pr_compose list[N];
        fixture f;
        make_case(&c, &state, 5, 1, 20, 2, n_batches);
        pr_device_needs needs = case_needs(1, &c.program, 6);
        needs.arena_bytes = 1 << 17;
        fixture_open_needs(&f, &pr_backend_cuda_emu, needs);
        for (size_t i = 0; i < N; i++) {
            place_case(&placed[i], &f, &c, i > 0);
            list[i] = placed[i].args;
            for (int k = 0; k < 4; k++) list[i].out[k] = i ? list[0].out[k] : place(&f, c.held[k], c.n + 1);
        }
        const uint64_t before = pr_cuda_emu_counts().launches;
        assert_int_equal(f.ops->compose(f.dev, list, N, NULL), PR_OK);
        assert_int_equal(pr_cuda_emu_counts().launches - before, 1);
        fixture_close(&f);
        clear_case(&c);
    }
#endif
}

static void test_lists(void **unused) {
    (void)unused;
    uint64_t state = fixture_seed() + 4;
    for (uint32_t n = 1; n <= 7; n += 3) {
        compose_case cases[LIST];
        pr_device_needs needs = {0};
        for (uint32_t i = 0; i < LIST; i++) {
            const uint32_t log_rows = i < OF_FIRST_SIZE ? n : n + 2, n_batches = n == 4 ? 0 : i % 3;
            make_case(&cases[i], &state, log_rows, 2, i == 2 ? 300 : N_NODES, 1 + i, n_batches);
            if (i != 2) continue;
            cases[i].base.component.constraints[0].node = case_many_alive(&cases[i].base.component, 100);
            pr_program_clear(&cases[i].program);
            assert_int_equal(pr_program_lower(&cases[i].program, &cases[i].base.component, PR_PROGRAM_FULL, NULL),
                             PR_OK);
            find_wanted(&cases[i]);
        }
        needs = case_needs(2, &cases[2].program, n + 4);
        needs.max_slots = needs.max_inputs = needs.max_constants = 256;
        needs.max_batches = needs.n_relations = 4, needs.max_lookup_values = 16;
        needs.max_insns = needs.max_values = 4096;
        needs.arena_bytes = (size_t)4 * LIST * 32 * (((size_t)8 << n) * 4 + 32);
        for (const pr_backend *const *ops = fixture_backends(); *ops; ops++) check_list(cases, *ops, needs);
        for (int i = 0; i < LIST; i++) clear_case(&cases[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_small),   cmocka_unit_test(test_blocks),
                                       cmocka_unit_test(test_offsets), cmocka_unit_test(test_many_slots),
                                       cmocka_unit_test(test_lists),   cmocka_unit_test(test_launches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
