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

static size_t slot_words(uint32_t n_slots, unsigned threads) { return (size_t)n_slots * rows_each * threads; }

/* Threads of a block whose slots fit shared memory; 0 when not even those of a warp do. */
static unsigned shared_threads(uint32_t n_slots) {
    for (unsigned threads = most_threads; threads >= least_threads; threads /= 2)
        if (slot_words(n_slots, threads) * 4 <= (threads > least_threads ? shared_limit / 2 : shared_limit))
            return threads;
    return 0;
}

size_t spill_words(uint32_t n_slots) {
    const size_t block = slot_words(n_slots, most_threads), blocks = spill_limit / 4 / (block ? block : 1);
    return shared_threads(n_slots) ? 0 : block * (blocks ? blocks : 1);
}

program_shape program_shape_of(const device *dev, const pr_program *program) {
    const unsigned threads = shared_threads(program->n_slots);
    if (threads) return program_shape{threads, slot_words(program->n_slots, threads) * 4, SIZE_MAX, false};
    const size_t blocks = dev->scratch_words / slot_words(program->n_slots, most_threads);
    PR_ASSERT(blocks > 0);
    return program_shape{most_threads, 0, blocks * rows_each * most_threads, true};
}

static size_t lookup_loads(const pr_program *p, uint32_t pc) {
    const pr_insn *insn = &p->insns[pc], *arg = insn;
    size_t n = insn->b >= p->n_slots;
    for (uint32_t k = 0; k < insn->dst; k++) {
        if (k % 3 == 0) arg = &p->insns[pc + 1 + k / 3];
        n += (k % 3 == 0 ? arg->dst : k % 3 == 1 ? arg->a : arg->b) >= p->n_slots;
    }
    return n;
}

/* As ld_operand is called for it (program.cuh). */
static size_t insn_loads(const pr_program *p, uint32_t pc) {
    const pr_insn *insn = &p->insns[pc];
    const bool is_ternary = insn->op >= PR_OP_ADD_ADD && insn->op <= PR_OP_SUB_MUL;
    const bool has_constant = insn->op >= PR_OP_ADD_CONST && insn->op <= PR_OP_MUL_CONST;
    const bool is_unary = insn->op == PR_OP_NEG || insn->op == PR_OP_SQUARE || insn->op == PR_OP_CONSTRAINT;
    if (insn->op == PR_OP_LOOKUP) return lookup_loads(p, pc);
    if (insn->op == PR_OP_CONST || insn->op == PR_OP_BATCH_END) return 0;
    return (insn->a >= p->n_slots) + (!has_constant && !is_unary && insn->b >= p->n_slots) +
           (is_ternary && p->insns[pc + 1].a >= p->n_slots);
}

size_t program_loads(const pr_program *p) {
    size_t n = 0;
    for (uint32_t pc = 0; pc < p->n_insns; pc += pr_insn_length(&p->insns[pc])) n += insn_loads(p, pc);
    return n;
}

program_tables program_tables_of(const pr_program *program, const pr_col *inputs, const pr_qm31 *z,
                                 const pr_qm31 *alpha, uint32_t log_rows, uint32_t extension) {
    program_tables t = {program, inputs, z, alpha, 0, 0, log_rows, extension};
    for (uint32_t pc = 0; pc < program->n_insns; pc += pr_insn_length(&program->insns[pc])) {
        const pr_insn *insn = &program->insns[pc];
        if (insn->op != PR_OP_LOOKUP) continue;
        if (insn->a >= t.n_relations) t.n_relations = insn->a + 1u;
        if (insn->dst > t.max_values) t.max_values = insn->dst;
    }
    return t;
}

size_t program_table_bytes(const program_tables &t) {
    const size_t powers = (size_t)t.n_relations * t.max_values;
    return table_size<pr_insn>(t.program->n_insns) + table_size<pr_m31>(t.program->n_constants) +
           table_size<program_input>(t.program->n_inputs) + table_size<pr_qm31>(t.n_relations) +
           table_size<pr_qm31>(powers);
}

/* Slots of one parity move alike, so the aligned block around the first one's target has the targets of all. */
pr_status moved_input(program_input *out, window *in, const program_tables &t, pr_col col, int32_t offset, size_t first,
                      uint32_t log_rows, pr_error *err) {
    out->offset = offset;
    for (uint32_t parity = 0; parity < 2; parity++) {
        const uint32_t slot = (uint32_t)first + (parity && log_rows),
                       moved = offset ? pr_slot_shift(t.log_rows, col.log_rows - t.log_rows, slot, offset) : slot;
        PR_TRY(in->piece(&out->column[parity], col, (size_t)moved >> log_rows << log_rows, log_rows, err));
    }
    return PR_OK;
}

size_t program_pieces(const pr_program *program) {
    size_t n = 0;
    for (uint32_t k = 0; k < program->n_inputs; k++) n += program->inputs[k].offset ? 2 : 1;
    return n;
}

static pr_status put_inputs(program_view *v, table_writer *w, window *in, const program_tables &t, size_t first,
                            uint32_t log_rows, pr_error *err) {
    program_input *list;
    v->inputs = w->take(&list, t.program->n_inputs);
    for (uint32_t k = 0; k < t.program->n_inputs; k++)
        PR_TRY(moved_input(&list[k], in, t, t.inputs[k], t.program->inputs[k].offset, first, log_rows, err));
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

pr_status put_program(program_view *v, device *dev, table_writer *w, window *in, const program_tables &t, size_t first,
                      uint32_t log_rows, pr_error *err) {
    const pr_program *p = t.program;
    v->arena = arena(dev);
    v->spilled = view_of(dev->scratch, dev->scratch_words);
    v->insns = w->put(p->insns, p->n_insns);
    v->constants = w->put(p->constants, p->n_constants);
    PR_TRY(put_inputs(v, w, in, t, first, log_rows, err));
    v->z = w->put(t.z, t.n_relations);
    v->alpha_powers = put_powers(w, t);
    v->n_insns = p->n_insns, v->n_slots = p->n_slots, v->n_inputs = p->n_inputs, v->max_values = t.max_values;
    v->log_rows = t.log_rows, v->extension = t.extension;
    v->first = (uint32_t)first, v->n_rows = 1u << log_rows;
    return PR_OK;
}

} // namespace PR_GPU
