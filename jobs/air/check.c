#include "air/check.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "air/evaluate.h"
#include "air/kernel.h"
#include "base/random.h"
#include "rows.h"

/* A sum of fractions. */
typedef struct fraction {
    pr_qm31 numerator, denominator;
} fraction;

static const fraction nothing = {{{0, 0, 0, 0}}, {{1, 0, 0, 0}}};

static fraction sum(fraction x, pr_qm31 numerator, pr_qm31 denominator) {
    return (fraction){pr_qm31_add(pr_qm31_mul(x.numerator, denominator), pr_qm31_mul(numerator, x.denominator)),
                      pr_qm31_mul(x.denominator, denominator)};
}

typedef struct relation {
    pr_qm31 z, *powers; /* of alpha, [size] */
} relation;

struct pr_air_check {
    const pr_statement *st;
    pr_air_check_mode mode;
    pr_prng random;
    relation *relations; /* [n_relations] */
    fraction *sums;      /* [n_relations] */
};

/* ---- challenges ---- */

static pr_status random_qm31(pr_qm31 *out, pr_error *err) {
    uint64_t bytes[4];
    PR_TRY(pr_random_bytes(bytes, sizeof bytes, err));
    for (int k = 0; k < 4; k++) out->c[k] = (pr_m31)(bytes[k] % PR_P);
    return PR_OK;
}

/* The longest tuple of each relation that there is: a relation may be declared wider than anybody uses it. */
static uint32_t longest_tuple(const pr_statement *st, uint32_t index) {
    uint32_t n = 1;
    for (uint32_t c = 0; c < st->air->n_components; c++)
        for (uint32_t k = 0; k < st->air->components[c].n_lookups; k++) {
            const pr_air_lookup *l = &st->air->components[c].lookups[k];
            if (l->relation == index && l->n_values > n) n = l->n_values;
        }
    for (uint32_t k = 0; k < st->n_public_terms; k++)
        if (st->public_terms[k].relation == index && st->public_terms[k].n_values > n) n = st->public_terms[k].n_values;
    return n;
}

static pr_status draw_relation(pr_air_check *check, uint32_t index, pr_error *err) {
    relation *r = &check->relations[index];
    uint32_t n = longest_tuple(check->st, index);
    pr_qm31 alpha;
    PR_TRY(random_qm31(&r->z, err));
    PR_TRY(random_qm31(&alpha, err));
    r->powers = malloc(n * sizeof *r->powers);
    if (!r->powers) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a check");
    r->powers[0] = PR_QM31_ONE;
    for (uint32_t k = 1; k < n; k++) r->powers[k] = pr_qm31_mul(r->powers[k - 1], alpha);
    check->sums[index] = nothing;
    return PR_OK;
}

static void add_tuple(fraction *sums, const relation *relations, uint32_t index, pr_m31 multiplicity,
                      const pr_m31 *values, uint32_t n_values) {
    const relation *r = &relations[index];
    pr_qm31 denominator = pr_qm31_neg(r->z);
    if (!multiplicity) return;
    for (uint32_t k = 0; k < n_values; k++)
        denominator = pr_qm31_add(denominator, pr_qm31_mul_m31(r->powers[k], values[k]));
    sums[index] = sum(sums[index], pr_qm31_from_m31(multiplicity), denominator);
}

pr_status pr_air_check_create(pr_air_check **out, const pr_statement *st, pr_air_check_mode mode, pr_error *err) {
    uint32_t n = st->air->n_relations;
    pr_air_check *check = calloc(1, sizeof *check);
    pr_status status = PR_OK;
    if (!check) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a check");
    *check = (pr_air_check){.st = st, .mode = mode};
    check->relations = calloc(n + (size_t)1, sizeof *check->relations);
    check->sums = calloc(n + (size_t)1, sizeof *check->sums);
    if (!check->relations || !check->sums) status = pr_fail(err, PR_ERR_MEMORY, "out of memory for a check");
    if (status == PR_OK) status = pr_random_bytes(&check->random.state, sizeof check->random.state, err);
    for (uint32_t k = 0; status == PR_OK && k < n; k++) status = draw_relation(check, k, err);
    if (status == PR_OK)
        *out = check;
    else
        pr_air_check_destroy(check);
    return status;
}

void pr_air_check_destroy(pr_air_check *check) {
    if (!check) return;
    for (uint32_t k = 0; check->relations && k < check->st->air->n_relations; k++) free(check->relations[k].powers);
    free(check->relations);
    free(check->sums);
    free(check);
}

/* ---- rows ---- */

/* What one thread has. */
typedef struct worker {
    pr_evaluation e; /* of one row: those of a sample, and those of a block in which something fails */
    const pr_air_check *check;
    pr_m31 *cells;             /* of a block; NULL: there is no memory */
    pr_air_relation_sum *sums; /* [n_relations]; NULL: relations are not looked at */
} worker;

typedef struct failure {
    bool found;
    uint32_t row, constraint;
    pr_m31 value;
} failure;

typedef struct rows {
    const pr_air_check *check;
    const pr_air_component *component;
    const pr_program *program;
    pr_m31 *const *columns;
    const uint32_t *sample; /* [PR_AIR_CHECK_ROWS]; NULL: all rows */
    failure first;
    pr_status status;
} rows;

static void read_row(worker *w, const rows *r, uint32_t row) {
    const pr_air *air = r->check->st->air;
    uint32_t mask = (1u << r->component->log_size) - 1;
    for (uint32_t k = 0; k < r->program->n_inputs; k++) {
        const pr_input *in = &r->program->inputs[k];
        w->e.inputs[k] = in->is_preprocessed ? air->preprocessed[in->column].values[row]
                                             : r->columns[in->column][(row + (uint32_t)in->offset) & mask];
    }
}

static void check_row(worker *w, rows *r, uint32_t row) {
    read_row(w, r, row);
    pr_evaluation_run(&w->e);
    for (uint32_t k = 0; k < r->program->n_constraints; k++) {
        if (!w->e.constraints[k]) continue;
#pragma omp critical(air_check)
        if (!r->first.found || row < r->first.row) r->first = (failure){true, row, k, w->e.constraints[k]};
        return;
    }
}

/* Inputs of rows first .. first + n - 1; columns are cyclic. */
static void read_block(worker *w, const rows *r, uint32_t first, uint32_t n) {
    const pr_air *air = r->check->st->air;
    uint32_t n_rows = 1u << r->component->log_size;
    for (uint32_t k = 0; k < r->program->n_inputs; k++) {
        const pr_input *in = &r->program->inputs[k];
        const pr_m31 *from = in->is_preprocessed ? air->preprocessed[in->column].values : r->columns[in->column];
        uint32_t begin = in->is_preprocessed ? first : (first + (uint32_t)in->offset) & (n_rows - 1);
        uint32_t before_end = n < n_rows - begin ? n : n_rows - begin;
        pr_m31 *to = w->cells + ((size_t)r->program->n_slots + k) * PR_AIR_BLOCK;
        memcpy(to, from + begin, before_end * sizeof *to);
        memcpy(to + before_end, from, (n - before_end) * sizeof *to);
    }
}

static void check_block(worker *w, rows *r, uint32_t first, uint32_t n) {
    pr_m31 failed[PR_AIR_BLOCK] = {0};
    read_block(w, r, first, n);
    pr_air_kernel *kernel = n < 16 ? pr_air_check_block_scalar : PR_JOB_KERNEL(pr_air_check_block);
    kernel(failed, w->sums, w->cells, r->program, n);
    for (uint32_t i = 0; i < n; i++)
        if (failed[i]) check_row(w, r, first + i);
}

static pr_air_relation_sum *new_sums(const pr_air_check *check) {
    uint32_t n = check->st->air->n_relations;
    pr_air_relation_sum *sums = malloc((n + (size_t)1) * sizeof *sums);
    for (uint32_t k = 0; sums && k < n; k++) {
        memset(&sums[k], 0, sizeof sums[k]);
        memcpy(sums[k].z, check->relations[k].z.c, sizeof sums[k].z);
        sums[k].powers = (const pr_m31(*)[4])(const void *)check->relations[k].powers;
        for (uint32_t i = 0; i < PR_AIR_BLOCK; i++) sums[k].denominator[0][i] = 1;
    }
    return sums;
}

static pr_status worker_init(worker *w, const rows *r) {
    size_t n_cells = ((size_t)r->program->n_slots + r->program->n_inputs + 1) * PR_AIR_BLOCK;
    *w = (worker){.check = r->check, .cells = malloc(n_cells * sizeof *w->cells)};
    if (!w->cells || pr_evaluation_init(&w->e, r->program, NULL) != PR_OK) return PR_ERR_MEMORY;
    if (r->check->mode != PR_AIR_CHECK_FULL) return PR_OK;
    w->sums = new_sums(r->check);
    return w->sums ? PR_OK : PR_ERR_MEMORY;
}

/* What the thread has summed up, place by place. */
static void add_sums(fraction *sums, const worker *w) {
    for (uint32_t k = 0; w->sums && k < w->check->st->air->n_relations; k++)
        for (uint32_t i = 0; i < PR_AIR_BLOCK; i++) {
            pr_qm31 numerator, denominator;
            for (int c = 0; c < 4; c++) {
                numerator.c[c] = w->sums[k].numerator[c][i];
                denominator.c[c] = w->sums[k].denominator[c][i];
            }
            sums[k] = sum(sums[k], numerator, denominator);
        }
}

static void worker_clear(worker *w) {
    if (w->e.cells) pr_evaluation_clear(&w->e);
    free(w->cells);
    free(w->sums);
}

static void check_rows(rows *r, fraction *sums, unsigned n_threads) {
    uint32_t n_rows = 1u << r->component->log_size, block = n_rows < PR_AIR_BLOCK ? n_rows : PR_AIR_BLOCK;
    uint32_t n = r->sample ? PR_AIR_CHECK_ROWS : n_rows / block;
#pragma omp parallel num_threads((int)n_threads)
    {
        worker w;
        pr_status status = worker_init(&w, r);
#pragma omp for schedule(static)
        for (uint32_t i = 0; i < n; i++) {
            if (status != PR_OK || r->first.found) continue;
            if (r->sample)
                check_row(&w, r, r->sample[i]);
            else
                check_block(&w, r, i * block, block);
        }
#pragma omp critical(air_check)
        {
            if (status == PR_OK)
                add_sums(sums, &w);
            else
                r->status = status;
        }
        worker_clear(&w);
    }
}

static pr_status fail_row(const rows *r, pr_error *err) {
    const failure *f = &r->first;
    const char *name = r->component->constraints[f->constraint].name;
    return pr_fail(err, PR_ERR_INPUT,
                   "the trace violates its AIR: component '%s', constraint %u%s%s%s, row %u: value %u, must be 0",
                   r->component->name, f->constraint, name ? " (" : "", name ? name : "", name ? ")" : "", f->row,
                   f->value);
}

static uint32_t *draw_sample(pr_air_check *check, uint32_t n_rows) {
    uint32_t *sample = malloc(PR_AIR_CHECK_ROWS * sizeof *sample);
    for (uint32_t k = 0; sample && k < PR_AIR_CHECK_ROWS; k++) sample[k] = pr_prng_below(&check->random, n_rows);
    if (sample) sample[0] = 0, sample[1] = n_rows - 1; /* where a trace is most often wrong */
    return sample;
}

pr_status pr_air_check_component(pr_air_check *check, uint32_t component, pr_m31 *const *columns, unsigned n_threads,
                                 pr_error *err) {
    const pr_air_component *c = &check->st->air->components[component];
    pr_program program;
    uint32_t n_rows = 1u << c->log_size, *sample = NULL;
    if (check->mode == PR_AIR_CHECK_OFF) return PR_OK;
    rows r = {.check = check, .component = c, .program = &program, .columns = columns};
    if (check->mode == PR_AIR_CHECK_SAMPLED && n_rows > PR_AIR_CHECK_ROWS) {
        r.sample = sample = draw_sample(check, n_rows);
        if (!sample) return pr_fail(err, PR_ERR_MEMORY, "out of memory for a check");
    }
    pr_status status = pr_program_lower(&program, c, PR_PROGRAM_FULL, err);
    if (status == PR_OK) check_rows(&r, check->sums, n_threads ? n_threads : 1);
    pr_program_clear(&program);
    free(sample);
    if (status != PR_OK) return status;
    if (r.status != PR_OK) return pr_fail(err, r.status, "out of memory for a check");
    return r.first.found ? fail_row(&r, err) : PR_OK;
}

pr_status pr_air_check_relations(const pr_air_check *check, pr_error *err) {
    const pr_statement *st = check->st;
    if (check->mode != PR_AIR_CHECK_FULL) return PR_OK;
    for (uint32_t i = 0; i < st->n_public_terms; i++) {
        const pr_public_term *t = &st->public_terms[i];
        add_tuple(check->sums, check->relations, t->relation, t->multiplicity, t->values, t->n_values);
    }
    for (uint32_t k = 0; k < st->air->n_relations; k++)
        if (!pr_qm31_is_zero(check->sums[k].numerator))
            return pr_fail(err, PR_ERR_INPUT,
                           "the trace violates its AIR: relation '%s' is out of balance with the public terms; "
                           "`proverun check CASE.json` lists the tuples",
                           st->air->relations[k].name);
    return PR_OK;
}
