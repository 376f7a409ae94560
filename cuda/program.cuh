/* The interpreter of lowered programs (air/program.h) on the device: a row a thread, the instruction stream the same
 * for all. Slots lie in shared memory, word slot * threads + thread; those of a program with too many of them, in the
 * same order in device memory, a few blocks a launch. */
#ifndef PR_CUDA_PROGRAM_CUH
#define PR_CUDA_PROGRAM_CUH
#include "cuda/window.cuh"

namespace PR_GPU {

/* Values of an input at a row: a column, moved by some rows. Of a far column only the rows that the rows at hand read
 * are there; even and odd slots move apart, so each have a block of their own (domain.cuh, moved_slot). */
struct program_input {
    pr_col column[2]; /* by the slot's parity */
    int32_t offset;
};

struct program_view {
    words arena;
    span<const pr_insn> insns;
    span<const pr_m31> constants;
    span<const program_input> inputs;
    span<const pr_qm31> z;            /* [n_relations] */
    span<const pr_qm31> alpha_powers; /* [n_relations][max_values]: 1, alpha, .. */
    uint32_t n_insns, n_slots, n_inputs, max_values;
    uint32_t log_rows, extension; /* 0: the trace domain; 1: the first 2 << log_rows rows of extended columns */
    uint32_t first, n_rows;       /* of the slots at hand */
    words spilled; /* [blocks][n_slots * rows_each * threads]: slots that shared memory has no room for */
};

constexpr unsigned rows_each = 2;
struct row_values {
    pr_m31 v[rows_each];
};

/* What a thread knows of its rows. */
struct program_rows {
    uint32_t slot[rows_each];               /* of each row in its columns */
    uint32_t n_fractions;                   /* lookups in the open batch so far */
    pr_qm31 num[rows_each], den[rows_each]; /* of the open batch */
};

#define PR_EACH_ROW _Pragma("unroll") for (unsigned r = 0; r < rows_each; r++)

/* Number of a thread's row r among all; neighbouring threads have neighbouring rows. */
PR_DEVICE size_t row_number(unsigned r) { return ((size_t)blockIdx.x * rows_each + r) * blockDim.x + threadIdx.x; }
/* A thread beyond the last row works on the first and keeps nothing. */
PR_DEVICE program_rows begin_rows(const program_view &p) {
    program_rows rows = {};
    PR_EACH_ROW rows.slot[r] = p.first + (row_number(r) < p.n_rows ? (uint32_t)row_number(r) : 0);
    return rows;
}
/* A column, or the aligned block of it that holds this slot: its low bits tell where. */
PR_DEVICE pr_m31 ld_slot(const words &arena, const pr_col &col, uint32_t slot) {
    return ld(column(arena, col), slot & ((1u << col.log_rows) - 1));
}
PR_DEVICE pr_m31 ld_moved(const program_view &p, const program_input &in, uint32_t slot) {
    const uint32_t moved = in.offset ? moved_slot(p.log_rows, p.extension, slot, in.offset) : slot;
    return ld_slot(p.arena, in.column[slot & 1], moved);
}

PR_DEVICE row_values ld_input(const program_view &p, uint32_t k, const program_rows &rows) {
    const program_input in = ld(p.inputs, k);
    row_values out;
    PR_EACH_ROW out.v[r] = ld_moved(p, in, rows.slot[r]);
    return out;
}
PR_DEVICE size_t slot_word(uint32_t slot, unsigned r) {
    return (size_t)(slot * rows_each + r) * blockDim.x + threadIdx.x;
}
PR_DEVICE row_values ld_operand(const program_view &p, const words &slots, uint32_t operand, const program_rows &rows) {
    if (operand >= p.n_slots) return ld_input(p, operand - p.n_slots, rows);
    row_values out;
    PR_EACH_ROW out.v[r] = ld(slots, slot_word(operand, r));
    return out;
}

/* One more fraction m / d in the open batch. */
PR_DEVICE void add_fraction(program_rows *rows, unsigned r, bool is_first, pr_m31 m, const pr_qm31 &d) {
    if (is_first) {
        rows->num[r] = pr_qm31_from_m31(m);
        rows->den[r] = d;
        return;
    }
    rows->num[r] = pr_qm31_add(pr_qm31_mul(rows->num[r], d), pr_qm31_mul_m31(rows->den[r], m));
    rows->den[r] = pr_qm31_mul(rows->den[r], d);
}

/* A LOOKUP at pc: denominators are v0 + alpha v1 + .. - z. */
PR_DEVICE void run_lookup(const program_view &p, const words &slots, uint32_t pc, const pr_insn &insn,
                          program_rows *rows) {
    product_sum sums[rows_each] = {};
    pr_insn arg = insn;
    for (uint32_t k = 0; k < insn.dst; k++) {
        if (k % 3 == 0) arg = ld(p.insns, pc + 1 + k / 3);
        const row_values value = ld_operand(p, slots, k % 3 == 0 ? arg.dst : k % 3 == 1 ? arg.a : arg.b, *rows);
        const pr_qm31 power = ld(p.alpha_powers, insn.a * p.max_values + k);
        PR_EACH_ROW {
            fold(sums[r]);
            add_product(sums[r], value.v[r], power);
        }
    }
    const row_values m = ld_operand(p, slots, insn.b, *rows);
    const pr_qm31 z = ld(p.z, insn.a);
    PR_EACH_ROW add_fraction(rows, r, rows->n_fractions == 0, m.v[r], pr_qm31_sub(reduce(sums[r]), z));
    rows->n_fractions++;
}

PR_DEVICE pr_m31 compute(uint32_t op, pr_m31 a, pr_m31 b, pr_m31 c) {
    switch (op) {
    case PR_OP_NEG:
        return pr_m31_neg(a);
    case PR_OP_SQUARE:
        return pr_m31_square(a);
    case PR_OP_ADD:
    case PR_OP_ADD_CONST:
        return pr_m31_add(a, b);
    case PR_OP_SUB:
    case PR_OP_SUB_CONST:
        return pr_m31_sub(a, b);
    case PR_OP_CONST_SUB:
        return pr_m31_sub(b, a);
    case PR_OP_MUL:
    case PR_OP_MUL_CONST:
        return pr_m31_mul(a, b);
    case PR_OP_ADD_ADD:
        return pr_m31_add(pr_m31_add(a, b), c);
    case PR_OP_SUB_SUB:
        return pr_m31_sub(pr_m31_sub(a, b), c);
    case PR_OP_MUL_ADD:
        return pr_m31_add(pr_m31_mul(a, b), c);
    case PR_OP_MUL_SUB:
        return pr_m31_sub(pr_m31_mul(a, b), c);
    case PR_OP_SUB_MUL:
        return pr_m31_sub(c, pr_m31_mul(a, b));
    default:
        return a; /* CONST */
    }
}

PR_DEVICE row_values all_rows(pr_m31 v) {
    row_values out;
    PR_EACH_ROW out.v[r] = v;
    return out;
}

/* Any instruction that sets a slot; returns the words it took. */
PR_DEVICE uint32_t run_arithmetic(const program_view &p, const words &slots, uint32_t pc, const pr_insn &insn,
                                  const program_rows &rows) {
    const bool is_constant = insn.op == PR_OP_CONST, is_ternary = insn.op >= PR_OP_ADD_ADD && insn.op <= PR_OP_SUB_MUL;
    const bool has_constant = insn.op >= PR_OP_ADD_CONST && insn.op <= PR_OP_MUL_CONST;
    const row_values a = is_constant ? all_rows(ld(p.constants, insn.a)) : ld_operand(p, slots, insn.a, rows);
    row_values b = a, c = a;
    if (has_constant)
        b = all_rows(ld(p.constants, insn.b));
    else if (!is_constant && insn.op != PR_OP_NEG && insn.op != PR_OP_SQUARE)
        b = ld_operand(p, slots, insn.b, rows);
    if (is_ternary) c = ld_operand(p, slots, ld(p.insns, pc + 1).a, rows);
    PR_EACH_ROW st(slots, slot_word(insn.dst, r), compute(insn.op, a.v[r], b.v[r], c.v[r]));
    return is_ternary ? 2 : 1;
}

/* Executes from pc until a CONSTRAINT, a BATCH_END or the end; insn: the one it stopped at. */
PR_DEVICE uint32_t run_program(const program_view &p, const words &slots, program_rows *rows, uint32_t pc,
                               pr_insn *insn) {
    while (pc < p.n_insns) {
        *insn = ld(p.insns, pc);
        if (insn->op == PR_OP_CONSTRAINT || insn->op == PR_OP_BATCH_END) break;
        if (insn->op == PR_OP_LOOKUP) {
            run_lookup(p, slots, pc, *insn, rows);
            pc += 1 + (insn->dst + 2u) / 3;
        } else {
            pc += run_arithmetic(p, slots, pc, *insn, *rows);
        }
    }
    return pc;
}

/* ---- on the host ---- */

/* Where a block's slots lie: in shared memory, or where the launch gave them a place because there are too many. */
template <bool SPILLS> PR_DEVICE words program_slots(const program_view &p) {
    const size_t n = (size_t)p.n_slots * rows_each * blockDim.x;
    if constexpr (SPILLS) {
        return sub(p.spilled, blockIdx.x * n, n);
    } else {
        PR_SHARED_DYNAMIC(uint32_t, slots, n);
        return slots;
    }
}

/* Shape of a program's launches. */
struct program_shape {
    unsigned threads;
    size_t shared_bytes; /* 0 where slots spill */
    size_t most_rows;    /* of one launch: as many blocks as have a place to spill to */
    bool spills;
};
/* Words of columns that one row reads. */
size_t program_loads(const pr_program *program);
program_shape program_shape_of(const device *dev, const pr_program *program);
/* Words of scratch for the slots of programs that spill; 0 where none does. */
size_t spill_words(uint32_t n_slots);
inline unsigned program_blocks(size_t n_rows, unsigned threads) {
    return (unsigned)((n_rows + rows_each * threads - 1) / (rows_each * threads));
}

/* Tables of a program for one operation, beside others of that operation. */
struct program_tables {
    const pr_program *program;
    const pr_col *inputs;
    const pr_qm31 *z, *alpha;
    uint32_t n_relations, max_values, log_rows, extension;
};
program_tables program_tables_of(const pr_program *program, const pr_col *inputs, const pr_qm31 *z,
                                 const pr_qm31 *alpha, uint32_t log_rows, uint32_t extension);
size_t program_table_bytes(const program_tables &t);
/* For rows first .. first + 2^log_rows - 1 of its columns; what far ones have there is brought into the window. */
pr_status put_program(program_view *v, device *dev, table_writer *w, window *in, const program_tables &t, size_t first,
                      uint32_t log_rows, pr_error *err);
/* A column moved by an offset, as those rows read it; and how many pieces of the window that takes at most. */
pr_status moved_input(program_input *out, window *in, const program_tables &t, pr_col col, int32_t offset, size_t first,
                      uint32_t log_rows, pr_error *err);
size_t program_pieces(const pr_program *program);
/* Lets a kernel have so much dynamic shared memory. */
#ifdef PR_CUDA_EMULATED
#define PR_ALLOW_SHARED(kernel, bytes) cudaSuccess
#else
#define PR_ALLOW_SHARED(kernel, bytes)                                                                                 \
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)(bytes))
#endif

} // namespace PR_GPU
#endif
