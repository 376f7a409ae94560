#include "app/plan.h"
#include "base/cpu.h"
#include "casefile/casefile.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *tree_name(pr_tree_kind kind) {
    static const char *const names[] = {"preprocessed", "trace", "interaction", "composition"};
    return names[kind];
}

/* On a device nothing is known of the time. */
static void print_time(const pr_layout *l, const plan_options *o) {
    unsigned n_threads = o->prover.n_threads ? o->prover.n_threads : pr_cpu_count();
    pr_job_size size = pr_job_size_of_layout(l);
    pr_proof_shape shape = pr_proof_shape_of_layout(l);
    pr_proof_cost proof = pr_proof_cost_of(&shape, &o->costs.verify);
    printf("\"cells\":%" PRIu64 ",\"expected_proof_bytes\":%" PRIu64 ",\"verify_ms\":%.3f,\"first_verify_ms\":%.3f",
           size.cells, proof.bytes, (double)proof.verify_ns / 1e6, (double)(proof.verify_ns + proof.root_ns) / 1e6);
    printf(",\"expected_ms\":");
    if (o->prover.backend->is_device)
        printf("null,");
    else
        printf("%.3f,", pr_costs_time_ns(&o->costs, &size, &l->statement->config, n_threads) / 1e6);
    printf("\"expected_from\":");
    pr_app_print_json_text(o->origin.text);
    printf(",");
}

static void print_plan(const pr_plan *plan, const pr_layout *l, const plan_options *o) {
    const pr_security *s = &l->security;
    printf("{\"backend\":\"%s\",", o->prover.backend->name);
    print_time(l, o);
    printf("\"trees\":[");
    for (uint32_t t = 0; t < l->n_trees; t++)
        printf("%s{\"tree\":\"%s\",\"columns\":%u,\"log_height\":%u}", t ? "," : "", tree_name(l->trees[t].kind),
               l->trees[t].n_columns, l->trees[t].height);
    printf("],\"log_rows\":%u,\"log_lifted\":%u,\"constraints\":%u,\"fri_layers\":%u", l->log_max_rows, l->log_lifted,
           l->n_constraints, l->n_fri_layers);
    printf(",\"phase_bytes\":{");
    for (int k = 0; k < PR_STAGE_COUNT; k++)
        printf("%s\"%s\":%zu", k ? "," : "", pr_stage_name((pr_stage)k), plan->phase_bytes[k]);
    printf("},\"arena_bytes\":%zu,\"workspace_bytes\":%zu,\"host_bytes\":%zu,\"pinned_bytes\":%zu,\"total_bytes\":%zu,"
           "\"device_bytes\":%zu"
           ",\"far_bytes\":%zu",
           plan->arena_bytes, plan->workspace_bytes, plan->host_bytes, plan->pinned_bytes, plan->total_bytes,
           plan->device_bytes, plan->far_bytes);
    printf(",\"max_proof_bytes\":%zu,\"conjectured_bits\":%.1f,\"proven_bits\":%.1f,\"field_bits\":%.1f,\"insecure_"
           "parameters\":%s}\n",
           pr_proof_max_bytes(l), s->conjectured_bits, s->proven_bits, s->field_bits, s->insecure ? "true" : "false");
}

static pr_status plan_statement(const pr_case *c, const plan_options *o, pr_error *err) {
    pr_layout layout;
    pr_plan plan;
    PR_TRY(pr_layout_init(&layout, &c->statement, err));
    pr_status status = pr_prover_plan(&plan, &layout, &o->prover, err);
    if (status == PR_OK) print_plan(&plan, &layout, o);
    pr_layout_clear(&layout);
    return status;
}

static int plan_case(const plan_options *o) {
    pr_error err = {0};
    pr_case c;
    if (pr_case_open(&c, o->path, PR_CASE_STATEMENT, &err) != PR_OK) return pr_app_fail_reading(&err);
    pr_status status = plan_statement(&c, o, &err);
    pr_case_clear(&c);
    return status == PR_OK ? 0 : pr_app_fail(&err);
}

/* ---- options ---- */

static pr_status take_option(plan_options *o, const char **backend, int option, pr_error *err) {
    uint64_t threads;
    switch (option) {
    case 'b':
        return *backend = optarg, PR_OK;
    case 'm':
        return pr_app_bytes(&o->prover.max_device_bytes, "--device-memory", optarg, err);
    case 'n':
        PR_TRY(pr_app_number(&threads, "--threads", optarg, 1, 4096, err));
        return o->prover.n_threads = (unsigned)threads, PR_OK;
    case 'r':
        return pr_app_number(&o->n_ranks, "--ranks", optarg, 1, 4096, err);
    case 'C':
        return o->has_votes = true, pr_votes_config_load(&o->votes, optarg, err);
    case 'c':
        return o->coordinator_only = true, PR_OK;
    case 'j':
        return o->json = true, PR_OK;
    default: /* told by pr_app_option */
        return PR_ERR_USAGE;
    }
}

static pr_status read_arguments(plan_options *o, bool *is_manifest, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {
        {"backend", 1, 0, 'b'}, {"threads", 1, 0, 'n'},          {"device-memory", 1, 0, 'm'}, {"ranks", 1, 0, 'r'},
        {"config", 1, 0, 'C'},  {"coordinator-only", 0, 0, 'c'}, {"json", 0, 0, 'j'},          {0, 0, 0, 0}};
    const char *backend = "auto";
    int option;
    optind = 0;
    while ((option = pr_app_option(argc, argv, ":", options, err)) != -1) PR_TRY(take_option(o, &backend, option, err));
    if (optind + 1 != argc)
        return pr_fail(err, PR_ERR_USAGE, "plan needs one MANIFEST.yaml or CASE.json; see proverun plan --help");
    o->path = argv[optind];
    *is_manifest = pr_app_is_yaml(o->path);
    if (!*is_manifest && (o->n_ranks || o->has_votes || o->coordinator_only))
        return pr_fail(err, PR_ERR_USAGE,
                       "%s: --ranks, --config and --coordinator-only go with a manifest (.yaml, .yml)", o->path);
    return pr_app_backend(&o->prover.backend, backend, err);
}

int pr_app_plan(int argc, char **argv) {
    plan_options o = {.votes = pr_votes_config_defaults()};
    pr_error err = {0};
    bool is_manifest = false;
    if (read_arguments(&o, &is_manifest, argc, argv, &err) != PR_OK)
        return err.status == PR_ERR_BACKEND ? (pr_app_fail(&err), 2) : pr_app_fail(&err);
    o.costs = pr_calibration_costs(&o.origin);
    return is_manifest ? plan_manifest(&o) : plan_case(&o);
}
