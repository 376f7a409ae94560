#include "gadgets/byte_tables.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const names[PR_BYTE_OPS] = {
    [PR_BYTE_XOR] = "xor",         [PR_BYTE_XOR_4] = "xor_4",     [PR_BYTE_XOR_7] = "xor_7", [PR_BYTE_AND] = "and",
    [PR_BYTE_AND_NOT] = "and_not", [PR_BYTE_XOR_AND] = "xor_and", [PR_BYTE_PAIR] = "pair",
};

uint32_t pr_byte_tables_preprocessed(const pr_byte_op *ops, uint32_t n_ops) {
    uint32_t n = 2;
    for (uint32_t k = 0; k < n_ops; k++) n += pr_byte_n_results(ops[k]);
    return n;
}

static uint32_t tuple_size(pr_byte_op op) { return op == PR_BYTE_PAIR ? 1 : 2 + pr_byte_n_results(op); }

static void result_id(char *out, size_t size, pr_byte_op op, uint32_t which) {
    snprintf(out, size, "byte_%s_%u", names[op], which);
}

static void declare_results(pr_air_builder *b, pr_byte_op op, pr_m31 *values) {
    for (uint32_t which = 0; which < pr_byte_n_results(op); which++) {
        char id[32];
        for (uint32_t row = 0; row < PR_BYTE_ROWS; row++) {
            uint32_t x = row & 255, y = row >> 8;
            values[row] = PR_BYTE_RESULT(op, which, x, y);
        }
        result_id(id, sizeof id, op, which);
        pr_air_add_preprocessed(b, id, PR_BYTE_LOG_ROWS, values);
    }
}

pr_status pr_byte_tables_declare(pr_air_builder *b, uint32_t *relations, const pr_byte_op *ops, uint32_t n_ops,
                                 pr_error *err) {
    static const char *const operands[2] = {"byte_a", "byte_b"};
    pr_m31 *values = malloc(PR_BYTE_ROWS * sizeof *values);
    if (!values) return pr_fail(err, PR_ERR_MEMORY, "out of memory for tables of bytes");
    for (uint32_t k = 0; k < 2; k++) {
        for (uint32_t row = 0; row < PR_BYTE_ROWS; row++) values[row] = row >> 8 * k & 255;
        pr_air_add_preprocessed(b, operands[k], PR_BYTE_LOG_ROWS, values);
    }
    for (uint32_t k = 0; k < n_ops; k++) {
        declare_results(b, ops[k], values);
        relations[ops[k]] = pr_air_add_relation(b, names[ops[k]], tuple_size(ops[k]));
    }
    free(values);
    return PR_OK;
}

static void provide(pr_air_builder *b, uint32_t relation, pr_byte_op op) {
    pr_expr multiplicity = pr_neg(b, pr_air_add_column(b, 0));
    pr_expr x = pr_air_use_preprocessed(b, "byte_a"), y = pr_air_use_preprocessed(b, "byte_b");
    pr_expr tuple[2 + PR_BYTE_MAX_RESULTS] = {x, y};
    if (op == PR_BYTE_PAIR) tuple[0] = pr_add(b, x, pr_mul(b, pr_const(b, 256), y));
    for (uint32_t which = 0; which < pr_byte_n_results(op); which++) {
        char id[32];
        result_id(id, sizeof id, op, which);
        tuple[2 + which] = pr_air_use_preprocessed(b, id);
    }
    pr_air_lookup_add(b, relation, multiplicity, tuple, tuple_size(op), -1);
}

void pr_byte_tables_add_component(pr_air_builder *b, const uint32_t *relations, const pr_byte_op *ops, uint32_t n_ops) {
    pr_air_component_begin(b, "bytes", PR_BYTE_LOG_ROWS);
    for (uint32_t k = 0; k < n_ops; k++) provide(b, relations[ops[k]], ops[k]);
}
