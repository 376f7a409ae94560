/* Laying out a block's memory and pointing its operands at columns; the same for every instruction set. */
#include "cpu/kernels/program.h"
#include <string.h>

#define ROWS PR_CPU_BLOCK

static void *take(unsigned char **at, size_t bytes) {
    void *p = *at;
    *at += (bytes + 63) & ~(size_t)63;
    return p;
}

static size_t lay_out(pr_cpu_block *b, unsigned char *memory, size_t n_slots, size_t n_inputs, size_t n_values) {
    unsigned char *at = memory;
    b->operands = take(&at, (n_slots + n_inputs) * sizeof *b->operands);
    b->values = take(&at, n_values * sizeof *b->values);
    b->powers = take(&at, n_values * sizeof *b->powers);
    b->sums = take(&at, 4 * ROWS * sizeof *b->sums);
    b->num = take(&at, 4 * ROWS * sizeof *b->num);
    b->den = take(&at, 4 * ROWS * sizeof *b->den);
    for (int k = 0; k < 4; k++) b->spare[k] = take(&at, 4 * ROWS * sizeof **b->spare);
    b->slots = take(&at, n_slots * ROWS * sizeof *b->slots);
    b->copies = take(&at, n_inputs * ROWS * sizeof *b->copies);
    return (size_t)(at - memory);
}

size_t pr_cpu_thread_bytes_program(const pr_device_needs *needs) {
    /* an upper bound of lay_out's sum: nine runs of 4 words a row, the program's own, and 64 bytes of padding a piece
     */
    size_t operands = (size_t)needs->max_slots + needs->max_inputs;
    size_t runs = (operands + 32) * ROWS * sizeof(uint32_t);
    return runs + operands * sizeof(void *) + needs->max_lookup_values * (sizeof(void *) + sizeof(pr_qm31)) + 16 * 64;
}

static size_t most_values(const pr_program *program) {
    size_t most = 0;
    for (uint32_t k = 0; k < program->n_insns; k++)
        if (program->insns[k].op == PR_OP_LOOKUP && program->insns[k].dst > most) most = program->insns[k].dst;
    return most;
}

/* Instructions that stop at fetch_next. */
static uint32_t count_operations(const pr_program *program) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < program->n_insns; k += pr_insn_length(&program->insns[k]))
        n += program->insns[k].op != PR_OP_CONSTRAINT && program->insns[k].op != PR_OP_BATCH_END;
    return n ? n : 1;
}

void pr_cpu_block_init(pr_cpu_block *b, pr_device *dev, unsigned thread, const pr_cpu_program_args *args) {
    const pr_program *program = args->program;
    memset(b, 0, sizeof *b);
    size_t bytes =
        lay_out(b, pr_cpu_thread_memory(dev, thread), program->n_slots, program->n_inputs, most_values(program));
    PR_ASSERT(bytes <= dev->thread_bytes);
    b->args = args;
    b->relation = UINT32_MAX;
    b->fetch_step = program->n_inputs * PR_CPU_BLOCK_LINES / count_operations(program) + 1;
    for (uint32_t k = 0; k < program->n_slots; k++) b->operands[k] = b->slots + k * ROWS;
}

/* Bits reversed within the lowest `bits` of v (1 .. 32). */
static uint32_t reverse(uint32_t v, unsigned bits) {
    v = (v >> 1 & 0x55555555u) | (v & 0x55555555u) << 1;
    v = (v >> 2 & 0x33333333u) | (v & 0x33333333u) << 2;
    v = (v >> 4 & 0x0f0f0f0fu) | (v & 0x0f0f0f0fu) << 4;
    v = (v >> 8 & 0x00ff00ffu) | (v & 0x00ff00ffu) << 8;
    return (v >> 16 | v << 16) >> (32 - bits);
}

static void gather_rows(uint32_t *out, const pr_cpu_block *b, const pr_m31 *column, int32_t offset) {
    for (uint32_t i = 0; i < b->n_rows; i++) out[i] = column[pr_slot_shift(b->args->log_rows, 0, b->first + i, offset)];
}

/* Extension 1: a slot is 2 q + half, and in each half q reversed moves by offset, in the second half backwards. */
static void gather_prefix(uint32_t *out, const pr_cpu_block *b, const pr_m31 *column, uint32_t move) {
    unsigned n = b->args->log_rows;
    uint32_t mask = (1u << n) - 1, q = b->first >> 1;
    for (uint32_t i = 0; i < b->n_rows; i += 2, q++) {
        uint32_t j = reverse(q, n);
        out[i] = column[2 * reverse((j + move) & mask, n)];
        out[i + 1] = column[2 * reverse((j - move) & mask, n) + 1];
    }
}

/* Within a block the low bits of q vary, the high bits of q reversed. As long as moving the fixed low bits of the
 * reversed q carries nothing into them, even slots come from one other block and odd slots from another. */
static bool blend_prefix(uint32_t *out, const pr_cpu_block *b, const pr_m31 *column, int32_t offset) {
    unsigned n = b->args->log_rows, log_block = (unsigned)__builtin_ctz(b->n_rows), fixed_bits = n + 1 - log_block;
    if (fixed_bits == 0) return offset == 0;
    int64_t at = reverse(b->first >> log_block, fixed_bits), even = at + offset, odd = at - offset;
    int64_t end = (int64_t)1 << fixed_bits;
    if (even < 0 || even >= end || odd < 0 || odd >= end) return false;
    const pr_m31 *e = column + ((size_t)reverse((uint32_t)even, fixed_bits) << log_block);
    const pr_m31 *o = column + ((size_t)reverse((uint32_t)odd, fixed_bits) << log_block);
    for (uint32_t i = 0; i < b->n_rows; i += 2) {
        out[i] = e[i];
        out[i + 1] = o[i + 1];
    }
    return true;
}

void pr_cpu_block_shift(uint32_t *out, const pr_cpu_block *b, const pr_m31 *column, int32_t offset) {
    if (b->args->extension == 0)
        gather_rows(out, b, column, offset);
    else if (!blend_prefix(out, b, column, offset))
        gather_prefix(out, b, column, (uint32_t)offset);
    for (uint32_t i = b->n_rows; i < b->n_padded; i++) out[i] = 0;
}

const uint32_t *pr_cpu_block_view(uint32_t *copy, const pr_cpu_block *b, const pr_m31 *column) {
    if (b->n_padded == b->n_rows) return column + b->first;
    memcpy(copy, column + b->first, b->n_rows * sizeof *copy);
    memset(copy + b->n_rows, 0, (b->n_padded - b->n_rows) * sizeof *copy);
    return copy;
}

void pr_cpu_block_begin(pr_cpu_block *b, uint32_t first, uint32_t n_rows, uint32_t lane_width) {
    const pr_program *program = b->args->program;
    b->first = first;
    b->n_rows = n_rows;
    b->n_padded = n_rows < lane_width ? lane_width : n_rows;
    b->n_fractions = 0;
    b->fetch_at = 0;
    b->fetch_end = n_rows == ROWS && ((first + 2 * n_rows - 1) >> (b->args->log_rows + b->args->extension)) == 0
                       ? program->n_inputs * PR_CPU_BLOCK_LINES
                       : 0;
    for (uint32_t k = 0; k < program->n_inputs; k++) {
        uint32_t *copy = b->copies + k * ROWS;
        const pr_m31 *column = b->args->base + b->args->inputs[k].offset;
        const uint32_t **operand = &b->operands[program->n_slots + k];
        if (program->inputs[k].offset == 0) {
            *operand = pr_cpu_block_view(copy, b, column);
        } else {
            pr_cpu_block_shift(copy, b, column, program->inputs[k].offset);
            *operand = copy;
        }
    }
}
