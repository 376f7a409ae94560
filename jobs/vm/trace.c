#include "vm/trace.h"
#include <stdlib.h>
#include <string.h>
#include "vm/kernel.h"

/* ---- which component computes a function ---- */

pr_vm_component pr_vm_component_of(pr_vm_alu alu) {
    static const uint8_t components[PR_VM_ALUS] = {
        [PR_VM_ALU_ADD] = PR_VM_ADDITION, [PR_VM_ALU_SUB] = PR_VM_ADDITION,       [PR_VM_ALU_LT] = PR_VM_ADDITION,
        [PR_VM_ALU_GT] = PR_VM_ADDITION,  [PR_VM_ALU_AND] = PR_VM_BITWISE,        [PR_VM_ALU_OR] = PR_VM_BITWISE,
        [PR_VM_ALU_XOR] = PR_VM_BITWISE,  [PR_VM_ALU_MUL] = PR_VM_MULTIPLICATION, [PR_VM_ALU_DIV] = PR_VM_DIVISION,
        [PR_VM_ALU_MOD] = PR_VM_DIVISION, [PR_VM_ALU_SHL] = PR_VM_SHIFT,          [PR_VM_ALU_SHR] = PR_VM_SHIFT,
        [PR_VM_ALU_EQ] = PR_VM_EQUALITY,  [PR_VM_ALU_RELU] = PR_VM_RECTIFIER};
    return (pr_vm_component)components[alu];
}

static bool append_call(pr_vm_trace *t, pr_vm_call call) {
    pr_vm_calls *list = &t->calls[pr_vm_component_of(call.alu)];
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 256;
        pr_vm_call *items = realloc(list->items, capacity * sizeof *items);
        if (!items) return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n++] = call;
    return true;
}

/* A shift calls in its turn for a product or a quotient. */
static bool append_calls(pr_vm_trace *t, pr_vm_call call) {
    if (!append_call(t, call)) return false;
    if (pr_vm_component_of(call.alu) != PR_VM_SHIFT) return true;
    call.alu = call.alu == PR_VM_ALU_SHL ? PR_VM_ALU_MUL : PR_VM_ALU_DIV;
    call.b = UINT32_C(1) << call.b % 32;
    return append_call(t, call);
}

static bool list_calls(pr_vm_trace *t) {
    for (size_t k = 0; k < t->machine.n_rows; k++) {
        const pr_vm_step *step = &t->machine.steps[k];
        const pr_vm_line *line = &t->machine.lines[step->pc];
        if (line->alu == PR_VM_ALU_NONE || step->trap) continue;
        uint32_t b = pr_vm_line_has(line, PR_VM_F_IMMEDIATE) ? line->imm : step->s;
        if (!append_calls(t, (pr_vm_call){step->a, b, step->c, line->alu})) return false;
    }
    return true;
}

/* ---- rows ---- */

enum { MOST_COLUMNS = 64, BLOCK = PR_VM_BLOCK };
_Static_assert((int)PR_VM_M_MOST_COLUMNS <= (int)MOST_COLUMNS, "main is the widest component");

static const uint8_t n_columns[PR_VM_COMPONENTS] = {
    [PR_VM_MAIN] = PR_VM_M_COLUMNS,     [PR_VM_MEMORY] = PR_VM_Y_COLUMNS,
    [PR_VM_WORDS] = PR_VM_W_COLUMNS,    [PR_VM_REGISTER_FILE] = PR_VM_G_COLUMNS,
    [PR_VM_PROGRAM] = PR_VM_T_COLUMNS,  [PR_VM_ADDITION] = PR_VM_A_COLUMNS,
    [PR_VM_BITWISE] = PR_VM_B_COLUMNS,  [PR_VM_MULTIPLICATION] = PR_VM_P_COLUMNS,
    [PR_VM_DIVISION] = PR_VM_D_COLUMNS, [PR_VM_SHIFT] = PR_VM_S_COLUMNS,
    [PR_VM_EQUALITY] = PR_VM_E_COLUMNS, [PR_VM_RANGE16] = PR_VM_T_COLUMNS,
    [PR_VM_RANGE10] = PR_VM_T_COLUMNS,  [PR_VM_BYTES] = PR_VM_BYTES_COLUMNS,
    [PR_VM_POWERS] = PR_VM_T_COLUMNS,   [PR_VM_RECTIFIER] = PR_VM_L_COLUMNS,
    [PR_VM_PRODUCT] = PR_VM_X_COLUMNS,  [PR_VM_SPONGE] = PR_VM_H_PLAIN, /* the S-boxes are the kernel's */
    [PR_VM_DIGEST] = PR_VM_Z_COLUMNS,
};

static uint32_t columns_of(const pr_vm_trace *t, pr_vm_component component) {
    return n_columns[component] + (component == PR_VM_MAIN ? t->n_extra : 0);
}

static size_t rows_in_use(const pr_vm_trace *t, pr_vm_component component, uint32_t log_rows) {
    switch (component) {
    case PR_VM_MAIN:
        return t->machine.n_rows;
    case PR_VM_MEMORY:
        return t->machine.n_accesses;
    case PR_VM_WORDS:
        return t->machine.memory.n;
    case PR_VM_ADDITION:
    case PR_VM_BITWISE:
    case PR_VM_MULTIPLICATION:
    case PR_VM_DIVISION:
    case PR_VM_SHIFT:
    case PR_VM_EQUALITY:
    case PR_VM_RECTIFIER:
        return t->calls[component].n;
    case PR_VM_PRODUCT:
        return t->machine.n_products;
    case PR_VM_SPONGE:
        return t->machine.n_blocks;
    case PR_VM_DIGEST:
        return t->machine.n_hashes;
    default:
        return (size_t)1 << log_rows;
    }
}

/* What the run recorded for a row of a component of records: those with most rows. */
typedef union record {
    pr_vm_step step;     /* of main */
    pr_vm_access access; /* of memory */
    pr_vm_call call;     /* of the arithmetic components */
} record;

static bool has_records(pr_vm_component component) {
    return component == PR_VM_MAIN || component == PR_VM_MEMORY || component == PR_VM_RECTIFIER ||
           (component >= PR_VM_ADDITION && component <= PR_VM_EQUALITY);
}

static record record_at(const pr_vm_trace *t, pr_vm_component component, size_t index) {
    switch (component) {
    case PR_VM_MAIN:
        return (record){.step = t->machine.steps[index]};
    case PR_VM_MEMORY:
        return (record){.access = t->machine.accesses[index]};
    default:
        return (record){.call = t->calls[component].items[index]};
    }
}

static void fill_from_record(pr_m31 *out, const pr_vm_trace *t, pr_vm_component component, const record *from) {
    static void (*const functions[PR_VM_COMPONENTS])(pr_m31 *, const pr_vm_call *) = {
        [PR_VM_ADDITION] = pr_vm_row_addition,
        [PR_VM_BITWISE] = pr_vm_row_bitwise,
        [PR_VM_MULTIPLICATION] = pr_vm_row_multiplication,
        [PR_VM_DIVISION] = pr_vm_row_division,
        [PR_VM_SHIFT] = pr_vm_row_shift,
        [PR_VM_EQUALITY] = pr_vm_row_equality,
        [PR_VM_RECTIFIER] = pr_vm_row_rectifier};
    if (component == PR_VM_MAIN)
        pr_vm_row_main(out, t, &from->step);
    else if (component == PR_VM_MEMORY)
        pr_vm_row_memory(out, &from->access);
    else
        functions[component](out, &from->call);
}

/* One row in use of a component that is no table. */
static void fill_row(pr_m31 *out, const pr_vm_trace *t, pr_vm_component component, size_t index) {
    static void (*const rows[PR_VM_COMPONENTS])(pr_m31 *, const pr_vm_trace *,
                                                size_t) = {[PR_VM_WORDS] = pr_vm_row_words,
                                                           [PR_VM_REGISTER_FILE] = pr_vm_row_registers,
                                                           [PR_VM_PRODUCT] = pr_vm_row_product,
                                                           [PR_VM_SPONGE] = pr_vm_row_sponge,
                                                           [PR_VM_DIGEST] = pr_vm_row_digest};
    if (has_records(component)) {
        record from = record_at(t, component, index);
        fill_from_record(out, t, component, &from);
    } else
        rows[component](out, t, index);
}

static const uint32_t *table_column(const pr_vm_trace *t, pr_vm_component component, uint32_t column) {
    switch (component) {
    case PR_VM_PROGRAM:
        return t->line_counts;
    case PR_VM_RANGE16:
        return t->range16_counts;
    case PR_VM_RANGE10:
        return t->range10_counts;
    case PR_VM_BYTES:
        return column == PR_VM_BYTES_AND ? t->and_counts : t->pair_counts;
    case PR_VM_POWERS:
        return t->power_counts;
    default:
        return NULL;
    }
}

static void fill_table(pr_m31 *const *columns, pr_job_order order, pr_vm_component component, const pr_vm_trace *t,
                       uint32_t log_rows) {
    for (uint32_t k = 0; k < columns_of(t, component); k++) {
        const uint32_t *counts = table_column(t, component, k);
        for (uint32_t place = 0; place < 1u << log_rows; place++)
            columns[k][place] = counts[pr_job_row(order, log_rows, place)];
    }
}

/* Rows out[0 .. n - 1] from rows[]. In storage order neighbours are rows far apart, so all records are copied before
 * any is used: the processor then waits for many of them at a time. */
static void fill_from_records(pr_m31 *out, const pr_vm_trace *t, pr_vm_component component, const uint32_t *rows,
                              uint32_t n, size_t in_use) {
    record records[BLOCK];
    for (uint32_t i = 0; i < n; i++)
        if (rows[i] < in_use) records[i] = record_at(t, component, rows[i]);
    for (uint32_t i = 0; i < n; i++)
        if (rows[i] < in_use) fill_from_record(out + i, t, component, &records[i]);
}

/* Places first .. first + n - 1 of all columns. */
static void fill_block(pr_m31 *const *columns, pr_job_order order, pr_vm_component component, const pr_vm_trace *t,
                       uint32_t log_rows, uint32_t first, uint32_t n) {
    pr_m31 block[MOST_COLUMNS * BLOCK];
    uint32_t rows[BLOCK];
    size_t in_use = rows_in_use(t, component, log_rows);
    uint32_t n_all = columns_of(t, component);
    memset(block, 0, n_all * BLOCK * sizeof *block);
    for (uint32_t i = 0; i < n; i++) rows[i] = pr_job_row(order, log_rows, first + i);
    if (has_records(component)) fill_from_records(block, t, component, rows, n, in_use);
    for (uint32_t i = 0; i < n && !has_records(component); i++)
        if (rows[i] < in_use) fill_row(block + i, t, component, rows[i]);
    for (uint32_t k = 0; k < n_all; k++) memcpy(columns[k] + first, block + k * BLOCK, n * sizeof(pr_m31));
}

void pr_vm_trace_fill(pr_m31 *const *columns, pr_job_order order, pr_vm_component component, const pr_vm_trace *t,
                      const pr_vm_public *statement, unsigned n_threads) {
    uint32_t log_rows = statement->log_rows[component], n_rows = 1u << log_rows, n = n_rows < BLOCK ? n_rows : BLOCK;
    if (table_column(t, component, 0)) {
        fill_table(columns, order, component, t, log_rows);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(pr_job_threads(n_threads))
    for (uint32_t first = 0; first < n_rows; first += n) {
        fill_block(columns, order, component, t, log_rows, first, n);
        if (component == PR_VM_SPONGE) PR_JOB_KERNEL(pr_vm_sponge)(columns, first, n);
    }
}

/* ---- multiplicities ---- */

/* Columns first .. first + n - 1 of a component, on its rows in use, are looked up in a table: alone, or as pairs. */
typedef enum table { RANGE16, RANGE10, PAIRS, ZERO_PAIRS } table;
static const struct {
    uint8_t component, first, n, table;
} uses[] = {
    {PR_VM_WORDS, PR_VM_W_ADDRESS, 2, RANGE16},
    {PR_VM_WORDS, PR_VM_W_STEP, 2, RANGE16},
    {PR_VM_MEMORY, PR_VM_Y_AGE, 1, RANGE16},
    {PR_VM_MEMORY, PR_VM_Y_AGE + 1, 1, ZERO_PAIRS},
    {PR_VM_ADDITION, PR_VM_A_SUM, 2, RANGE16},
    {PR_VM_MULTIPLICATION, PR_VM_P_A, 8, PAIRS},
    {PR_VM_MULTIPLICATION, PR_VM_P_C, 2, RANGE16},
    {PR_VM_MULTIPLICATION, PR_VM_P_CARRY, 2, RANGE10},
    {PR_VM_DIVISION, PR_VM_D_B, 8, PAIRS},
    {PR_VM_DIVISION, PR_VM_D_REST, 4, RANGE16},
    {PR_VM_DIVISION, PR_VM_D_CARRY, 1, RANGE10},
    {PR_VM_SHIFT, PR_VM_S_ABOVE, 1, RANGE16},
    {PR_VM_PRODUCT, PR_VM_X_X, 8, PAIRS},
    {PR_VM_PRODUCT, PR_VM_X_SUM, 2, RANGE16},
    {PR_VM_PRODUCT, PR_VM_X_CARRY, 2, RANGE10},
    {PR_VM_PRODUCT, PR_VM_X_ABOVE, 2, PAIRS},
    {PR_VM_PRODUCT, PR_VM_X_ABOVE + 2, 1, ZERO_PAIRS},
    {PR_VM_DIGEST, PR_VM_Z_WORDS, 16, RANGE16},
};

/* What is out of a table's range is not counted: no multiplicity balances it. */
static void count(uint32_t *counts, uint32_t value, uint32_t size) {
    if (value < size) counts[value]++;
}

static void count_pair(pr_vm_trace *t, pr_m31 x, pr_m31 y) {
    if (x < 256 && y < 256) t->pair_counts[x + 256 * y]++;
}

static void count_use(pr_vm_trace *t, const pr_m31 *row, size_t use) {
    const pr_m31 *x = row + uses[use].first * BLOCK;
    for (unsigned k = 0; k < uses[use].n; k++) switch ((table)uses[use].table) {
        case RANGE16:
            count(t->range16_counts, x[k * BLOCK], 1 << 16);
            break;
        case RANGE10:
            count(t->range10_counts, x[k * BLOCK], 1 << 10);
            break;
        case PAIRS:
            if (k % 2 == 0) count_pair(t, x[k * BLOCK], x[(k + 1) * BLOCK]);
            break;
        case ZERO_PAIRS:
            count_pair(t, x[k * BLOCK], 0);
            break;
        }
}

/* What no list of columns says. */
static void count_special(pr_vm_trace *t, pr_vm_component component, const pr_m31 *row) {
    if (component == PR_VM_SHIFT) count(t->power_counts, row[PR_VM_S_PLACES * BLOCK], 32);
    if (component == PR_VM_SPONGE && row[PR_VM_H_FIRST * BLOCK]) count_pair(t, row[PR_VM_H_N_HI * BLOCK], 0);
    for (int k = 1; component == PR_VM_DIGEST && k < 16; k += 2)
        count(t->range16_counts, 2 * row[(PR_VM_Z_WORDS + k) * BLOCK], 1 << 16);
    if (component == PR_VM_RECTIFIER) count(t->range16_counts, 2 * row[PR_VM_L_REST * BLOCK], 1 << 16);
    for (int k = 0; component == PR_VM_BITWISE && k < 4; k++)
        t->and_counts[row[(PR_VM_B_A + k) * BLOCK] + 256 * row[(PR_VM_B_B + k) * BLOCK]]++;
}

static void count_component(pr_vm_trace *t, pr_vm_component component) {
    size_t n = rows_in_use(t, component, 0);
    for (size_t index = 0; index < n; index++) {
        pr_m31 row[MOST_COLUMNS * BLOCK];
        for (uint32_t k = 0; k < columns_of(t, component); k++) row[k * BLOCK] = 0;
        fill_row(row, t, component, index);
        for (size_t use = 0; use < sizeof uses / sizeof *uses; use++)
            if (uses[use].component == component) count_use(t, row, use);
        count_special(t, component, row);
    }
}

/* main's, straight from the steps: it has the most rows. */
static void count_steps(pr_vm_trace *t) {
    for (size_t k = 0; k < t->machine.n_rows; k++) {
        const pr_vm_step *step = &t->machine.steps[k];
        uint32_t now = PR_VM_TICKS * step->number, a = now - step->a_touched - 1, s = now - step->s_touched;
        uint32_t d = now + 1 - step->d_touched;
        t->line_counts[step->pc]++;
        t->range16_counts[a & 0xffff]++;
        t->range16_counts[s & 0xffff]++;
        t->range16_counts[d & 0xffff]++;
        count_pair(t, a >> 16, s >> 16);
        count_pair(t, d >> 16, 0);
    }
}

static bool allocate_counts(pr_vm_trace *t, const pr_vm_public *s) {
    const struct {
        uint32_t **counts;
        pr_vm_component component;
    } all[] = {{&t->line_counts, PR_VM_PROGRAM},    {&t->range16_counts, PR_VM_RANGE16},
               {&t->range10_counts, PR_VM_RANGE10}, {&t->power_counts, PR_VM_POWERS},
               {&t->and_counts, PR_VM_BYTES},       {&t->pair_counts, PR_VM_BYTES}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (!(*all[k].counts = calloc((size_t)1 << s->log_rows[all[k].component], sizeof **all[k].counts)))
            return false;
    return true;
}

/* ---- all of it ---- */

/* Every public word has its row, whether the program touched it or not. */
static bool touch_outputs(pr_vm_trace *t) {
    for (uint32_t k = 0; k <= t->n_outputs; k++)
        if (!pr_vm_memory_touch(&t->machine.memory, PR_VM_OUTPUT + k)) return false;
    return true;
}

static void set_sizes(pr_vm_public *s, const pr_vm_trace *t) {
    if (pr_vm_program_has(&s->program, PR_VM_RELU))
        s->log_rows[PR_VM_RECTIFIER] = pr_vm_log_rows(t->calls[PR_VM_RECTIFIER].n);
    if (pr_vm_program_has(&s->program, PR_VM_MATMUL))
        s->log_rows[PR_VM_PRODUCT] = pr_vm_log_rows(t->machine.n_products);
    if (pr_vm_program_has(&s->program, PR_VM_HASH)) {
        s->log_rows[PR_VM_SPONGE] = pr_vm_log_rows(t->machine.n_blocks);
        s->log_rows[PR_VM_DIGEST] = pr_vm_log_rows(t->machine.n_hashes);
    }
    if (pr_vm_has(s, PR_VM_PRODUCT) || pr_vm_has(s, PR_VM_SPONGE))
        s->log_rows[PR_VM_MAIN] = pr_vm_log_rows(t->machine.n_rows);
    pr_vm_public_set_sizes(s);
    s->log_rows[PR_VM_MEMORY] = pr_vm_log_rows(t->machine.n_accesses);
    s->log_rows[PR_VM_WORDS] = pr_vm_log_rows(t->machine.memory.n);
    for (int c = PR_VM_ADDITION; c <= PR_VM_EQUALITY; c++) s->log_rows[c] = pr_vm_log_rows(t->calls[c].n);
}

static bool list_lines(pr_vm_trace *t, const pr_vm_program *program) {
    pr_vm_flag extra[PR_VM_EXTRA_FLAGS];
    t->n_extra = pr_vm_extra_flags(extra, program);
    t->line_values = malloc((t->machine.n_lines + (size_t)1) * sizeof *t->line_values);
    for (uint32_t k = 0; t->line_values && k < t->machine.n_lines; k++)
        pr_vm_line_values(t->line_values[k], k, &t->machine.lines[k], extra, t->n_extra);
    return t->line_values != NULL;
}

static bool build(pr_vm_trace *t, pr_vm_public *s) {
    if (!list_lines(t, &s->program) || !touch_outputs(t) || !list_calls(t)) return false;
    pr_vm_memory_sort(&t->machine.memory);
    set_sizes(s, t);
    if (!allocate_counts(t, s)) return false;
    count_steps(t);
    count_component(t, PR_VM_MEMORY);
    count_component(t, PR_VM_WORDS);
    for (int c = PR_VM_ADDITION; c <= PR_VM_EQUALITY; c++) count_component(t, (pr_vm_component)c);
    count_component(t, PR_VM_RECTIFIER);
    for (int c = PR_VM_PRODUCT; c <= PR_VM_DIGEST; c++) count_component(t, (pr_vm_component)c);
    return true;
}

pr_status pr_vm_trace_init_take(pr_vm_trace *trace, pr_vm_machine *machine, pr_vm_public *statement, pr_error *err) {
    pr_vm_trace t = {.machine = *machine,
                     .n_inputs = statement->n_inputs,
                     .n_data = statement->program.n_data,
                     .n_outputs = statement->n_outputs};
    *machine = (pr_vm_machine){0};
    bool built = build(&t, statement);
    if (built)
        *trace = t;
    else
        pr_vm_trace_clear(&t);
    return built ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for the trace of %u steps", statement->n_steps);
}

void pr_vm_trace_clear(pr_vm_trace *t) {
    pr_vm_machine_clear(&t->machine);
    free(t->line_values);
    for (int c = 0; c < PR_VM_COMPONENTS; c++) free(t->calls[c].items);
    free(t->line_counts);
    free(t->range16_counts);
    free(t->range10_counts);
    free(t->power_counts);
    free(t->and_counts);
    free(t->pair_counts);
    *t = (pr_vm_trace){0};
}
