/* The constraints of plonk. README.md tells them in words and tables. */
#include "plonk/air.h"
#include <stdlib.h>
#include "air/builder.h"

typedef uint32_t cell_of(const pr_plonk_row *row, const uint32_t *uses);

static uint32_t wire_a(const pr_plonk_row *r, const uint32_t *uses) { return (void)uses, r->a; }
static uint32_t wire_b(const pr_plonk_row *r, const uint32_t *uses) { return (void)uses, r->b; }
static uint32_t wire_c(const pr_plonk_row *r, const uint32_t *uses) { return (void)uses, r->c; }
static uint32_t adds(const pr_plonk_row *r, const uint32_t *uses) { return (void)uses, r->kind == PR_PLONK_ADD; }
static uint32_t multiplies(const pr_plonk_row *r, const uint32_t *uses) { return (void)uses, r->kind == PR_PLONK_MUL; }
static uint32_t equates(const pr_plonk_row *r, const uint32_t *uses) { return (void)uses, r->kind == PR_PLONK_EQUAL; }
static uint32_t reads(const pr_plonk_row *r, const uint32_t *uses) { return (void)uses, r->kind != PR_PLONK_SECRET; }
static uint32_t defines(const pr_plonk_row *r, const uint32_t *uses) { return (void)uses, r->kind != PR_PLONK_EQUAL; }
static uint32_t uses_of(const pr_plonk_row *r, const uint32_t *uses) {
    return r->kind == PR_PLONK_EQUAL ? 0 : uses[r->c];
}

static const struct {
    const char *id;
    cell_of *cell;
} preprocessed[PR_PLONK_PREPROCESSED] = {{"wire_a", wire_a}, {"wire_b", wire_b},         {"wire_c", wire_c},
                                         {"adds", adds},     {"multiplies", multiplies}, {"equates", equates},
                                         {"reads", reads},   {"defines", defines},       {"uses", uses_of}};

uint32_t pr_plonk_log_rows(uint32_t n_rows) {
    uint32_t log = 4;
    while (1u << log < n_rows) log++;
    return log;
}

static pr_status add_preprocessed(pr_air_builder *b, const pr_plonk_circuit *c, pr_error *err) {
    uint32_t log_rows = pr_plonk_log_rows(c->n_rows), *uses = pr_plonk_circuit_uses(c);
    pr_m31 *rows = calloc((size_t)1 << log_rows, sizeof *rows);
    bool full = uses && rows;
    for (uint32_t k = 0; full && k < PR_PLONK_PREPROCESSED; k++) {
        for (uint32_t i = 0; i < c->n_rows; i++) rows[i] = preprocessed[k].cell(&c->rows[i], uses);
        pr_air_add_preprocessed(b, preprocessed[k].id, log_rows, rows);
    }
    free(uses);
    free(rows);
    return full ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for the columns of plonk");
}

static void look_up(pr_air_builder *b, const char *wire, pr_expr multiplicity, pr_expr value) {
    const pr_expr tuple[2] = {pr_air_use_preprocessed(b, wire), value};
    pr_air_lookup_add(b, PR_PLONK_WIRE, multiplicity, tuple, 2, -1);
}

static void add_gates(pr_air_builder *b, uint32_t log_rows) {
    pr_air_component_begin(b, "gates", log_rows);
    pr_expr x = pr_air_add_column(b, 0), y = pr_air_add_column(b, 0), z = pr_air_add_column(b, 0);
    pr_expr one = pr_const(b, 1), read = pr_air_use_preprocessed(b, "reads");
    pr_expr add = pr_mul(b, pr_air_use_preprocessed(b, "adds"), pr_sub(b, pr_add(b, x, y), z));
    pr_expr mul = pr_mul(b, pr_air_use_preprocessed(b, "multiplies"), pr_sub(b, pr_mul(b, x, y), z));
    pr_expr equal = pr_mul(b, pr_air_use_preprocessed(b, "equates"), pr_sub(b, x, y));
    pr_air_constrain(b, "gate", pr_add(b, pr_add(b, add, mul), equal));
    pr_air_constrain(b, "a is 0 where it is not read", pr_mul(b, pr_sub(b, one, read), x));
    pr_air_constrain(b, "b is 0 where it is not read", pr_mul(b, pr_sub(b, one, read), y));
    pr_air_constrain(b, "c is 0 where it is not defined",
                     pr_mul(b, pr_sub(b, one, pr_air_use_preprocessed(b, "defines")), z));
    look_up(b, "wire_a", read, x);
    look_up(b, "wire_b", read, y);
    look_up(b, "wire_c", pr_neg(b, pr_air_use_preprocessed(b, "uses")), z);
}

pr_status pr_plonk_air(pr_air **out, const pr_plonk_circuit *circuit, pr_error *err) {
    pr_air_builder *b = pr_air_builder_create("plonk");
    if (!b) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the AIR of plonk");
    pr_status status = add_preprocessed(b, circuit, err);
    if (status != PR_OK) {
        pr_air_builder_destroy(b);
        return status;
    }
    pr_air_add_relation(b, "wire", 2);
    add_gates(b, pr_plonk_log_rows(circuit->n_rows));
    return pr_air_build(out, b, err);
}
