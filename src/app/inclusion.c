/* `proverun prove-inclusion` and `proverun verify-inclusion`: that an outcome is one of a run's, whose root a quorum
 * has signed. The file between them is text: names and hex digits. */
#include "app/app.h"
#include "app/validator_list.h"
#include "app/vote_check.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PR_INCLUSION_MAGIC "proverun inclusion 1"
#define PR_INCLUSION_MAX_BYTES ((size_t)4 << 20)
#define PR_MAX_INCLUSION_BYTES ((size_t)1 << 20) /* of one of its values */

typedef struct inclusion {
    char run[128], job[128];
    uint8_t *proof, *certificate; /* owned */
    size_t proof_size, certificate_size;
} inclusion;

static void clear_inclusion(inclusion *x) {
    free(x->proof);
    free(x->certificate);
    memset(x, 0, sizeof *x);
}

/* ---- the file ---- */

static void write_bytes(pr_writer *w, const char *name, const uint8_t *bytes, size_t size) {
    pr_write_format(w, "%s ", name);
    for (size_t i = 0; i < size; i++) pr_write_format(w, "%02x", bytes[i]);
    pr_write_u8(w, '\n');
}

static void format_inclusion(pr_writer *w, const inclusion *x) {
    pr_write_format(w, PR_INCLUSION_MAGIC "\nrun %s\njob %s\n", x->run, x->job);
    write_bytes(w, "proof", x->proof, x->proof_size);
    write_bytes(w, "certificate", x->certificate, x->certificate_size);
}

static bool take_line(char **at, const char *name, char **value) {
    size_t n = strlen(name);
    char *end = strchr(*at, '\n');
    if (!end || strncmp(*at, name, n) != 0 || (*at)[n] != ' ') return false;
    *end = 0;
    *value = *at + n + 1;
    *at = end + 1;
    return true;
}

/* It is printed: nothing that could drive a terminal. */
static bool take_name(char **at, const char *name, char out[128]) {
    char *value;
    if (!take_line(at, name, &value) || !value[0] || strlen(value) >= 128) return false;
    pr_row_set_text(out, 128, value);
    return strcmp(out, value) == 0;
}

static bool take_bytes(char **at, const char *name, uint8_t **out, size_t *size) {
    char *value;
    if (!take_line(at, name, &value)) return false;
    size_t n = strlen(value);
    *size = n / 2;
    if (n == 0 || n % 2 || *size > PR_MAX_INCLUSION_BYTES || !(*out = malloc(*size))) return false;
    return pr_hex_decode(*out, *size, value);
}

static pr_status parse_inclusion(inclusion *x, char *text, const char *path, pr_error *err) {
    char *at = text;
    memset(x, 0, sizeof *x);
    if (strncmp(at, PR_INCLUSION_MAGIC "\n", strlen(PR_INCLUSION_MAGIC) + 1) != 0)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: its first line is not `" PR_INCLUSION_MAGIC "`", path);
    at += strlen(PR_INCLUSION_MAGIC) + 1;
    bool good = take_name(&at, "run", x->run) && take_name(&at, "job", x->job) &&
                take_bytes(&at, "proof", &x->proof, &x->proof_size) &&
                take_bytes(&at, "certificate", &x->certificate, &x->certificate_size) && !*at;
    if (good) return PR_OK;
    clear_inclusion(x);
    return pr_fail(err, PR_ERR_MALFORMED, "%s: not the lines run, job, proof, certificate with their values", path);
}

static pr_status read_inclusion(inclusion *x, const char *path, pr_error *err) {
    uint8_t *text;
    size_t size;
    PR_TRY(pr_file_read(&text, &size, path, PR_INCLUSION_MAX_BYTES, err));
    pr_status status = parse_inclusion(x, (char *)text, path, err);
    free(text);
    return status;
}

/* ---- making one ---- */

typedef struct request {
    const char *job, *out, *root, *validators, *file, *folder;
    char results[PATH_MAX];
} request;

static pr_status prove_leaf(inclusion *x, const pr_vote_check *c, const pr_batch_row *batch, pr_error *err) {
    pr_batch_leaf *leaves;
    size_t n, i = 0;
    pr_hash name = pr_job_name(x->job), root;
    pr_writer w;
    char hex[65];
    PR_TRY(pr_vote_check_leaves(c, batch->time_ns, &leaves, &n, err));
    pr_writer_init(&w);
    while (i < n && !pr_hash_equal(&leaves[i].job, &name)) i++;
    pr_status status = i == n ? pr_fail(err, PR_ERR_REFUSED, "job `%s` has no outcome in this batch", x->job)
                              : pr_batch_root(&root, leaves, n, err);
    if (status == PR_OK) pr_hex_encode(hex, root.bytes, sizeof root.bytes);
    if (status == PR_OK && strcmp(hex, batch->id) != 0)
        status = pr_fail(err, PR_ERR_MALFORMED, "the outcomes in /consensus are not those that were signed");
    if (status == PR_OK) status = pr_batch_prove(&w, leaves, n, i, err);
    free(leaves);
    x->proof = w.data;
    x->proof_size = w.size;
    return status;
}

static pr_status take_inclusion(inclusion *x, pr_vote_check *c, const char *job, pr_error *err) {
    size_t n;
    const char *run = pr_results_attribute(c->results, "run_id");
    PR_TRY(pr_vote_check_open(c, err));
    const pr_batch_row *rows = pr_results_vote_rows(c->results, PR_VOTES_BATCHES, &n);
    if (c->record == PR_VOTES_MERGED)
        return pr_fail(err, PR_ERR_REFUSED, "a merged file has no batch: ask the file of the run");
    if (!run || n == 0)
        return pr_fail(err, PR_ERR_REFUSED, "no quorum has signed the outcomes: nobody votes, or the run did not end");
    snprintf(x->run, sizeof x->run, "%s", run);
    snprintf(x->job, sizeof x->job, "%s", job);
    PR_TRY(prove_leaf(x, c, &rows[n - 1], err));
    return pr_results_read_signed(c->results, rows[n - 1].offset, rows[n - 1].length, &x->certificate,
                                  &x->certificate_size, err);
}

static pr_status put_out(const inclusion *x, const char *path, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    format_inclusion(&w, x);
    pr_status status = w.failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for an inclusion proof") : PR_OK;
    if (status == PR_OK && path) status = pr_file_write_atomic(path, w.data, w.size, 0644, err);
    if (status == PR_OK && !path) fwrite(w.data, 1, w.size, stdout);
    pr_writer_clear(&w);
    return status;
}

static int prove(void *context) {
    const request *q = context;
    pr_vote_check c = {0};
    inclusion x = {0};
    pr_results *r = NULL;
    pr_error err = {0};
    pr_status status = pr_results_open(&r, q->results, &err);
    c.results = r;
    if (status == PR_OK) {
        status = take_inclusion(&x, &c, q->job, &err);
        if (status != PR_OK) (void)pr_fail_context(&err, "%s", q->results);
    }
    if (status == PR_OK) status = put_out(&x, q->out, &err);
    clear_inclusion(&x);
    pr_vote_check_clear(&c);
    pr_results_close(r);
    return status == PR_OK ? pr_app_flush(0) : pr_app_fail(&err);
}

/* ---- checking one ---- */

static pr_status print_verdict(const inclusion *x, const pr_hash *root, const char *signers, pr_error *err) {
    pr_batch_leaf leaf;
    pr_hash name = pr_job_name(x->job);
    char text[3][65];
    PR_TRY(pr_batch_check(&leaf, x->proof, x->proof_size, root, err));
    if (!pr_hash_equal(&leaf.job, &name))
        return pr_fail(err, PR_ERR_REFUSED, "the proof is of another job than `%s`", x->job);
    pr_hex_encode(text[0], root->bytes, 32);
    pr_hex_encode(text[1], leaf.statement.bytes, 32);
    pr_hex_encode(text[2], leaf.proof_hash.bytes, 32);
    printf("included: job %s of run %s: %s\nstatement %s\nproof %s\nroot %s, %s\n", x->job, x->run,
           pr_round_outcome_name(leaf.outcome), text[1], text[2], text[0], signers);
    return PR_OK;
}

static pr_status check_quorum(pr_hash *root, const inclusion *x, const pr_registry *registry, pr_error *err) {
    pr_ballot_keys *keys;
    uint64_t leaves;
    const pr_hash run = pr_run_name(x->run);
    PR_TRY(pr_ballot_keys_create(&keys, NULL, err));
    const pr_crypto crypto = pr_ballot_keys_crypto(keys);
    pr_status status =
        pr_batch_certificate_check(root, &leaves, x->certificate, x->certificate_size, &run, registry, &crypto, err);
    pr_ballot_keys_destroy(keys);
    return status;
}

/* Against the validators of a results file, which is of the same run. */
static pr_status check_by_results(const inclusion *x, pr_vote_check *c, pr_error *err) {
    pr_hash root;
    const char *run = pr_results_attribute(c->results, "run_id");
    PR_TRY(pr_vote_check_open(c, err));
    if (c->record != PR_VOTES_ON_RECORD) return pr_fail(err, PR_ERR_REFUSED, "the results file names no validators");
    if (!run || strcmp(run, x->run) != 0)
        return pr_fail(err, PR_ERR_REFUSED, "the proof is of run %s, the results are of another one", x->run);
    PR_TRY(check_quorum(&root, x, &c->registry, err));
    return print_verdict(x, &root, "signed by a quorum of the validators in the results file", err);
}

static pr_status check_by_root(const inclusion *x, const request *q, pr_error *err) {
    pr_registry registry;
    pr_hash root, certified;
    const char *signers = "as given; who signed it was not checked (--validators)";
    if (!pr_hex_decode(root.bytes, sizeof root.bytes, q->root))
        return pr_fail(err, PR_ERR_USAGE, "--root: '%s' is not 64 hex digits", q->root);
    pr_registry_init(&registry);
    pr_status status = PR_OK;
    if (q->validators) {
        signers = "signed by a quorum of the validators given";
        status = pr_validator_list_read(&registry, q->validators, err);
        if (status == PR_OK) status = check_quorum(&certified, x, &registry, err);
        if (status == PR_OK && !pr_hash_equal(&certified, &root))
            status = pr_fail(err, PR_ERR_REFUSED, "the validators have signed another root");
    }
    if (status == PR_OK) status = print_verdict(x, &root, signers, err);
    pr_registry_clear(&registry);
    return status;
}

static int verify(void *context) {
    const request *q = context;
    pr_vote_check c = {0};
    inclusion x = {0};
    pr_results *r = NULL;
    pr_error err = {0};
    pr_status status = read_inclusion(&x, q->file, &err);
    if (status == PR_OK && q->results[0]) {
        status = pr_results_open(&r, q->results, &err);
        c.results = r;
        if (status == PR_OK) status = check_by_results(&x, &c, &err);
    } else if (status == PR_OK) {
        status = check_by_root(&x, q, &err);
    }
    clear_inclusion(&x);
    pr_vote_check_clear(&c);
    pr_results_close(r);
    if (status == PR_ERR_REFUSED || status == PR_ERR_MALFORMED) printf("refused: %s\n", err.text);
    if (status == PR_OK || status == PR_ERR_REFUSED || status == PR_ERR_MALFORMED)
        return pr_app_flush(status == PR_OK ? 0 : 1);
    return pr_app_fail(&err);
}

/* ---- command lines ---- */

static pr_status parse(request *q, int argc, char **argv, const struct option *options, pr_error *err) {
    int c;
    optind = 0;
    q->folder = "results";
    while ((c = pr_app_option(argc, argv, ":o:", options, err)) != -1) {
        if (c == 'o')
            q->out = optarg;
        else if (c == 'R')
            q->folder = optarg;
        else if (c == 'r')
            snprintf(q->results, sizeof q->results, "%s", optarg);
        else if (c == 'h')
            q->root = optarg;
        else if (c == 'v')
            q->validators = optarg;
        else
            return PR_ERR_USAGE;
    }
    return PR_OK;
}

/* A path, or the id of a run in the folder. */
static void find_results(request *q, const char *run) {
    size_t n = strlen(run);
    bool is_path = strchr(run, '/') || (n > 3 && strcmp(run + n - 3, ".h5") == 0);
    if (is_path)
        snprintf(q->results, sizeof q->results, "%s", run);
    else
        snprintf(q->results, sizeof q->results, "%s/%s.h5", q->folder, run);
}

static int guarded(int (*work)(void *context), request *q) {
    int exit_code = 74;
    pr_error err = {0};
    if (pr_store_guard(&exit_code, work, q, q->results, 0, &err) == PR_OK) return exit_code;
    return pr_app_fail(&err);
}

int pr_app_prove_inclusion(int argc, char **argv) {
    static const struct option options[] = {{"output", 1, 0, 'o'}, {"results", 1, 0, 'R'}, {0, 0, 0, 0}};
    request q = {0};
    pr_error err = {0};
    pr_status status = parse(&q, argc, argv, options, &err);
    if (status == PR_OK && argc - optind != 2)
        status = pr_fail(&err, PR_ERR_USAGE,
                         "prove-inclusion needs RUN or RESULTS.h5, and JOB; see proverun prove-inclusion --help");
    if (status != PR_OK) return pr_app_fail(&err);
    find_results(&q, argv[optind]);
    q.job = argv[optind + 1];
    return guarded(prove, &q);
}

int pr_app_verify_inclusion(int argc, char **argv) {
    static const struct option options[] = {
        {"results", 1, 0, 'r'}, {"root", 1, 0, 'h'}, {"validators", 1, 0, 'v'}, {0, 0, 0, 0}};
    request q = {0};
    pr_error err = {0};
    pr_status status = parse(&q, argc, argv, options, &err);
    if (status == PR_OK && (argc - optind != 1 || !q.results[0] == !q.root || (q.validators && !q.root) || q.out))
        status = pr_fail(&err, PR_ERR_USAGE,
                         "verify-inclusion needs FILE, and --results RESULTS.h5 or --root HEX [--validators FILE]");
    if (status != PR_OK) return pr_app_fail(&err);
    q.file = argv[optind];
    return q.results[0] ? guarded(verify, &q) : verify(&q);
}
