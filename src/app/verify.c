#include "app/app.h"
#include "casefile/casefile.h"
#include "verify/verify.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int reject(const char *reason, const char *detail) {
    printf("rejected: %s%s%s\n", reason, detail[0] ? ": " : "", detail);
    return 1;
}

static int judge(const pr_verifier *v, const pr_proof *proof, const pr_layout *layout) {
    pr_error detail = {0};
    pr_verdict verdict = PR_ACCEPTED;
    if (pr_verifier_run(v, proof, &verdict, &detail) != PR_OK) return pr_app_fail(&detail);
    if (verdict != PR_ACCEPTED) return reject(pr_verdict_text(verdict), detail.text);
    printf("accepted (%.0f bits conjectured, %.0f proven%s)\n", layout->security.conjectured_bits,
           layout->security.proven_bits, layout->security.insecure ? "; insecure parameters" : "");
    return 0;
}

static int verify_envelope(const pr_verifier *v, const char *path, const uint8_t *text, size_t size) {
    const pr_layout *layout = pr_verifier_layout(v);
    pr_proof proof = {0};
    size_t place = 0;
    pr_decode_code code = pr_proof_read_envelope(&proof, layout, (const char *)text, size, &place);
    if (code == PR_DECODE_SYNTAX || code == PR_DECODE_TRUNCATED || code == PR_DECODE_MEMORY) {
        fprintf(stderr, "proverun: %s: byte %zu: %s\n", path, place, pr_decode_code_text(code));
        return 2;
    }
    if (code != PR_DECODE_OK) {
        char where[64];
        snprintf(where, sizeof where, "byte %zu of the envelope", place);
        return reject(pr_decode_code_text(code), where);
    }
    int exit_code = judge(v, &proof, layout);
    pr_proof_clear(&proof);
    return exit_code;
}

static int verify_case(const char *case_path, const char *envelope_path) {
    pr_error err = {0};
    pr_case c;
    pr_verifier *v = NULL;
    uint8_t *text = NULL;
    size_t size = 0;
    int exit_code = 2;
    if (pr_case_load(&c, case_path, &err) != PR_OK) return pr_app_fail_reading(&err);
    if (pr_file_read(&text, &size, envelope_path, (size_t)1 << 32, &err) != PR_OK)
        pr_app_fail(&err);
    else if (pr_verifier_create(&v, &c.statement, &err) != PR_OK)
        pr_app_fail(&err);
    else
        exit_code = verify_envelope(v, envelope_path, text, size);
    pr_verifier_destroy(v);
    free(text);
    pr_case_clear(&c);
    return exit_code;
}

int pr_app_verify(int argc, char **argv) {
    static const struct option options[] = {{"threads", 1, 0, 'n'}, {0, 0, 0, 0}};
    uint64_t threads = 0;
    pr_error err = {0};
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, &err)) != -1)
        if (c != 'n' || pr_app_number(&threads, "--threads", optarg, 1, 4096, &err) != PR_OK) return pr_app_fail(&err);
    if (argc - optind == 1) return pr_app_verify_results(argv[optind], (unsigned)threads);
    if (argc - optind == 2) return verify_case(argv[optind], argv[optind + 1]);
    pr_fail(&err, PR_ERR_USAGE, "verify needs CASE.json ENVELOPE.json, or one RESULTS.h5; see proverun verify --help");
    return pr_app_fail(&err);
}
