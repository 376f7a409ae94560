#include "app/app.h"
#include "app/keys.h"
#include "app/validator_list.h"
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
    if (pr_case_open(&c, case_path, PR_CASE_STATEMENT, &err) != PR_OK) return pr_app_fail_reading(&err);
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

typedef struct arguments {
    uint64_t threads;
    const char *key_path, *passphrase_file, *inputs, *validators;
} arguments;

static pr_status parse_options(arguments *a, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {{"threads", 1, 0, 'n'},         {"key", 1, 0, 'k'},
                                            {"passphrase-file", 1, 0, 'p'}, {"inputs", 1, 0, 'i'},
                                            {"validators", 1, 0, 'v'},      {0, 0, 0, 0}};
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, err)) != -1) {
        if (c == 'n')
            PR_TRY(pr_app_number(&a->threads, "--threads", optarg, 1, 4096, err));
        else if (c == 'i')
            a->inputs = optarg;
        else if (c == 'v')
            a->validators = optarg;
        else if (c == 'k')
            a->key_path = optarg;
        else if (c == 'p')
            a->passphrase_file = optarg;
        else
            return PR_ERR_USAGE;
    }
    return PR_OK;
}

static pr_status parse(arguments *a, int argc, char **argv, pr_error *err) {
    PR_TRY(parse_options(a, argc, argv, err));
    int n = argc - optind;
    if (n == 1 || (n == 2 && !a->key_path && !a->validators)) return PR_OK;
    return pr_fail(err, PR_ERR_USAGE,
                   "verify needs CASE.json ENVELOPE.json, or one RESULTS.h5; see proverun verify --help");
}

static int verify_results(const arguments *a, const char *path, bool names_voters) {
    pr_secret_key *key = NULL;
    pr_registry given;
    pr_error err = {0};
    pr_registry_init(&given);
    pr_status status = a->validators ? pr_validator_list_read(&given, a->validators, &err) : PR_OK;
    if (status == PR_OK && a->key_path) status = pr_app_open_key(&key, a->key_path, a->passphrase_file, &err);
    const pr_app_verification v = {.path = path,
                                   .inputs = a->inputs,
                                   .key = key,
                                   .validators = a->validators ? &given : NULL,
                                   .threads = (unsigned)a->threads,
                                   .names_voters = names_voters};
    int exit_code = status == PR_OK ? pr_app_verify_results(&v) : pr_app_fail(&err);
    pr_secret_key_destroy(key);
    pr_registry_clear(&given);
    return exit_code;
}

int pr_app_verify(int argc, char **argv) {
    arguments a = {0};
    pr_error err = {0};
    if (parse(&a, argc, argv, &err) != PR_OK) return pr_app_fail(&err);
    return argc - optind == 1 ? verify_results(&a, argv[optind], false) : verify_case(argv[optind], argv[optind + 1]);
}

int pr_app_audit(int argc, char **argv) {
    arguments a = {0};
    pr_error err = {0};
    pr_status status = parse_options(&a, argc, argv, &err);
    if (status == PR_OK && argc - optind != 1)
        status = pr_fail(&err, PR_ERR_USAGE, "audit needs one RESULTS.h5; see proverun audit --help");
    return status == PR_OK ? verify_results(&a, argv[optind], true) : pr_app_fail(&err);
}
