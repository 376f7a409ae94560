#include "cuda/program.cuh"

namespace PR_GPU {

constexpr size_t shared_limit =
    96 << 10; /* a block's: two fit a multiprocessor of compute capability 9.0; 8.9 has 99 KiB */

unsigned program_threads(const pr_program *program) {
    for (unsigned threads = 128; threads >= 32; threads /= 2)
        if (program_shared_bytes(program, threads) <= (threads > 32 ? shared_limit / 2 : shared_limit)) return threads;
    return 0;
}

program_tables program_tables_of(const pr_program *program, const pr_col *inputs, const pr_qm31 *z,
                                 const pr_qm31 *alpha) {
    program_tables t = {program, inputs, z, alpha, 0, 0};
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

static span<const program_input> put_inputs(table_writer *w, const program_tables &t) {
    program_input *list;
    const span<const program_input> table = w->take(&list, t.program->n_inputs);
    for (uint32_t k = 0; k < t.program->n_inputs; k++)
        list[k] = program_input{t.inputs[k], t.program->inputs[k].offset};
    return table;
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

program_view put_program(device *dev, table_writer *w, const program_tables &t, uint32_t log_rows, uint32_t extension) {
    const pr_program *p = t.program;
    program_view v = {};
    v.arena = arena(dev);
    v.insns = w->put(p->insns, p->n_insns);
    v.constants = w->put(p->constants, p->n_constants);
    v.inputs = put_inputs(w, t);
    v.z = w->put(t.z, t.n_relations);
    v.alpha_powers = put_powers(w, t);
    v.n_insns = p->n_insns, v.n_slots = p->n_slots, v.n_inputs = p->n_inputs, v.max_values = t.max_values;
    v.log_rows = log_rows, v.extension = extension;
    return v;
}

} // namespace PR_GPU
