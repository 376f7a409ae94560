#include "app/app.h"
#include "app/transcript_file.h"
#include "casefile/casefile.h"
#include "verify/verify.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

typedef struct arguments {
    const char *case_path, *out, *transcript, *backend_name;
    const pr_backend *backend;
    uint64_t threads;
    size_t device_bytes;
} arguments;

static pr_status parse(arguments *a, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {{"out", 1, 0, 'o'},           {"transcript", 1, 0, 't'},
                                            {"backend", 1, 0, 'b'},       {"threads", 1, 0, 'n'},
                                            {"device-memory", 1, 0, 'm'}, {0, 0, 0, 0}};
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, err)) != -1) {
        switch (c) {
        case 'o':
            a->out = optarg;
            break;
        case 't':
            a->transcript = optarg;
            break;
        case 'b':
            a->backend_name = optarg;
            break;
        case 'n':
            PR_TRY(pr_app_number(&a->threads, "--threads", optarg, 1, 4096, err));
            break;
        case 'm':
            PR_TRY(pr_app_bytes(&a->device_bytes, "--device-memory", optarg, err));
            break;
        default:
            return PR_ERR_USAGE;
        }
    }
    if (optind + 1 != argc || !a->out)
        return pr_fail(err, PR_ERR_USAGE, "prove needs one CASE.json and --out FILE; see proverun prove --help");
    a->case_path = argv[optind];
    return pr_app_backend(&a->backend, a->backend_name, err);
}

static pr_status self_verify(const pr_statement *st, const pr_proof *proof, pr_error *err) {
    pr_verifier *v = NULL;
    pr_verdict verdict = PR_ACCEPTED;
    pr_error detail = {0};
    PR_TRY(pr_verifier_create(&v, st, err));
    pr_status status = pr_verifier_run(v, proof, &verdict, &detail);
    pr_verifier_destroy(v);
    if (status != PR_OK) return pr_fail(err, status, "self-verification: %s", detail.text);
    if (verdict == PR_ACCEPTED) return PR_OK;
    return pr_fail(err, PR_ERR_REFUSED,
                   "the proof does not verify (%s): `proverun check` names what the trace violates",
                   pr_verdict_text(verdict));
}

static pr_status write_files(const arguments *a, const pr_proof *proof, const pr_layout *layout, pr_writer *steps,
                             size_t *json_bytes, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_status status = pr_proof_write_envelope(&w, proof, layout);
    if (status != PR_OK)
        pr_fail(err, status, "no memory for the envelope");
    else
        status = pr_file_write_atomic(a->out, w.data, w.size, 0644, err);
    *json_bytes = w.size;
    pr_writer_clear(&w);
    if (status == PR_OK && a->transcript) {
        pr_transcript_end(steps);
        status = pr_file_write_atomic(a->transcript, steps->data, steps->size, 0644, err);
    }
    return status;
}

static void report(const pr_plan *plan, const pr_backend *backend, const pr_stage_times *times, size_t bytes,
                   const pr_layout *layout) {
    printf("{\"backend\":\"%s\",\"prove_ms\":%.3f", backend->name, (double)times->total_ns / 1e6);
    for (int s = 0; s < PR_STAGE_COUNT; s++)
        printf(",\"%s_ms\":%.3f", pr_stage_name((pr_stage)s), (double)times->ns[s] / 1e6);
    printf(",\"planned_bytes\":%zu,\"envelope_bytes\":%zu,\"conjectured_bits\":%.1f,\"insecure_parameters\":%s}\n",
           plan->total_bytes, bytes, layout->security.conjectured_bits, layout->security.insecure ? "true" : "false");
    if (layout->security.insecure) fputs("proverun: insecure parameters: below 96 bits\n", stderr);
}

static pr_status prove_case(const arguments *a, pr_case *c, const pr_layout *layout, pr_error *err) {
    pr_prover_options options = {
        .backend = a->backend, .n_threads = (unsigned)a->threads, .max_device_bytes = a->device_bytes};
    pr_trace_source source = {.context = c, .fill = pr_case_fill_trace};
    pr_prover *prover = NULL;
    pr_proof proof = {0};
    pr_stage_times times;
    pr_writer steps;
    size_t bytes = 0;
    PR_TRY(pr_prover_create(&prover, layout, &options, err));
    pr_writer_init(&steps);
    pr_status status =
        pr_prover_run(prover, &proof, &source, &times, a->transcript ? pr_transcript_listen : NULL, &steps, err);
    if (status == PR_OK) status = self_verify(&c->statement, &proof, err);
    if (status == PR_OK) status = write_files(a, &proof, layout, &steps, &bytes, err);
    if (status == PR_OK) report(pr_prover_get_plan(prover), a->backend, &times, bytes, layout);
    pr_writer_clear(&steps);
    pr_proof_clear(&proof);
    pr_prover_destroy(prover);
    return status;
}

int pr_app_prove(int argc, char **argv) {
    arguments a = {.backend_name = "auto"};
    pr_error err = {0};
    pr_case c;
    pr_layout layout;
    if (parse(&a, argc, argv, &err) != PR_OK) return pr_app_fail(&err), 2;
    if (pr_case_open(&c, a.case_path, PR_CASE_ALL, &err) != PR_OK) return pr_app_fail_reading(&err);
    pr_status status = PR_OK;
    if (!pr_case_has_trace(&c)) status = pr_fail(&err, PR_ERR_USAGE, "%s: the case has no trace to prove", a.case_path);
    if (status == PR_OK) status = pr_layout_init(&layout, &c.statement, &err);
    if (status == PR_OK) {
        status = prove_case(&a, &c, &layout, &err);
        pr_layout_clear(&layout);
    }
    pr_case_clear(&c);
    if (status == PR_OK) return 0;
    int code = pr_app_fail(&err);
    return status == PR_ERR_BACKEND ? 1 : code; /* no proof of this trace */
}
