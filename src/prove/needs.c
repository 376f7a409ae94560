/* What a proof needs of its device: sizes that the backend plans its own memory from, and where columns lie when the
 * device's memory is limited. */
#include "prove/internal.h"

static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint32_t insns_of(const pr_program *program) {
    uint32_t n = 0;
    for (uint32_t pc = 0; pc < program->n_insns; pc += pr_insn_length(&program->insns[pc]))
        n += 1 + (program->insns[pc].op == PR_OP_LOOKUP ? program->insns[pc].dst : 0u);
    return n;
}

static void needs_of_program(pr_device_needs *needs, const pr_program *program) {
    needs->max_slots = larger(needs->max_slots, program->n_slots);
    needs->max_inputs = larger(needs->max_inputs, program->n_inputs);
    needs->max_constants = larger(needs->max_constants, program->n_constants);
    needs->max_batches = larger(needs->max_batches, program->n_batches);
    needs->max_insns = larger(needs->max_insns, insns_of(program));
    needs->max_values = larger(needs->max_values, program->n_constraints + program->n_batches);
}

static void needs_of_component(pr_device_needs *needs, const pr_air_component *c, const pr_component_state *s) {
    needs_of_program(needs, &s->full);
    needs_of_program(needs, &s->lookups);
    needs_of_program(needs, &s->derive);
    if (!c->n_lookups) return;
    needs->n_lookup_components++;
    needs->max_lookup_log_rows = larger(needs->max_lookup_log_rows, c->log_size);
    for (uint32_t k = 0; k < c->n_lookups; k++)
        needs->max_lookup_values = larger(needs->max_lookup_values, c->lookups[k].n_values);
}

static void needs_of_tree(pr_device_needs *needs, const pr_layout_tree *tree, uint32_t log_blowup) {
    needs->max_columns = larger(needs->max_columns, tree->n_columns);
    needs->n_columns += tree->n_columns;
    for (uint32_t i = 0; i < tree->n_columns; i++) {
        const pr_layout_column *c = &tree->columns[i];
        needs->max_log_rows = larger(needs->max_log_rows, c->log_ext);
        needs->n_quotient_terms += c->n_offsets + (c->n_offsets == 2); /* the periodicity sample */
        if (c->n_offsets) needs->max_sample_log_rows = larger(needs->max_sample_log_rows, c->log_ext - log_blowup);
    }
}

void pr_prover_find_needs(pr_prover *p, const pr_prover_options *options) {
    const pr_layout *l = p->layout;
    pr_device_needs *needs = &p->needs;
    needs->n_threads = options->n_threads ? options->n_threads : pr_cpu_count();
    needs->max_log_rows = larger(l->log_lifted, l->log_max_rows + 1);
    needs->n_relations = p->air->n_relations;
    needs->n_constraints = l->n_constraints;
    needs->n_sample_groups = (uint32_t)p->n_sample_groups;
    needs->log_last_degree = l->statement->config.log_last_layer_degree_bound;
    for (uint32_t t = 0; t < l->n_trees; t++) needs_of_tree(needs, &l->trees[t], l->statement->config.log_blowup);
    for (uint32_t c = 0; c < p->air->n_components; c++)
        needs_of_component(needs, &p->air->components[c], &p->components[c]);
}

/* ---- within the device's memory ---- */

static pr_status place(pr_prover *p, pr_error *err) {
    size_t words = pr_region_place(&p->regions);
    if (words == SIZE_MAX) return pr_fail(err, PR_ERR_MEMORY, "no memory for the plan of a proof");
    p->needs.arena_bytes = words * sizeof(pr_m31);
    p->needs.far_bytes = p->needs.arena_bytes - pr_region_near_words(&p->regions) * sizeof(pr_m31);
    return PR_OK;
}

static size_t bytes_on_device(const pr_prover *p) {
    return p->needs.arena_bytes - p->needs.far_bytes + p->ops->workspace_bytes(&p->needs);
}

/* The window gets what the limit leaves, but no more than there is to bring. */
static pr_status place_far(pr_prover *p, size_t limit, pr_error *err) {
    size_t all = bytes_on_device(p);
    for (size_t i = 0; i < p->regions.n; i++) p->regions.items[i].is_far = p->regions.items[i].may_be_far;
    PR_TRY(place(p, err));
    size_t without = bytes_on_device(p), least = p->ops->min_window_bytes(&p->needs), room = 4096; /* for rounding */
    if (limit < without + least + room)
        return pr_fail(err, PR_ERR_MEMORY,
                       "the proof needs %.1f MiB of device memory, or %.1f MiB with its columns on the host; the limit "
                       "is %.1f MiB",
                       (double)all / 1048576, (double)(without + least + room) / 1048576, (double)limit / 1048576);
    size_t window = limit - without - room;
    if (window > p->needs.far_bytes) window = p->needs.far_bytes > least ? p->needs.far_bytes : least;
    p->needs.window_bytes = window / 64 * 64;
    return PR_OK;
}

/* Kernels do not reach far columns. */
uint32_t pr_prover_given_columns(const pr_prover *p, uint32_t component) {
    const pr_air_component *c = &p->air->components[component];
    return p->ops->derive && !p->needs.far_bytes ? c->n_columns - c->n_derived : c->n_columns;
}

static size_t largest_mapped_bytes(const pr_prover *p) {
    size_t largest = 0;
    for (uint32_t c = 0; c < p->air->n_components; c++) {
        size_t column = sizeof(pr_m31) << p->air->components[c].log_size;
        size_t bytes = pr_prover_given_columns(p, c) * (column < 64 ? 64 : column);
        if (bytes > largest) largest = bytes;
    }
    return largest;
}

pr_status pr_prover_place(pr_prover *p, const pr_prover_options *options, pr_error *err) {
    size_t limit = options->max_device_bytes;
    p->needs.mapped_bytes = largest_mapped_bytes(p);
    PR_TRY(place(p, err));
    bool fits = !limit || !p->ops->min_window_bytes || bytes_on_device(p) <= limit;
    return fits ? PR_OK : place_far(p, limit, err);
}

void pr_prover_fill_plan(pr_prover *p) {
    static const pr_phase phase_of[PR_STAGE_COUNT] = {[PR_STAGE_TRACE] = PR_PHASE_TRACE,
                                                      [PR_STAGE_EXTEND] = PR_PHASE_TRACE,
                                                      [PR_STAGE_MERKLE] = PR_PHASE_TRACE,
                                                      [PR_STAGE_LOOKUPS] = PR_PHASE_INTERACTION,
                                                      [PR_STAGE_COMPOSITION] = PR_PHASE_COMPOSITION,
                                                      [PR_STAGE_SAMPLES] = PR_PHASE_SAMPLES,
                                                      [PR_STAGE_QUOTIENTS] = PR_PHASE_QUOTIENTS,
                                                      [PR_STAGE_FRI] = PR_PHASE_FRI,
                                                      [PR_STAGE_GRIND] = PR_PHASE_OPEN,
                                                      [PR_STAGE_OPEN] = PR_PHASE_OPEN};
    pr_plan *plan = &p->plan;
    plan->arena_bytes = p->needs.arena_bytes;
    plan->far_bytes = p->needs.far_bytes;
    plan->workspace_bytes = p->ops->workspace_bytes(&p->needs);
    plan->host_bytes = p->host_bytes + pr_proof_max_bytes(p->layout);
    plan->pinned_bytes = p->ops->pinned_bytes ? p->ops->pinned_bytes(&p->needs) : 0;
    size_t backend_bytes = plan->arena_bytes + plan->workspace_bytes;
    plan->device_bytes = p->ops->is_device ? backend_bytes - plan->far_bytes : 0;
    plan->total_bytes = plan->host_bytes + plan->pinned_bytes + backend_bytes - plan->device_bytes;
    for (int s = 0; s < PR_STAGE_COUNT; s++)
        plan->phase_bytes[s] = pr_region_live_words(&p->regions, phase_of[s]) * sizeof(pr_m31);
}
