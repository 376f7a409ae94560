/* `proverun verify RESULTS.h5` and `proverun audit RESULTS.h5`: every proof again, and every certificate, from the file
 * alone. */
#include "app/app.h"
#include "app/vote_check.h"
#include "app/vote_report.h"
#include "base/cpu.h"
#include "base/hdf5_lock.h"
#include "work/check.h"
#include "work/seal.h"
#include "manifest/manifest.h"
#include "store/store.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct audit {
    const pr_results *results;
    pr_manifest *manifests; /* merged files have several */
    size_t n_manifests;
    const char *inputs;              /* where relative paths of a manifest begin */
    const struct pr_secret_key *key; /* of encrypted jobs; NULL: none */
    pr_proof_verdict *verdicts;      /* [jobs] */
    bool *judged;                    /* [jobs]: verdicts has what there is */
    size_t n_good, n_bad, n_sealed, n_without, n_insecure;
} audit;

/* ---- one job ---- */

/* The parameters that the file's table has must be those of its manifest, as a table holds a text: one line, cut where
 * it is too long. The content hash covers them whole. */
static bool same_params(const pr_results *r, const pr_manifest_job *job) {
    const pr_param_row *rows[PR_RECORD_MAX_PARAMS];
    size_t n = pr_results_params(r, job->id, rows, PR_RECORD_MAX_PARAMS);
    if (n != job->params.n) return false;
    for (size_t i = 0; i < n; i++) {
        char value[sizeof rows[i]->value];
        pr_row_set_text(value, sizeof value, job->params.items[i].value);
        if (strcmp(rows[i]->name, job->params.items[i].name) != 0 || strcmp(rows[i]->value, value) != 0) return false;
    }
    return true;
}

static pr_status check_identity(const audit *a, const pr_job_row *row, const pr_manifest_job **out, pr_error *err) {
    const pr_manifest_job *job =
        row->manifest < a->n_manifests ? pr_manifest_find(&a->manifests[row->manifest], row->id) : NULL;
    char content[65];
    if (!job) return pr_fail(err, PR_ERR_MALFORMED, "the manifest has no such job");
    pr_hex_encode(content, job->content.bytes, sizeof job->content.bytes);
    if (strcmp(row->type, job->type->name) != 0 || strcmp(row->profile, job->profile) != 0 ||
        strcmp(row->content_hash, content) != 0 || !same_params(a->results, job))
        return pr_fail(err, PR_ERR_MALFORMED, "type, profile or parameters are not those of the manifest");
    *out = job;
    return PR_OK;
}

static pr_proof_verdict word_on_proof(pr_check_verdict verdict) {
    switch (verdict) {
    case PR_CHECK_ACCEPTED:
        return PR_PROOF_VALID;
    case PR_CHECK_MALFORMED:
    case PR_CHECK_INVALID:
        return PR_PROOF_INVALID;
    case PR_CHECK_RECORD:
        break;
    }
    return PR_PROOF_UNKNOWN;
}

/* reason "" when all is good. */
static void check_job(const audit *a, size_t i, char *reason, size_t size) {
    const pr_job_row *row = pr_results_job(a->results, i);
    const pr_manifest_job *job = NULL;
    pr_record record = {0};
    pr_error err = {0};
    pr_check_verdict verdict = PR_CHECK_RECORD;
    pr_status status;
    pr_hdf5_lock();
    status = check_identity(a, row, &job, &err);
    if (status == PR_OK) status = pr_results_load(a->results, row, &record, &err);
    pr_hdf5_unlock();
    reason[0] = 0;
    if (status == PR_OK && a->key && row->encrypted_to[0]) status = pr_work_unseal(&record, a->key, &err);
    if (status == PR_OK) {
        const pr_check check = {job->type, &job->params, &job->config, &a->manifests[row->manifest].digest,
                                &record,   PR_CHECK_ALL};
        status = pr_check_run(&check, &verdict, reason, size, &err);
    }
    pr_record_clear(&record);
    if (status != PR_OK) snprintf(reason, size, "%s", err.text);
    if (status == PR_OK && verdict != PR_CHECK_ACCEPTED && !reason[0]) snprintf(reason, size, "refused");
    a->verdicts[i] = status == PR_OK ? word_on_proof(verdict) : PR_PROOF_UNKNOWN;
    a->judged[i] = true;
}

/* Of a proof that was refused, too, when it was kept. */
static pr_proof_verdict judge_stored(void *context, size_t i) {
    const audit *a = context;
    char reason[1100];
    if (!a->judged[i]) check_job(a, i, reason, sizeof reason);
    return a->verdicts[i];
}

/* ---- the file ---- */

static void judge(audit *a, size_t i) {
    const pr_job_row *row = pr_results_job(a->results, i);
    char reason[1100];
    if (!pr_outcome_is_done(row->outcome)) {
#pragma omp atomic
        a->n_without++;
        return;
    }
    check_job(a, i, reason, sizeof reason);
    bool sealed = row->encrypted_to[0] && !a->key && reason[0];
#pragma omp critical(answer)
    {
        a->n_good += !reason[0];
        a->n_bad += reason[0] && !sealed;
        a->n_sealed += sealed;
        a->n_insecure += !reason[0] && row->insecure;
        if (reason[0])
            printf("%s: %s: %s\n", sealed ? "not verified" : "bad", row->id[0] ? row->id : "(no id)", reason);
    }
}

static pr_status load_manifest(pr_manifest *m, const audit *a, const char *text, const char *recorded, const char *path,
                               pr_error *err) {
    char digest[65];
    pr_error e = {0};
    if (!text || !recorded) return pr_fail(err, PR_ERR_MALFORMED, "%s: the manifest is not readable", path);
    if (pr_manifest_parse(m, text, strlen(text), "manifest", a->inputs, pr_job_types, NULL, &e) != PR_OK)
        return pr_fail(err, PR_ERR_MALFORMED, "%s: the recorded manifest is not valid: %s", path, e.text);
    pr_hex_encode(digest, m->digest.bytes, sizeof m->digest.bytes);
    if (strcmp(digest, recorded) == 0) return PR_OK;
    pr_manifest_clear(m);
    return pr_fail(err, PR_ERR_MALFORMED, "%s: the recorded manifest does not have its digest", path);
}

/* manifest_text, manifest_text.1, ... and their digests. */
static pr_status load_manifests(audit *a, const char *path, pr_error *err) {
    const char *text, *digest;
    do {
        char name[2][48] = {"manifest_text", "manifest_digest"};
        if (a->n_manifests) {
            snprintf(name[0], sizeof name[0], "manifest_text.%zu", a->n_manifests);
            snprintf(name[1], sizeof name[1], "manifest_digest.%zu", a->n_manifests);
        }
        text = pr_results_attribute(a->results, name[0]);
        digest = pr_results_attribute(a->results, name[1]);
        if (!text && !digest && a->n_manifests) return PR_OK;
        pr_manifest *grown = realloc(a->manifests, (a->n_manifests + 1) * sizeof *grown);
        if (!grown) return pr_fail(err, PR_ERR_MEMORY, "%s: out of memory", path);
        a->manifests = grown;
        PR_TRY(load_manifest(&grown[a->n_manifests], a, text, digest, path, err));
        a->n_manifests++;
    } while (true);
}

static void clear_manifests(audit *a) {
    for (size_t i = 0; i < a->n_manifests; i++) pr_manifest_clear(&a->manifests[i]);
    free(a->manifests);
}

static int report(const audit *a, const char *path, bool damaged) {
    printf("%s: %zu proofs good, %zu bad, %zu jobs without a proof%s\n", path, a->n_good, a->n_bad, a->n_without,
           damaged ? "; parts of the file are damaged" : "");
    if (a->n_insecure) printf("%zu of the good ones have insecure parameters (less than 96 bits)\n", a->n_insecure);
    if (a->n_sealed) printf("%zu encrypted and not verified; --key FILE opens them\n", a->n_sealed);
    return a->n_bad || a->n_sealed || damaged;
}

static int check_votes(audit *a, const pr_app_verification *q) {
    pr_vote_check c = {.results = a->results, .judge = judge_stored, .context = a, .given = q->validators};
    pr_error err = {0};
    int exit_code = pr_vote_check_run(&c, &err) == PR_OK ? pr_vote_report(&c, q->names_voters) : pr_app_fail(&err);
    pr_vote_check_clear(&c);
    return exit_code;
}

static int verify_jobs(audit *a, const pr_app_verification *q) {
    long n = (long)pr_results_n_jobs(a->results);
    a->verdicts = calloc(n ? (size_t)n : 1, sizeof *a->verdicts);
    a->judged = calloc(n ? (size_t)n : 1, sizeof *a->judged);
    if (!a->verdicts || !a->judged) {
        fprintf(stderr, "proverun: %s: out of memory\n", q->path);
        return 70;
    }
#pragma omp parallel for schedule(dynamic) num_threads((int)q->threads)
    for (long i = 0; i < n; i++) judge(a, (size_t)i);
    int proofs = report(a, q->path, pr_results_problems(a->results)[0] != 0);
    int votes = check_votes(a, q);
    return votes > proofs ? votes : proofs;
}

static int verify_all(void *context) {
    const pr_app_verification *q = context;
    audit a = {.key = q->key};
    pr_results *r = NULL;
    pr_error err = {0};
    if (pr_results_open(&r, q->path, &err) != PR_OK) {
        pr_app_fail(&err);
        return 74;
    }
    a.results = r;
    const char *recorded = pr_results_attribute(r, "manifest_dir");
    a.inputs = q->inputs ? q->inputs : recorded ? recorded : "/";
    fputs(pr_results_problems(r), stdout);
    int exit_code = 1;
    if (load_manifests(&a, q->path, &err) == PR_OK)
        exit_code = pr_app_flush(verify_jobs(&a, q));
    else
        printf("bad: %s\n", err.text);
    free(a.verdicts);
    free(a.judged);
    clear_manifests(&a);
    pr_results_close(r);
    return exit_code;
}

int pr_app_verify_results(const pr_app_verification *v) {
    pr_app_verification q = *v;
    pr_error err = {0};
    int exit_code = 74;
    if (!q.threads) q.threads = pr_cpu_count();
    if (pr_store_guard(&exit_code, verify_all, &q, q.path, 0, &err) == PR_OK) return exit_code;
    printf("bad: %s\n", err.text);
    return 1;
}
