#include "prove/internal.h"
#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *pr_stage_name(pr_stage stage) {
    static const char *const names[PR_STAGE_COUNT] = {"trace",   "extend",    "merkle", "lookups", "composition",
                                                      "samples", "quotients", "fri",    "grind",   "open"};
    return stage < PR_STAGE_COUNT ? names[stage] : "?";
}

uint64_t pr_prover_begin(pr_prover *p, pr_stage stage) {
    if (p->stage_listener) p->stage_listener(p->stage_context, stage);
    pr_prover_mark(p, stage);
    return pr_clock_monotonic_ns();
}

void pr_prover_set_stage_listener(pr_prover *p, pr_stage_listener listener, void *context) {
    p->stage_listener = listener;
    p->stage_context = context;
}

void pr_prover_set_stop(pr_prover *p, const atomic_bool *stop) { p->stop = stop; }

static pr_status go_on(const pr_prover *p, pr_error *err) {
    return p->stop && atomic_load(p->stop) ? pr_fail(err, PR_ERR_INTERRUPTED, "the proof is not wanted any more")
                                           : PR_OK;
}

void pr_prover_clock(pr_prover *p, pr_stage stage, uint64_t *start) {
    uint64_t now = pr_clock_monotonic_ns();
    p->times.ns[stage] += now - *start;
    *start = now;
}

pr_status pr_prover_compare_channel(const pr_prover *p, const pr_hash *digest, pr_error *err) {
    if (memcmp(&p->channel.digest, digest, sizeof *digest) == 0) return PR_OK;
    return pr_fail(err, PR_ERR_BACKEND, "the backend's channel went another way than the roots that it returned");
}

/* MemAvailable of the machine; SIZE_MAX when it is not known. */
static size_t available_bytes(void) {
    FILE *f = fopen("/proc/meminfo", "r");
    unsigned long long kib = 0;
    bool found = false;
    char line[128];
    while (f && !found && fgets(line, sizeof line, f)) found = sscanf(line, "MemAvailable: %llu kB", &kib) == 1;
    if (f) fclose(f);
    return found ? (size_t)kib * 1024 : SIZE_MAX;
}

static pr_status admit(const pr_plan *plan, const pr_prover_options *options, pr_error *err) {
    size_t limit = options->max_bytes ? options->max_bytes : available_bytes();
    if (!options->max_bytes && options->memory && limit < SIZE_MAX - options->memory->arena.bytes)
        limit += options->memory->arena.bytes;
    if (plan->total_bytes <= limit) return PR_OK;
    return pr_fail(err, PR_ERR_MEMORY, "the proof needs %.1f MiB of memory and %.1f MiB are available",
                   (double)plan->total_bytes / 1048576, (double)limit / 1048576);
}

static void free_host(pr_prover *p) {
    while (p->host_blocks) {
        void *next = *(void **)p->host_blocks; /* a block begins with its link */
        free(p->host_blocks);
        p->host_blocks = next;
    }
    free(p->regions.items);
    free(p->marks);
}

static void clear(pr_prover *p) {
    for (uint32_t c = 0; p->components && c < p->air->n_components; c++) {
        pr_program_clear(&p->components[c].full);
        pr_program_clear(&p->components[c].lookups);
        pr_program_clear(&p->components[c].derive);
    }
    pr_twiddles_clear(&p->last_twiddles);
    if (p->device) p->ops->device_destroy(p->device);
    free_host(p);
}

pr_status pr_prover_plan(pr_plan *plan, const pr_layout *layout, const pr_prover_options *options, pr_error *err) {
    pr_prover *p = calloc(1, sizeof *p);
    if (!p) return pr_fail(err, PR_ERR_MEMORY, "no memory for the plan of a proof");
    pr_status status = pr_prover_design(p, layout, options, err);
    if (status == PR_OK) *plan = p->plan;
    clear(p);
    free(p);
    return status;
}

pr_status pr_prover_create(pr_prover **out, const pr_layout *layout, const pr_prover_options *options, pr_error *err) {
    pr_prover *p = calloc(1, sizeof *p);
    if (!p) return pr_fail(err, PR_ERR_MEMORY, "no memory for the plan of a proof");
    pr_status status = pr_prover_design(p, layout, options, err);
    if (status == PR_OK) status = admit(&p->plan, options, err);
    p->needs.memory = options->memory;
    if (status == PR_OK && options->admit) status = options->admit(options->admit_context, &p->plan, err);
    if (status == PR_OK) status = p->ops->device_create(&p->device, &p->needs, err);
    if (status == PR_OK) {
        *out = p;
        return PR_OK;
    }
    pr_prover_destroy(p);
    return status;
}

void pr_prover_destroy(pr_prover *p) {
    if (!p) return;
    clear(p);
    free(p);
}

void pr_prover_set_layout(pr_prover *p, const pr_layout *layout, const pr_hash *air_digest) {
    PR_ASSERT(!p->keeps_preprocessed || air_digest);
    PR_ASSERT(layout->n_trees == p->layout->n_trees && layout->trees[1].n_columns == p->layout->trees[1].n_columns &&
              layout->log_lifted == p->layout->log_lifted && layout->n_constraints == p->layout->n_constraints);
    PR_ASSERT(pr_air_count_derived(layout->statement->air) == pr_air_count_derived(p->air));
    p->layout = layout;
    p->air = layout->statement->air;
    pr_prover_find_drawn_tree(p);
    if (!p->keeps_preprocessed) return;
    p->has_preprocessed &= pr_hash_equal(&p->air_digest, air_digest);
    p->air_digest = *air_digest;
}

const pr_plan *pr_prover_get_plan(const pr_prover *p) { return &p->plan; }

/* ---- the transcript's script ---- */

static void mix_config(pr_channel *ch, const pr_config *c) {
    const pr_qm31 felts[2] = {{{c->pow_bits, c->log_blowup, c->n_queries, c->log_last_layer_degree_bound}},
                              {{c->fold_step, c->lifting_log_size < 0 ? 0 : (uint32_t)c->lifting_log_size, 0, 0}}};
    pr_channel_mix_felts(ch, felts, 2);
}

static void mix_statement_digest(pr_channel *ch, const uint8_t digest[32]) {
    pr_reader r;
    uint32_t words[8];
    pr_reader_init(&r, digest, 32);
    for (int k = 0; k < 8; k++) words[k] = pr_read_u32(&r);
    pr_channel_mix_u32s(ch, words, 8);
}

static void mix_root_words(pr_channel *ch, const uint32_t *words) {
    pr_hash root;
    for (size_t k = 0; k < 32; k++) root.bytes[k] = (uint8_t)(words[k / 4] >> 8 * (k % 4));
    pr_channel_mix_root(ch, &root);
}

static void mix_felt_words(pr_channel *ch, const pr_step *step) {
    _Static_assert(sizeof(pr_qm31) == 4 * sizeof(uint32_t), "a felt is four words");
    pr_channel_mix_felts(ch, (const pr_qm31 *)(const void *)step->words, step->n_words / 4);
}

static pr_status grind(pr_prover *p, uint64_t *nonce, uint32_t bits, pr_error *err) {
    uint64_t start = pr_prover_begin(p, PR_STAGE_GRIND);
    pr_hash prefix = pr_channel_pow_prefix(&p->channel, bits);
    PR_TRY(p->ops->grind(p->device, nonce, &prefix, bits, err));
    pr_channel_mix_u64(&p->channel, *nonce);
    pr_prover_clock(p, PR_STAGE_GRIND, &start);
    return PR_OK;
}

static void draw_relations(pr_prover *p) {
    for (uint32_t r = 0; r < p->air->n_relations; r++) {
        pr_qm31 drawn[2];
        pr_channel_draw_secure_felts(&p->channel, drawn, 2);
        p->z[r] = drawn[0];
        p->alpha[r] = drawn[1];
    }
}

static pr_status run_step(pr_prover *p, const pr_step *step, pr_error *err) {
    pr_channel *ch = &p->channel;
    switch (step->kind) {
    case PR_STEP_MIX_FELTS:
        mix_felt_words(ch, step);
        return PR_OK;
    case PR_STEP_MIX_U32S:
        pr_channel_mix_u32s(ch, step->words, step->n_words);
        return PR_OK;
    case PR_STEP_MIX_U64:
        pr_channel_mix_u64(ch, (uint64_t)step->words[1] << 32 | step->words[0]);
        return PR_OK;
    case PR_STEP_MIX_ROOT:
        mix_root_words(ch, step->words);
        return PR_OK;
    case PR_STEP_STATEMENT_DIGEST:
        mix_statement_digest(ch, p->layout->statement->digest);
        return PR_OK;
    case PR_STEP_CONFIG:
        mix_config(ch, &p->layout->statement->config);
        return PR_OK;
    case PR_STEP_COMMIT_PREPROCESSED:
        pr_channel_mix_root(ch, &p->trees[0].root);
        return PR_OK;
    case PR_STEP_COMMIT_TRACE:
        return pr_prover_commit_trace(p, err);
    case PR_STEP_GRIND:
        p->has_interaction_pow = true;
        return grind(p, &p->interaction_pow, step->bits, err);
    case PR_STEP_DRAW_RELATIONS:
        draw_relations(p);
        return pr_prover_compute_lookups(p, err);
    case PR_STEP_CLAIMED_SUMS:
        pr_channel_mix_felts(ch, p->claimed_sums, p->air->n_components);
        return PR_OK;
    case PR_STEP_COMMIT_INTERACTION:
        return pr_prover_commit_interaction(p, err);
    }
    return pr_fail(err, PR_ERR_INTERNAL, "unknown step in the transcript's script");
}

static pr_status run(pr_prover *p, pr_proof *proof, pr_error *err) {
    const pr_statement *st = p->layout->statement;
    for (uint32_t k = 0; k < st->n_steps; k++) {
        PR_TRY(go_on(p, err));
        PR_TRY(run_step(p, &st->steps[k], err));
    }
    PR_TRY(go_on(p, err));
    PR_TRY(pr_prover_commit_composition(p, err));
    PR_TRY(go_on(p, err));
    PR_TRY(pr_prover_sample(p, err));
    PR_TRY(pr_prover_quotients(p, err));
    PR_TRY(go_on(p, err));
    PR_TRY(pr_prover_fri(p, err));
    PR_TRY(go_on(p, err));
    PR_TRY(grind(p, &p->proof_of_work, st->config.pow_bits, err));
    p->n_queries = pr_channel_draw_queries(&p->channel, p->queries, st->config.n_queries, p->layout->log_lifted);
    return pr_prover_open(p, proof, err);
}

pr_status pr_prover_run(pr_prover *p, pr_proof *proof, const pr_trace_source *source, pr_stage_times *times,
                        pr_channel_listener listener, void *listener_context, pr_error *err) {
    uint64_t start = pr_clock_monotonic_ns();
    pr_channel_init(&p->channel);
    p->channel.listener = listener;
    p->channel.listener_context = listener_context;
    memset(&p->times, 0, sizeof p->times);
    p->source = *source;
    p->has_interaction_pow = false;
    p->interaction_pow = 0;
    memset(p->claimed_sums, 0, p->air->n_components * sizeof(pr_qm31));
    p->n_marks = 0;
    p->mark_status = PR_OK;
    pr_status status = go_on(p, err);
    if (status == PR_OK) status = pr_prover_make_preprocessed(p, err);
    if (status == PR_OK && p->ops->begin) status = p->ops->begin(p->device, err);
    if (status == PR_OK) status = run(p, proof, err);
    if (status == PR_OK && (status = pr_prover_read_marks(p, err)) != PR_OK) pr_proof_clear(proof);
    if (p->ops->end) p->ops->end(p->device);
    p->times.total_ns = pr_clock_monotonic_ns() - start;
    if (times) *times = p->times;
    return status;
}
