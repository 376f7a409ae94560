/* The program and the tables: preprocessed columns, and how often each row of them is looked up. */
#include <stdio.h>
#include <stdlib.h>
#include "vm/parts.h"

enum { LOG_RANGE16 = 16, LOG_RANGE10 = 10, LOG_BYTES = 16, LOG_POWERS = 5, N_POWERS = 32 };

void pr_vm_line_values(pr_m31 *values, uint32_t pc, const pr_vm_line *line, const pr_vm_flag *extra, uint32_t n_extra) {
    const pr_m31 head[] = {pc,           line->rs1, line->rs2, line->rd, line->imm & 0xffff, line->imm >> 16,
                           line->target, line->alu};
    for (int k = 0; k < PR_VM_LINE_VALUES - PR_VM_FLAGS; k++) values[k] = head[k];
    for (int k = 0; k < PR_VM_FLAGS; k++)
        values[PR_VM_LINE_VALUES - PR_VM_FLAGS + k] = pr_vm_line_has(line, (pr_vm_flag)k);
    for (uint32_t k = 0; k < n_extra; k++) values[PR_VM_LINE_VALUES + k] = pr_vm_line_has(line, extra[k]);
}

static void line_id(char id[16], uint32_t column) { snprintf(id, 16, "line %u", column); }

/* Rows behind the program repeat its last instruction: they say nothing new. */
static pr_status add_program(pr_vm_parts *p, pr_error *err) {
    const pr_vm_program *program = &p->statement->program;
    uint32_t log_rows = p->statement->log_rows[PR_VM_PROGRAM], n_values = PR_VM_LINE_VALUES + p->n_extra;
    pr_m31 *columns = calloc((size_t)n_values << log_rows, sizeof *columns);
    if (!columns) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the program's table");
    for (uint32_t r = 0; r < 1u << log_rows; r++) {
        pr_m31 values[PR_VM_MOST_LINE_VALUES];
        uint32_t pc = r < program->n_instructions ? r : program->n_instructions - 1;
        pr_vm_line line = pr_vm_line_of(&program->instructions[pc]);
        pr_vm_line_values(values, pc, &line, p->extra, p->n_extra);
        for (uint32_t k = 0; k < n_values; k++) columns[((size_t)k << log_rows) + r] = values[k];
    }
    for (uint32_t k = 0; k < n_values; k++) {
        char id[16];
        line_id(id, k);
        pr_air_add_preprocessed(p->b, id, log_rows, columns + ((size_t)k << log_rows));
    }
    free(columns);
    return PR_OK;
}

typedef pr_m31 table_value(uint32_t row);
static pr_m31 row_number(uint32_t row) { return row; }
static pr_m31 is_first(uint32_t row) { return row == 0; }
static pr_m31 first_byte(uint32_t row) { return row & 0xff; }
static pr_m31 second_byte(uint32_t row) { return row >> 8; }
static pr_m31 both_bytes(uint32_t row) { return row & row >> 8; }
static pr_m31 power_low(uint32_t row) { return row < 16 ? 1u << row : 0; }
static pr_m31 power_high(uint32_t row) { return row < 16 ? 0 : 1u << (row - 16); }

static pr_status add_table(pr_vm_parts *p, const char *id, uint32_t log_rows, table_value *value, pr_error *err) {
    pr_m31 *rows = malloc(sizeof *rows << log_rows);
    if (!rows) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the table '%s'", id);
    for (uint32_t r = 0; r < 1u << log_rows; r++) rows[r] = value(r);
    pr_air_add_preprocessed(p->b, id, log_rows, rows);
    free(rows);
    return PR_OK;
}

pr_status pr_vm_add_tables(pr_vm_parts *p, pr_error *err) {
    const struct {
        const char *id;
        uint32_t log_rows;
        table_value *value;
    } tables[] = {{"words first", p->statement->log_rows[PR_VM_WORDS], is_first},
                  {"register", PR_VM_LOG_REGISTERS, row_number},
                  {"range16", LOG_RANGE16, row_number},
                  {"range10", LOG_RANGE10, row_number},
                  {"byte x", LOG_BYTES, first_byte},
                  {"byte y", LOG_BYTES, second_byte},
                  {"byte and", LOG_BYTES, both_bytes},
                  {"places", LOG_POWERS, row_number},
                  {"power low", LOG_POWERS, power_low},
                  {"power high", LOG_POWERS, power_high}};
    for (size_t k = 0; k < sizeof tables / sizeof *tables; k++)
        PR_TRY(add_table(p, tables[k].id, tables[k].log_rows, tables[k].value, err));
    return add_program(p, err);
}

void pr_vm_air_program(pr_vm_parts *p) {
    pr_expr count, values[PR_VM_MOST_LINE_VALUES];
    pr_vm_begin(p, PR_VM_PROGRAM, "program", &count, PR_VM_T_COLUMNS);
    for (uint32_t k = 0; k < PR_VM_LINE_VALUES + p->n_extra; k++) {
        char id[16];
        line_id(id, k);
        values[k] = pr_air_use_preprocessed(p->b, id);
    }
    pr_vm_put(p, PR_VM_R_LINE, count, values, PR_VM_LINE_VALUES + p->n_extra);
}

static void air_range(pr_vm_parts *p, pr_vm_component component, const char *name, pr_vm_relation relation) {
    pr_expr count;
    pr_vm_begin(p, component, name, &count, PR_VM_T_COLUMNS);
    pr_expr number = pr_air_use_preprocessed(p->b, name);
    pr_vm_put(p, relation, count, &number, 1);
}

void pr_vm_air_tables(pr_vm_parts *p) {
    pr_expr count, counts[PR_VM_BYTES_COLUMNS];
    air_range(p, PR_VM_RANGE16, "range16", PR_VM_R_RANGE16);
    air_range(p, PR_VM_RANGE10, "range10", PR_VM_R_RANGE10);
    pr_vm_begin(p, PR_VM_BYTES, "bytes", counts, PR_VM_BYTES_COLUMNS);
    const pr_expr bytes[] = {pr_air_use_preprocessed(p->b, "byte x"), pr_air_use_preprocessed(p->b, "byte y"),
                             pr_air_use_preprocessed(p->b, "byte and")};
    pr_vm_put(p, PR_VM_R_AND, counts[PR_VM_BYTES_AND], bytes, 3);
    pr_vm_put(p, PR_VM_R_PAIR, counts[PR_VM_BYTES_PAIR], bytes, 2);
    pr_vm_begin(p, PR_VM_POWERS, "powers", &count, PR_VM_T_COLUMNS);
    const pr_expr powers[] = {pr_air_use_preprocessed(p->b, "places"), pr_air_use_preprocessed(p->b, "power low"),
                              pr_air_use_preprocessed(p->b, "power high")};
    pr_vm_put(p, PR_VM_R_POWER, count, powers, 3);
}

/* ---- sizes ---- */

uint8_t pr_vm_log_rows(uint64_t n) {
    uint8_t log_rows = PR_VM_MIN_LOG_ROWS;
    while (UINT64_C(1) << log_rows < n) log_rows++;
    return log_rows;
}

void pr_vm_public_set_sizes(pr_vm_public *s) {
    if (!pr_vm_has(s, PR_VM_MAIN)) s->log_rows[PR_VM_MAIN] = pr_vm_log_rows(s->n_steps);
    s->log_rows[PR_VM_PROGRAM] = pr_vm_log_rows(s->program.n_instructions);
    s->log_rows[PR_VM_REGISTER_FILE] = PR_VM_LOG_REGISTERS;
    s->log_rows[PR_VM_RANGE16] = LOG_RANGE16;
    s->log_rows[PR_VM_RANGE10] = LOG_RANGE10;
    s->log_rows[PR_VM_BYTES] = LOG_BYTES;
    s->log_rows[PR_VM_POWERS] = LOG_POWERS;
}
