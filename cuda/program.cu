#include "cuda/program.cuh"

namespace PR_GPU {

constexpr size_t shared_limit =
    96 << 10; /* a block's: two fit a multiprocessor of compute capability 9.0; 8.9 has 99 KiB */

#if defined(PR_CUDA_EMULATED) && !defined(PR_CUDA_DEVICE_TILES)
constexpr size_t spill_limit = 256 << 10;
#else
constexpr size_t spill_limit = 64 << 20;
#endif
constexpr unsigned most_threads = 128, least_threads = 32;

/* ---- shapes ---- */

static size_t words_of(uint32_t n_slots, unsigned rows, unsigned threads) {
    return (size_t)(n_slots ? n_slots : 1) * rows * threads;
}

/* Threads of a block whose slots fit shared memory; 0 when not even those of a warp do. */
static unsigned shared_threads(uint32_t n_slots, unsigned rows) {
    for (unsigned threads = most_threads; threads >= least_threads; threads /= 2)
        if (words_of(n_slots, rows, threads) * 4 <= (threads > least_threads ? shared_limit / 2 : shared_limit))
            return threads;
    return 0;
}

size_t spill_words(uint32_t n_slots) {
    const size_t block = words_of(n_slots, 2, most_threads), blocks = spill_limit / 4 / block;
    return shared_threads(n_slots, 2) ? 0 : block * (blocks ? blocks : 1);
}

pr_status allow_shared(const void *kernel, pr_error *err) {
    return check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared_limit),
                 "shared memory for a program's slots", err);
}

/* No more threads than there are rows for, in whole warps. */
static program_shape in_shared_memory(uint32_t n_slots, unsigned rows, unsigned threads, size_t n_rows) {
    while (threads > least_threads && rows * threads / 2 >= n_rows) threads /= 2;
    return program_shape{rows, threads, words_of(n_slots, rows, threads), SIZE_MAX, false};
}

program_shape program_shape_of(const device *dev, uint32_t n_slots, size_t n_rows, unsigned most_rows) {
    const unsigned four = most_rows < 4 || n_rows % 4 ? 0 : shared_threads(n_slots, 4),
                   two = shared_threads(n_slots, 2);
    if (four > least_threads) return in_shared_memory(n_slots, 4, four, n_rows);
    if (two) return in_shared_memory(n_slots, 2, two, n_rows);
    const size_t n = words_of(n_slots, 2, most_threads), blocks = dev->scratch_words / n;
    PR_ASSERT(blocks > 0);
    return program_shape{2, most_threads, n, blocks * 2 * most_threads, true};
}

/* ---- instructions as kernels take them ---- */

static bool is_ternary(uint16_t op) { return op >= PR_OP_ADD_ADD && op <= PR_OP_SUB_MUL; }

static wide_insn widen_arithmetic(const pr_program *p, const pr_insn *insn) {
    static const uint16_t of_constant[] = {PR_OP_ADD, PR_OP_SUB, PR_OP_CONST_SUB, PR_OP_MUL}; /* from ADD_CONST on */
    wide_insn out = {insn->op, insn->dst, insn->a, 0, 0, 0, 0};
    if (insn->op == PR_OP_CONST) {
        out.a = 0;
        out.constant = p->constants[insn->a];
    } else if (insn->op >= PR_OP_ADD_CONST && insn->op <= PR_OP_MUL_CONST) {
        out.op = of_constant[insn->op - PR_OP_ADD_CONST];
        out.constant = p->constants[insn->b];
    } else if (insn->op == PR_OP_NEG) {
        out.op = PR_OP_CONST_SUB;
    } else if (insn->op == PR_OP_MUL && insn->a == insn->b) {
        out.op = PR_OP_SQUARE;
    } else if (insn->op != PR_OP_SQUARE) {
        out.b = insn->b;
        out.op |= insn_reads_b;
    }
    if (is_ternary(insn->op)) {
        out.c = insn[1].a;
        out.op |= insn_reads_c;
    }
    return out;
}

static size_t widen_lookup(wide_insn *out, const pr_insn *insn, uint32_t max_values) {
    const pr_insn *arg = insn;
    out[0] = wide_insn{PR_OP_LOOKUP, insn->dst, insn->a, insn->b, 0, 0, 0};
    for (uint32_t k = 0; k < insn->dst; k++) {
        if (k % 3 == 0) arg++;
        const uint16_t operand = k % 3 == 0 ? arg->dst : k % 3 == 1 ? arg->a : arg->b;
        const uint16_t folds = k && k % products_between_folds == 0 ? insn_folds : 0;
        out[1 + k] = wide_insn{(uint16_t)(PR_OP_ARG | folds), 0, operand, 0, insn->a * max_values + k, 0, 0};
    }
    return 1 + (size_t)insn->dst;
}

/* A constraint's value is taken where it is computed, once. writer: [n_slots], one behind the instruction that wrote a
 * slot last. */
static size_t widen_insn(wide_insn *out, size_t n, uint32_t *writer, const pr_program *p, const pr_insn *insn,
                         uint32_t max_values) {
    if (insn->op == PR_OP_LOOKUP) return n + widen_lookup(&out[n], insn, max_values);
    if (insn->op == PR_OP_BATCH_END) {
        out[n] = wide_insn{PR_OP_BATCH_END, 0, insn->a, 0, 0, 0, 0};
        return n + 1;
    }
    if (insn->op != PR_OP_CONSTRAINT) {
        out[n] = widen_arithmetic(p, insn);
        writer[insn->dst] = (uint32_t)++n;
        return n;
    }
    wide_insn *from = insn->a < p->n_slots && writer[insn->a] ? &out[writer[insn->a] - 1] : nullptr;
    if (!from || (from->op & insn_is_constraint)) {
        from = &out[n++];
        *from = wide_insn{PR_OP_CONSTRAINT, 0, insn->a, 0, 0, 0, 0};
    }
    from->op |= insn_is_constraint;
    from->constraint = insn->b;
    return n;
}

static bool sets_slot(const wide_insn *insn) { return (insn->op & insn_op) < PR_OP_ARG; }
/* Operands of an instruction that are read, at most three; 0 for those that have none. */
static unsigned operands_of(uint16_t out[3], const wide_insn *insn) {
    const uint16_t op = insn->op & insn_op;
    unsigned n = 0;
    if (op == PR_OP_CONST || op == PR_OP_BATCH_END || op == PR_OP_COUNT) return 0;
    if (op != PR_OP_LOOKUP) out[n++] = insn->a;
    if (op == PR_OP_LOOKUP || (insn->op & insn_reads_b)) out[n++] = insn->b;
    if (insn->op & insn_reads_c) out[n++] = insn->c;
    return n;
}

/* A result that nobody reads before its slot is written again is not kept. is_read: [n_slots], all 0. */
static void mark_kept(wide_insn *insns, size_t n, uint32_t *is_read, uint32_t n_slots) {
    uint16_t operands[3];
    while (n-- > 0) {
        wide_insn *insn = &insns[n];
        if (sets_slot(insn)) {
            if (is_read[insn->dst]) insn->op |= insn_is_kept;
            is_read[insn->dst] = 0;
        }
        for (unsigned k = operands_of(operands, insn); k-- > 0;)
            if (operands[k] < n_slots) is_read[operands[k]] = 1;
    }
}

/* The first one folds what a program before may have left; returns the words of columns that a row reads. */
static uint32_t mark_folds(wide_insn *insns, size_t n, uint32_t n_slots) {
    unsigned products = products_between_folds;
    uint32_t n_loads = 0;
    uint16_t operands[3];
    for (wide_insn *insn = insns; insn < insns + n; insn++) {
        for (unsigned k = operands_of(operands, insn); k-- > 0;) n_loads += operands[k] >= n_slots;
        if (!(insn->op & insn_is_constraint)) continue;
        if (products == products_between_folds) {
            insn->op |= insn_folds;
            products = 0;
        }
        products++;
    }
    return n_loads;
}

/* scratch: [n_slots]. Returns how many there are. */
static size_t widen_program(wide_insn *out, uint32_t *n_loads, uint32_t *scratch, const program_tables &t) {
    const pr_program *p = t.program;
    size_t n = 0;
    std::memset(scratch, 0, p->n_slots * sizeof *scratch);
    for (uint32_t pc = 0; pc < p->n_insns; pc += pr_insn_length(&p->insns[pc]))
        n = widen_insn(out, n, scratch, p, &p->insns[pc], t.max_values);
    out[n++] = wide_insn{PR_OP_COUNT, 0, 0, 0, 0, 0, 0};
    std::memset(scratch, 0, p->n_slots * sizeof *scratch);
    mark_kept(out, n, scratch, p->n_slots);
    *n_loads = mark_folds(out, n, p->n_slots);
    PR_ASSERT(n <= t.n_wide);
    return n;
}

/* ---- tables ---- */

program_tables program_tables_of(const pr_program *program, const pr_col *inputs, const pr_qm31 *z,
                                 const pr_qm31 *alpha, uint32_t log_rows, uint32_t extension) {
    program_tables t = {program, inputs, z, alpha, 0, 0, log_rows, extension, 1};
    for (uint32_t pc = 0; pc < program->n_insns; pc += pr_insn_length(&program->insns[pc])) {
        const pr_insn *insn = &program->insns[pc];
        t.n_wide++;
        if (insn->op != PR_OP_LOOKUP) continue;
        t.n_wide += insn->dst;
        if (insn->a >= t.n_relations) t.n_relations = insn->a + 1u;
        if (insn->dst > t.max_values) t.max_values = insn->dst;
    }
    return t;
}

size_t program_table_bytes(const program_tables &t) {
    const size_t powers = (size_t)t.n_relations * t.max_values;
    return table_size<wide_insn>(t.n_wide) + table_size<uint32_t>(t.program->n_slots) +
           table_size<program_input>(t.program->n_inputs) + table_size<pr_qm31>(t.n_relations) +
           table_size<pr_qm31>(powers);
}

/* Slots of one parity move alike, so the aligned block around the first one's target has the targets of all. */
pr_status moved_input(program_input *out, device *dev, window *in, const program_tables &t, pr_col col, int32_t offset,
                      size_t first, uint32_t log_rows, pr_error *err) {
    pr_col places[2] = {};
    for (uint32_t parity = 0; parity < 2; parity++) {
        const uint32_t slot = (uint32_t)first + (parity && log_rows),
                       moved = offset ? pr_slot_shift(t.log_rows, col.log_rows - t.log_rows, slot, offset) : slot;
        PR_TRY(in->piece(&places[parity], col, (size_t)moved >> log_rows << log_rows, log_rows, err));
    }
    *out = program_input{{column(dev, places[0]), (1u << places[0].log_rows) - 1, offset}, column(dev, places[1])};
    return PR_OK;
}

size_t program_pieces(const pr_program *program) {
    size_t n = 0;
    for (uint32_t k = 0; k < program->n_inputs; k++) n += program->inputs[k].offset ? 2 : 1;
    return n;
}

static void put_insns(program_code *code, table_writer *w, const program_tables &t) {
    wide_insn *list;
    uint32_t *scratch;
    code->insns = w->take(&list, t.n_wide);
    (void)w->take(&scratch, t.program->n_slots);
    const size_t n = widen_program(list, &code->n_loads, scratch, t);
    w->keep<uint32_t>(t.program->n_slots, 0);
    w->keep<wide_insn>(t.n_wide, n);
}

static pr_status put_inputs(program_code *code, device *dev, table_writer *w, window *in, const program_tables &t,
                            size_t first, uint32_t log_rows, pr_error *err) {
    program_input *list;
    code->inputs = w->take(&list, t.program->n_inputs);
    for (uint32_t k = 0; k < t.program->n_inputs; k++)
        PR_TRY(moved_input(&list[k], dev, in, t, t.inputs[k], t.program->inputs[k].offset, first, log_rows, err));
    return PR_OK;
}

static span<const pr_qm31> put_powers(table_writer *w, const program_tables &t) {
    pr_qm31 *list;
    const span<const pr_qm31> table = w->take(&list, (size_t)t.n_relations * t.max_values);
    for (uint32_t r = 0; r < t.n_relations; r++) {
        pr_qm31 power = PR_QM31_ONE;
        for (uint32_t k = 0; k < t.max_values; k++, power = pr_qm31_mul(power, t.alpha[r]))
            list[(size_t)r * t.max_values + k] = power;
    }
    return table;
}

pr_status put_program(program_code *code, device *dev, table_writer *w, window *in, const program_tables &t,
                      size_t first, uint32_t log_rows, pr_error *err) {
    code->n_slots = t.program->n_slots;
    put_insns(code, w, t);
    PR_TRY(put_inputs(code, dev, w, in, t, first, log_rows, err));
    code->z = w->put(t.z, t.n_relations);
    code->alpha_powers = put_powers(w, t);
    return PR_OK;
}

program_range program_range_of(const device *dev, const program_tables &t, const program_shape &shape, size_t first,
                               uint32_t log_rows) {
    program_range range = {};
    range.arena = arena(dev);
    range.spilled = view_of(dev->scratch, dev->scratch_words);
    range.log_rows = t.log_rows, range.extension = t.extension;
    range.first = (uint32_t)first, range.n_rows = 1u << log_rows;
    range.slot_words = shape.slot_words;
    return range;
}

} // namespace PR_GPU
