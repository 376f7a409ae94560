#include "app/app.h"
#include "base/cpu.h"
#include "casefile/casefile.h"
#include "manifest/calibration.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *tree_name(pr_tree_kind kind) {
    static const char *const names[] = {"preprocessed", "trace", "interaction", "composition"};
    return names[kind];
}

/* On a device nothing is known of the time. */
static void print_time(const pr_layout *l, const pr_backend *backend, unsigned n_threads) {
    pr_costs_origin origin;
    pr_costs costs = pr_calibration_costs(&origin);
    pr_job_size size = pr_job_size_of_layout(l);
    pr_proof_shape shape = pr_proof_shape_of_layout(l);
    pr_proof_cost proof = pr_proof_cost_of(&shape, &costs.verify);
    printf("\"cells\":%" PRIu64 ",\"expected_proof_bytes\":%" PRIu64 ",\"verify_ms\":%.3f,\"first_verify_ms\":%.3f",
           size.cells, proof.bytes, (double)proof.verify_ns / 1e6, (double)(proof.verify_ns + proof.root_ns) / 1e6);
    printf(",\"expected_ms\":");
    if (backend->is_device)
        printf("null,");
    else
        printf("%.3f,", pr_costs_time_ns(&costs, &size, &l->statement->config, n_threads) / 1e6);
    printf("\"expected_from\":");
    pr_app_print_json_text(origin.text);
    printf(",");
}

static void print_plan(const pr_plan *plan, const pr_layout *l, const pr_backend *backend, unsigned n_threads) {
    const pr_security *s = &l->security;
    printf("{\"backend\":\"%s\",", backend->name);
    print_time(l, backend, n_threads ? n_threads : pr_cpu_count());
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

static pr_status plan_case(const pr_case *c, const pr_prover_options *options, pr_error *err) {
    pr_layout layout;
    pr_plan plan;
    PR_TRY(pr_layout_init(&layout, &c->statement, err));
    pr_status status = pr_prover_plan(&plan, &layout, options, err);
    if (status == PR_OK) print_plan(&plan, &layout, options->backend, options->n_threads);
    pr_layout_clear(&layout);
    return status;
}

int pr_app_plan(int argc, char **argv) {
    static const struct option options[] = {
        {"backend", 1, 0, 'b'}, {"threads", 1, 0, 'n'}, {"device-memory", 1, 0, 'm'}, {0, 0, 0, 0}};
    const char *name = "auto";
    pr_prover_options plan = {0};
    uint64_t threads = 0;
    pr_error err = {0};
    pr_case c;
    int o;
    optind = 0;
    while ((o = pr_app_option(argc, argv, ":", options, &err)) != -1) {
        if (o == 'b')
            name = optarg;
        else if (o == 'm') {
            if (pr_app_bytes(&plan.max_device_bytes, "--device-memory", optarg, &err) != PR_OK)
                return pr_app_fail(&err);
        } else if (o != 'n' || pr_app_number(&threads, "--threads", optarg, 1, 4096, &err) != PR_OK)
            return pr_app_fail(&err);
    }
    if (optind + 1 != argc)
        return pr_fail(&err, PR_ERR_USAGE, "plan needs one CASE.json; see proverun plan --help"), pr_app_fail(&err);
    if (pr_app_backend(&plan.backend, name, &err) != PR_OK) return pr_app_fail(&err), 2;
    if (pr_case_open(&c, argv[optind], &err) != PR_OK) return pr_app_fail_reading(&err);
    plan.n_threads = (unsigned)threads;
    pr_status status = plan_case(&c, &plan, &err);
    pr_case_clear(&c);
    return status == PR_OK ? 0 : pr_app_fail(&err);
}
