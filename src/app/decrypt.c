/* `proverun decrypt`: the outputs of jobs that were encrypted to a key. */
#include "app/app.h"
#include "app/keys.h"
#include "starkcurve/passphrase.h"
#include "store/store.h"
#include "work/seal.h"
#include <stdio.h>
#include <string.h>

typedef struct arguments {
    const char *path, *key_path, *passphrase_file;
} arguments;

typedef struct request {
    const char *path;
    const pr_secret_key *key;
    size_t n_opened, n_refused;
} request;

static pr_status parse(arguments *a, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {{"key", 1, 0, 'k'}, {"passphrase-file", 1, 0, 'p'}, {0, 0, 0, 0}};
    int c;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, err)) != -1) {
        if (c != 'k' && c != 'p') return PR_ERR_USAGE;
        *(c == 'k' ? &a->key_path : &a->passphrase_file) = optarg;
    }
    if (optind + 1 != argc || !a->key_path)
        return pr_fail(err, PR_ERR_USAGE, "decrypt needs RESULTS.h5 and --key FILE; see proverun decrypt --help");
    a->path = argv[optind];
    return PR_OK;
}

pr_status pr_app_open_key(pr_secret_key **key, const char *path, const char *passphrase_file, pr_error *err) {
    char *passphrase = NULL;
    PR_TRY(pr_passphrase_read(&passphrase, passphrase_file, PR_PASSPHRASE_STREAM, err));
    pr_status status = pr_key_file_open(key, path, passphrase, err);
    pr_passphrase_destroy(passphrase);
    return status;
}

static void open_job(request *q, const pr_results *r, const pr_job_row *row) {
    pr_record record = {0};
    pr_error err = {0};
    pr_status status = pr_results_load(r, row, &record, &err);
    if (status == PR_OK) status = pr_work_unseal(&record, q->key, &err);
    if (status != PR_OK) {
        fprintf(stderr, "proverun: %s: %s: %s\n", q->path, row->id, err.text);
        q->n_refused++;
    } else {
        for (size_t i = 0; i < record.n_outputs; i++)
            printf("%s\t%s\t%s\n", row->id, record.outputs[i].name, record.outputs[i].value);
        q->n_opened++;
    }
    pr_record_clear(&record);
}

static int open_all(void *context) {
    request *q = context;
    pr_results *r = NULL;
    pr_error err = {0};
    if (pr_results_open(&r, q->path, &err) != PR_OK) {
        pr_app_fail(&err);
        return 74;
    }
    fputs(pr_results_problems(r), stderr);
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        const pr_job_row *row = pr_results_job(r, i);
        if (row->encrypted_to[0] && row->proof_compressed_bytes) open_job(q, r, row);
    }
    pr_results_close(r);
    fprintf(stderr, "%s: %zu encrypted jobs opened, %zu not\n", q->path, q->n_opened, q->n_refused);
    return pr_app_flush(q->n_refused > 0);
}

int pr_app_decrypt(int argc, char **argv) {
    arguments a = {0};
    pr_error err = {0};
    pr_secret_key *key = NULL;
    int exit_code = 74;
    if (parse(&a, argc, argv, &err) != PR_OK) return pr_app_fail(&err), 2;
    if (pr_app_open_key(&key, a.key_path, a.passphrase_file, &err) != PR_OK) return pr_app_fail(&err);
    request q = {a.path, key, 0, 0};
    if (pr_store_guard(&exit_code, open_all, &q, a.path, 0, &err) != PR_OK) {
        fprintf(stderr, "proverun: %s\n", err.text);
        exit_code = 1;
    }
    pr_secret_key_destroy(key);
    return exit_code;
}
