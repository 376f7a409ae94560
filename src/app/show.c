#include "app/app.h"
#include "base/clock.h"
#include "store/store.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
    const char *path, *table;
} request;

static void print_brief(const pr_results *r) {
    printf("%-24s %-16s %-13s %-12s %5s %9s %9s %9s %6s %6s  %s\n", "id", "type", "outcome", "profile", "log n",
           "prove ms", "verify ms", "KiB", "conj.", "proven", "remark");
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        const pr_job_row *j = pr_results_job(r, i);
        printf("%-24s %-16s %-13s %-12s %5u %9.1f %9.1f %9.1f %6.0f %6.0f", j->id, j->type, pr_outcome_name(j->outcome),
               j->profile, j->log_rows, j->prove_ms, j->verify_ms, (double)j->proof_compressed_bytes / 1024,
               j->conjectured_bits, j->proven_bits);
        if (j->insecure) fputs("  insecure parameters", stdout);
        if (j->reason[0]) printf("%s%s", j->insecure ? "; " : "  ", j->reason);
        putchar('\n');
    }
}

static void print_row(const pr_row_spec *spec, const void *row) {
    for (size_t i = 0; i < spec->n_fields; i++) {
        char text[2048];
        pr_row_show(text, sizeof text, &spec->fields[i], row);
        printf("%-28s %s\n", spec->fields[i].name, text);
    }
}

static void print_jobs(const pr_results *r) {
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        print_row(&pr_job_row_spec, pr_results_job(r, i));
        if (pr_results_job(r, i)->insecure) puts("insecure parameters");
        puts("");
    }
}

static void print_proofs(const pr_results *r) {
    printf("%-24s %12s %12s %-6s %s\n", "id", "offset", "length", "codec", "hash");
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        const pr_job_row *job = pr_results_job(r, i);
        const pr_proof_row *p = pr_results_proof(r, job->id);
        if (p)
            printf("%-24s %12llu %12llu %-6s %s%s\n", p->id, (unsigned long long)p->offset,
                   (unsigned long long)p->length, p->codec, p->hash, job->insecure ? "  insecure parameters" : "");
    }
}

static void print_outputs(const pr_results *r) {
    const pr_output_row *rows[PR_RECORD_MAX_OUTPUTS];
    printf("%-24s %-20s %s\n", "id", "name", "value");
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        const pr_job_row *job = pr_results_job(r, i);
        size_t n = pr_results_outputs(r, job->id, rows, PR_RECORD_MAX_OUTPUTS);
        for (size_t k = 0; k < n && k < PR_RECORD_MAX_OUTPUTS; k++)
            printf("%-24s %-20s %s%s\n", rows[k]->id, rows[k]->name, rows[k]->value,
                   job->insecure ? "  insecure parameters" : "");
    }
}

static void print_params(const pr_results *r) {
    const pr_param_row *rows[PR_RECORD_MAX_PARAMS];
    printf("%-24s %-20s %s\n", "id", "name", "value");
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        size_t n = pr_results_params(r, pr_results_job(r, i)->id, rows, PR_RECORD_MAX_PARAMS);
        for (size_t k = 0; k < n && k < PR_RECORD_MAX_PARAMS; k++)
            printf("%-24s %-20s %s\n", rows[k]->id, rows[k]->name, rows[k]->value);
    }
}

static void print_attempts(const pr_results *r) {
    const pr_attempt_row *rows[PR_RECORD_MAX_HISTORY];
    printf("%-24s %7s %-9s %4s %-16s %-12s %-17s %10s  %s\n", "id", "attempt", "end", "rank", "host", "backend",
           "stage", "ms", "reason");
    for (size_t i = 0; i < pr_results_n_jobs(r); i++) {
        size_t n = pr_results_history(r, pr_results_job(r, i)->id, rows, PR_RECORD_MAX_HISTORY);
        for (size_t k = 0; k < n && k < PR_RECORD_MAX_HISTORY; k++) {
            const pr_attempt_row *a = rows[k];
            printf("%-24s %7u %-9s %4d %-16s %-12s %-17s %10.1f  %s\n", a->id, a->attempt, pr_attempt_end_name(a->end),
                   a->rank, a->host, a->backend, a->stage, (double)(int64_t)(a->finished_ns - a->started_ns) / 1e6,
                   a->reason);
        }
    }
}

static void print_events(const pr_results *r) {
    printf("%-30s %-15s %4s %-24s %s\n", "time", "kind", "rank", "id", "text");
    for (size_t i = 0; i < pr_results_n_events(r); i++) {
        const pr_event_row *e = pr_results_event(r, i);
        printf("%-30s %-15s %4d %-24s %s\n", e->time_at, pr_event_kind_name(e->kind), e->rank, e->id, e->text);
    }
}

static void print_metrics(const pr_results *r) {
    for (size_t i = 0; i < pr_results_n_samples(r); i++) {
        const pr_sample_row *s = pr_results_sample(r, i);
        char at[32];
        pr_clock_iso8601(at, s->time_ns);
        printf("%-30s %-60s %g\n", at, s->id, s->value);
    }
}

static void print_sessions(const pr_results *r) {
    for (size_t i = 0; i < pr_results_n_sessions(r); i++) {
        print_row(&pr_session_row_spec, pr_results_session(r, i));
        puts("");
    }
}

/* Texts of several lines are indented; nothing that could drive a terminal is printed. */
static void print_text(const char *text) {
    for (; *text; text++) {
        if (*text == '\n' && text[1])
            fputs("\n    ", stdout);
        else if ((unsigned char)*text >= ' ' && *text != 0x7f)
            putchar(*text);
        else if (*text != '\n')
            putchar('?');
    }
    putchar('\n');
}

static void print_provenance(const pr_results *r) {
    for (size_t i = 0; i < pr_results_n_attributes(r); i++) {
        const char *name, *value;
        pr_results_attribute_at(r, i, &name, &value);
        printf("%s\n    ", name);
        print_text(value);
    }
}

/* ---- the consensus: columns as wide as what is in them ---- */

#define PR_MAX_FIELDS 24

static void print_columns(const pr_results *r, pr_vote_table table, const pr_row_spec *spec) {
    size_t n, widths[PR_MAX_FIELDS] = {0}, last = spec->n_fields - 1;
    const char *rows = pr_results_vote_rows(r, table, &n);
    char text[256];
    for (size_t f = 0; f < last; f++) {
        widths[f] = strlen(spec->fields[f].name);
        for (size_t i = 0; i < n; i++) {
            pr_row_show(text, sizeof text, &spec->fields[f], rows + i * spec->row_bytes);
            if (strlen(text) > widths[f]) widths[f] = strlen(text);
        }
        printf("%-*s  ", (int)widths[f], spec->fields[f].name);
    }
    printf("%s\n", spec->fields[last].name);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f <= last; f++) {
            pr_row_show(text, sizeof text, &spec->fields[f], rows + i * spec->row_bytes);
            printf(f < last ? "%-*s  " : "%*s\n", f < last ? (int)widths[f] : 0, text);
        }
}

static void print_validators(const pr_results *r) { print_columns(r, PR_VOTES_VALIDATORS, &pr_validator_row_spec); }
static void print_votes(const pr_results *r) { print_columns(r, PR_VOTES_VOTES, &pr_vote_row_spec); }
static void print_certificates(const pr_results *r) {
    print_columns(r, PR_VOTES_CERTIFICATES, &pr_certificate_row_spec);
}
static void print_views(const pr_results *r) { print_columns(r, PR_VOTES_VIEWS, &pr_view_row_spec); }
static void print_evidence(const pr_results *r) { print_columns(r, PR_VOTES_EVIDENCE, &pr_evidence_row_spec); }
static void print_rounds(const pr_results *r) { print_columns(r, PR_VOTES_ROUNDS, &pr_round_row_spec); }
static void print_batches(const pr_results *r) { print_columns(r, PR_VOTES_BATCHES, &pr_batch_row_spec); }

static const struct {
    const char *name;
    void (*print)(const pr_results *r);
} tables[] = {
    {"brief", print_brief},
    {"jobs", print_jobs},
    {"proofs", print_proofs},
    {"outputs", print_outputs},
    {"params", print_params},
    {"sessions", print_sessions},
    {"attempts", print_attempts},
    {"events", print_events},
    {"metrics", print_metrics},
    {"provenance", print_provenance},
    {"validators", print_validators},
    {"votes", print_votes},
    {"certificates", print_certificates},
    {"views", print_views},
    {"evidence", print_evidence},
    {"consensus", print_rounds},
    {"batches", print_batches},
};
#define PR_N_TABLES (sizeof tables / sizeof tables[0])

static size_t find_table(const char *name) {
    size_t i = 0;
    while (i < PR_N_TABLES && strcmp(tables[i].name, name) != 0) i++;
    return i;
}

static int show(void *context) {
    const request *q = context;
    pr_results *r = NULL;
    pr_error err = {0};
    if (pr_results_open(&r, q->path, &err) != PR_OK) {
        pr_app_fail(&err);
        return 74;
    }
    tables[find_table(q->table)].print(r);
    bool damaged = pr_results_problems(r)[0] != 0;
    fputs(pr_results_problems(r), stderr);
    pr_results_close(r);
    return pr_app_flush(damaged);
}

int pr_app_show(int argc, char **argv) {
    static const struct option options[] = {{"table", 1, 0, 't'}, {0, 0, 0, 0}};
    request q = {.table = "brief"};
    pr_error err = {0};
    int c, exit_code = 74;
    optind = 0;
    while ((c = pr_app_option(argc, argv, ":", options, &err)) != -1) {
        if (c != 't') return pr_app_fail(&err);
        q.table = optarg;
    }
    if (argc - optind != 1 || find_table(q.table) == PR_N_TABLES) {
        (void)pr_fail(&err, PR_ERR_USAGE,
                      "show needs one RESULTS.h5; --table is one of brief, jobs, proofs, outputs, params, attempts, "
                      "sessions, events, metrics, provenance, validators, votes, certificates, views, evidence, "
                      "consensus, batches");
        return pr_app_fail(&err);
    }
    q.path = argv[optind];
    if (pr_store_guard(&exit_code, show, &q, q.path, 0, &err) != PR_OK) {
        pr_app_fail(&err);
        return 74;
    }
    return exit_code;
}
