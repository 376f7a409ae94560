/* The interpreter of lowered programs (air/program.h) on the device: some rows a thread, the instruction stream the
 * same for all. Programs are rewritten for it (program.cu): an instruction is one load of 16 bytes, says what it is the
 * constraint of, and keeps its result only where somebody reads it. Slots lie in shared memory; those of a program with
 * too many of them, in the same order in device memory, a few blocks a launch.
 *
 * Rows of a thread are 4 that stand together, so that a slot, or a column that is not moved, is one access of 16 bytes;
 * or 2, apart by a block's threads, where 4 leave too few threads for the slots, or there are not 4. */
#ifndef PR_CUDA_PROGRAM_CUH
#define PR_CUDA_PROGRAM_CUH
#include "cuda/window.cuh"

namespace PR_GPU {

/* op: pr_op and flags. A CONSTRAINT has its operand in a, its number in constraint; an ARG of a LOOKUP its operand in
 * a, the power of alpha that it is multiplied by, as an index of alpha_powers, in constant. LOOKUP: a relation, b
 * multiplicity, dst number of ARGs; they follow. */
struct alignas(16) wide_insn {
    uint16_t op, dst, a, b;
    pr_m31 constant;
    uint16_t c, constraint;
};
static_assert(sizeof(wide_insn) == 16, "one load");
constexpr uint16_t insn_op = 0xff, /* NEG is CONST_SUB from 0; the end is PR_OP_COUNT */
    insn_reads_b = 0x100, insn_reads_c = 0x200, insn_is_kept = 0x400,
                   insn_is_constraint = 0x800, /* its result is the value of constraint */
    insn_folds = 0x1000;                       /* the sums of products, before its own */
/* Four products of elements below p and a folded sum stay below 2^64. */
constexpr unsigned products_between_folds = 4;

/* Values of an input at a row: a column, moved by some rows. Of a far column only the rows that the rows at hand read
 * are there; even and odd slots move apart, so each have a block of their own (domain.cuh, moved_slot). */
struct input_column {
    words column;
    uint32_t mask; /* of slots */
    int32_t offset;
};
struct alignas(16) program_input {
    input_column of_even;
    words of_odd;
};

/* A program and what it reads. */
struct program_code {
    span<const wide_insn> insns;
    span<const program_input> inputs;
    span<const pr_qm31> z;            /* [n_relations] */
    span<const pr_qm31> alpha_powers; /* [n_relations][max_values]: 1, alpha, .. */
    uint32_t n_slots, n_loads;        /* n_loads: words of columns that one row reads */
};
/* The rows of a launch. */
struct program_range {
    words arena, spilled;         /* spilled: [blocks][slot_words]: slots that shared memory has no room for */
    uint32_t log_rows, extension; /* 0: the trace domain; 1: the first 2 << log_rows rows of extended columns */
    uint32_t first, n_rows;       /* of the slots at hand */
    size_t slot_words;            /* of a block */
};

template <unsigned ROWS> struct row_values { pr_m31 v[ROWS]; };
template <unsigned ROWS> struct secure_rows { pr_qm31 v[ROWS]; };

/* What a thread knows of its rows. */
template <unsigned ROWS> struct program_rows {
    uint32_t slot[ROWS]; /* of each row in its columns */
    bool is_active[ROWS];
    uint32_t n_fractions;         /* lookups in the open batch so far */
    pr_qm31 num[ROWS], den[ROWS]; /* of the open batch */
};

#define PR_EACH_ROW _Pragma("unroll") for (unsigned r = 0; r < ROWS; r++)

/* A thread beyond the last row works on the first and keeps nothing. */
template <unsigned ROWS> PR_DEVICE program_rows<ROWS> begin_rows(const program_range &range) {
    program_rows<ROWS> rows = {};
    const size_t thread = thread_number();
    PR_EACH_ROW {
        const size_t number = ROWS == 4 ? thread * 4 + r : ((size_t)blockIdx.x * ROWS + r) * blockDim.x + threadIdx.x;
        rows.is_active[r] = number < range.n_rows;
        rows.slot[r] = range.first + (rows.is_active[r] ? (uint32_t)number : ROWS == 4 ? r : 0);
    }
    return rows;
}

/* ---- sums of products ---- */

template <unsigned ROWS>
PR_DEVICE void add_products(product_sum *sums, bool folds, const row_values<ROWS> &values, const pr_qm31 &power) {
    if (folds) PR_EACH_ROW fold(sums[r]);
    PR_EACH_ROW add_product(sums[r], values.v[r], power);
}

/* ---- columns and slots ---- */

template <unsigned ROWS> PR_DEVICE row_values<ROWS> ld_four(const words &from, size_t i) {
    static_assert(ROWS == 4, "one access");
    const word4 v = ld4(read_only(from), i);
    return row_values<ROWS>{{v.x, v.y, v.z, v.w}};
}
template <unsigned ROWS> PR_DEVICE void st_four(const words &to, size_t i, const row_values<ROWS> &v) {
    static_assert(ROWS == 4, "one access");
    st4(to, i, word4{v.v[0], v.v[1], v.v[2], v.v[3]});
}

/* A column, or the aligned block of it that holds these slots: their low bits tell where. */
template <unsigned ROWS>
PR_DEVICE row_values<ROWS> ld_column(const words &column, uint32_t mask, const program_rows<ROWS> &rows) {
    if constexpr (ROWS == 4) {
        return ld_four<ROWS>(column, rows.slot[0] & mask);
    } else {
        row_values<ROWS> out;
        PR_EACH_ROW out.v[r] = ld(column, rows.slot[r] & mask);
        return out;
    }
}
template <unsigned ROWS>
PR_DEVICE row_values<ROWS> ld_column(const words &arena, const pr_col &col, const program_rows<ROWS> &rows) {
    return ld_column(column(arena, col), (1u << col.log_rows) - 1, rows);
}
template <unsigned ROWS>
PR_DEVICE void st_column(const words &column, uint32_t mask, const program_rows<ROWS> &rows,
                         const row_values<ROWS> &v) {
    if constexpr (ROWS == 4) {
        if (rows.is_active[0]) st_four(column, rows.slot[0] & mask, v);
    } else {
        PR_EACH_ROW if (rows.is_active[r]) st(column, rows.slot[r] & mask, v.v[r]);
    }
}

#ifdef PR_CUDA_EMULATED
PR_DEVICE input_column ld_even(span<const program_input> inputs, uint32_t k) { return ld(inputs, k).of_even; }
#else
PR_DEVICE input_column ld_even(span<const program_input> inputs, uint32_t k) {
    return ld16(span<const input_column>{(const input_column *)(const void *)(inputs.p + k)}, 0);
}
#endif
template <unsigned ROWS>
PR_DEVICE row_values<ROWS> ld_input(const program_range &range, span<const program_input> inputs, uint32_t k,
                                    const program_rows<ROWS> &rows) {
    const input_column in = ld_even(inputs, k);
    if (in.offset == 0) return ld_column(in.column, in.mask, rows);
    const words of_odd = ld(inputs, k).of_odd;
    row_values<ROWS> out;
    PR_EACH_ROW {
        const uint32_t moved = moved_slot(range.log_rows, range.extension, rows.slot[r], in.offset);
        out.v[r] = ld(rows.slot[r] & 1 ? of_odd : in.column, moved & in.mask);
    }
    return out;
}

template <unsigned ROWS> PR_DEVICE size_t slot_word(uint32_t slot, unsigned r) {
    return ROWS == 4 ? ((size_t)slot * blockDim.x + threadIdx.x) * 4 + r
                     : (size_t)(slot * ROWS + r) * blockDim.x + threadIdx.x;
}
template <unsigned ROWS> PR_DEVICE row_values<ROWS> ld_slot(const words &slots, uint32_t slot) {
    if constexpr (ROWS == 4) {
        return ld_four<ROWS>(slots, slot_word<ROWS>(slot, 0));
    } else {
        row_values<ROWS> out;
        PR_EACH_ROW out.v[r] = ld(slots, slot_word<ROWS>(slot, r));
        return out;
    }
}
template <unsigned ROWS>
PR_DEVICE row_values<ROWS> ld_operand(const program_range &range, const program_code &code, const words &slots,
                                      uint32_t operand, const program_rows<ROWS> &rows) {
    if (operand >= code.n_slots) return ld_input(range, code.inputs, operand - code.n_slots, rows);
    return ld_slot<ROWS>(slots, operand);
}
template <unsigned ROWS> PR_DEVICE void st_slot(const words &slots, uint32_t slot, const row_values<ROWS> &v) {
    if constexpr (ROWS == 4)
        st_four(slots, slot_word<ROWS>(slot, 0), v);
    else
        PR_EACH_ROW st(slots, slot_word<ROWS>(slot, r), v.v[r]);
}

/* Where a block's slots lie: in shared memory, or where the launch gave them a place because there are too many. */
template <bool SPILLS> PR_DEVICE words program_slots(const program_range &range) {
    if constexpr (SPILLS) {
        return sub(range.spilled, blockIdx.x * range.slot_words, range.slot_words);
    } else {
        PR_SHARED_DYNAMIC(uint32_t, slots, range.slot_words);
        return slots;
    }
}

/* ---- instructions ---- */

/* One more fraction m / d in the open batch. */
template <unsigned ROWS>
PR_DEVICE void add_fraction(program_rows<ROWS> *rows, unsigned r, bool is_first, pr_m31 m, const pr_qm31 &d) {
    if (is_first) {
        rows->num[r] = pr_qm31_from_m31(m);
        rows->den[r] = d;
        return;
    }
    rows->num[r] = pr_qm31_add(pr_qm31_mul(rows->num[r], d), pr_qm31_mul_m31(rows->den[r], m));
    rows->den[r] = pr_qm31_mul(rows->den[r], d);
}

/* The LOOKUP before pc: denominators are v0 + alpha v1 + .. - z. */
template <unsigned ROWS>
PR_DEVICE void run_lookup(const program_range &range, const program_code &code, const words &slots, uint32_t pc,
                          const wide_insn &insn, program_rows<ROWS> *rows) {
    product_sum sums[ROWS] = {};
    for (uint32_t k = 0; k < insn.dst; k++) {
        const wide_insn arg = ld16(code.insns, pc + k);
        add_products(sums, arg.op & insn_folds, ld_operand(range, code, slots, arg.a, *rows),
                     ld16(code.alpha_powers, arg.constant));
    }
    const row_values<ROWS> m = ld_operand(range, code, slots, insn.b, *rows);
    const pr_qm31 z = ld16(code.z, insn.a);
    PR_EACH_ROW add_fraction(rows, r, rows->n_fractions == 0, m.v[r], pr_qm31_sub(reduce(sums[r]), z));
    rows->n_fractions++;
}

template <unsigned ROWS>
PR_DEVICE row_values<ROWS> compute(uint32_t op, const row_values<ROWS> &a, const row_values<ROWS> &b,
                                   const row_values<ROWS> &c) {
    row_values<ROWS> out;
    switch (op) {
    case PR_OP_SQUARE:
        PR_EACH_ROW out.v[r] = pr_m31_mul(a.v[r], a.v[r]);
        return out;
    case PR_OP_ADD:
        PR_EACH_ROW out.v[r] = pr_m31_add(a.v[r], b.v[r]);
        return out;
    case PR_OP_SUB:
        PR_EACH_ROW out.v[r] = pr_m31_sub(a.v[r], b.v[r]);
        return out;
    case PR_OP_CONST_SUB:
        PR_EACH_ROW out.v[r] = pr_m31_sub(b.v[r], a.v[r]);
        return out;
    case PR_OP_MUL:
        PR_EACH_ROW out.v[r] = pr_m31_mul(a.v[r], b.v[r]);
        return out;
    case PR_OP_ADD_ADD:
        PR_EACH_ROW out.v[r] = pr_m31_add(pr_m31_add(a.v[r], b.v[r]), c.v[r]);
        return out;
    case PR_OP_SUB_SUB:
        PR_EACH_ROW out.v[r] = pr_m31_sub(pr_m31_sub(a.v[r], b.v[r]), c.v[r]);
        return out;
    case PR_OP_MUL_ADD:
        PR_EACH_ROW out.v[r] = pr_m31_add(pr_m31_mul(a.v[r], b.v[r]), c.v[r]);
        return out;
    case PR_OP_MUL_SUB:
        PR_EACH_ROW out.v[r] = pr_m31_sub(pr_m31_mul(a.v[r], b.v[r]), c.v[r]);
        return out;
    case PR_OP_SUB_MUL:
        PR_EACH_ROW out.v[r] = pr_m31_sub(c.v[r], pr_m31_mul(a.v[r], b.v[r]));
        return out;
    default:
        return a; /* CONSTRAINT */
    }
}

/* Anything that has a value for each row. */
template <unsigned ROWS>
PR_DEVICE row_values<ROWS> run_arithmetic(const program_range &range, const program_code &code, const words &slots,
                                          const wide_insn &insn, const program_rows<ROWS> &rows) {
    row_values<ROWS> a, b, c;
    PR_EACH_ROW b.v[r] = insn.constant;
    if ((insn.op & insn_op) == PR_OP_CONST) return b;
    a = ld_operand(range, code, slots, insn.a, rows);
    if (insn.op & insn_reads_b) b = ld_operand(range, code, slots, insn.b, rows);
    c = a;
    if (insn.op & insn_reads_c) c = ld_operand(range, code, slots, insn.c, rows);
    return compute(insn.op & insn_op, a, b, c);
}

/* Of visitor: add(constraint, folds, values) for each value of a constraint, close(batch) where a batch ends.
 * LOOKUPS: the program may have some; without them a thread needs far fewer registers. */
template <unsigned ROWS, bool LOOKUPS, class VISITOR>
PR_DEVICE void run_program(const program_range &range, const program_code &code, const words &slots,
                           program_rows<ROWS> *rows, VISITOR *visitor) {
    wide_insn next = ld16(code.insns, 0);
    for (uint32_t pc = 1;; pc++) { /* of the instruction behind this one, which is on its way meanwhile */
        const wide_insn insn = next;
        const uint32_t op = insn.op & insn_op;
        if (op == PR_OP_COUNT) return;
        next = ld16(code.insns, pc);
        if (op < PR_OP_LOOKUP) {
            const row_values<ROWS> v = run_arithmetic(range, code, slots, insn, *rows);
            if (insn.op & insn_is_kept) st_slot(slots, insn.dst, v);
            if (insn.op & insn_is_constraint) visitor->add(insn.constraint, insn.op & insn_folds, v);
        } else if constexpr (LOOKUPS) {
            if (op == PR_OP_LOOKUP) {
                run_lookup(range, code, slots, pc, insn, rows);
                pc += insn.dst;
                next = ld16(code.insns, pc);
            } else {
                visitor->close(insn.a);
                rows->n_fractions = 0;
            }
        }
    }
}

/* ---- on the host ---- */

/* Shape of a program's launches. */
struct program_shape {
    unsigned rows, threads; /* rows of a thread: 4 or 2 */
    size_t slot_words;      /* of a block */
    size_t most_rows;       /* of one launch: as many blocks as have a place to spill to */
    bool spills;
    size_t shared_bytes() const { return spills ? 0 : slot_words * sizeof(uint32_t); }
    /* Rows that threads of a launch read: those without a row read one, too. */
    size_t rows_read(size_t n_rows) const { return (size_t)blocks(n_rows) * threads * rows; }
    unsigned blocks(size_t n_rows) const { return (unsigned)((n_rows + rows * threads - 1) / (rows * threads)); }
    bool operator==(const program_shape &o) const {
        return rows == o.rows && threads == o.threads && spills == o.spills;
    }
};
/* n_rows: of a launch; most_rows: of a thread, as the kernel's registers allow. */
program_shape program_shape_of(const device *dev, uint32_t n_slots, size_t n_rows, unsigned most_rows);
/* Words of scratch for the slots of programs that spill; 0 where none does. */
size_t spill_words(uint32_t n_slots);
/* A program for one operation. */
struct program_tables {
    const pr_program *program;
    const pr_col *inputs;
    const pr_qm31 *z, *alpha;
    uint32_t n_relations, max_values, log_rows, extension;
    uint32_t n_wide; /* instructions as kernels take them, at most */
};
program_tables program_tables_of(const pr_program *program, const pr_col *inputs, const pr_qm31 *z,
                                 const pr_qm31 *alpha, uint32_t log_rows, uint32_t extension);
size_t program_table_bytes(const program_tables &t);
/* For rows first .. first + 2^log_rows - 1 of its columns; what far ones have there is brought into the window. */
pr_status put_program(program_code *code, device *dev, table_writer *w, window *in, const program_tables &t,
                      size_t first, uint32_t log_rows, pr_error *err);
program_range program_range_of(const device *dev, const program_tables &t, const program_shape &shape, size_t first,
                               uint32_t log_rows);
/* A column moved by an offset, as those rows read it; and how many pieces of the window that takes at most. */
pr_status moved_input(program_input *out, device *dev, window *in, const program_tables &t, pr_col col, int32_t offset,
                      size_t first, uint32_t log_rows, pr_error *err);
size_t program_pieces(const pr_program *program);

/* Lets a kernel have as much dynamic shared memory as any shape takes. It is the function's, for all threads of the
 * process, and holds when a launch is sent, which may be after other shapes were listed: so it is always the same. */
pr_status allow_shared(const void *kernel, pr_error *err);

/* launch(part) for each part of the rows, as many at a time as the shape has room for. */
template <class KERNEL, class LAUNCH>
pr_status launch_parts(KERNEL kernel, const program_shape &shape, const program_range &range, LAUNCH launch,
                       pr_error *err) {
    const size_t end = range.first + (size_t)range.n_rows;
    program_range part = range;
    PR_TRY(allow_shared(reinterpret_cast<const void *>(kernel), err));
    for (; part.first < end; part.first += part.n_rows) {
        const size_t left = end - part.first;
        part.n_rows = (uint32_t)(left < shape.most_rows ? left : shape.most_rows);
        PR_TRY(launch(part));
    }
    return PR_OK;
}

} // namespace PR_GPU
#endif
