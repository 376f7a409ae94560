#include "votes_metrics.h"
#include "base/bytes.h"
#include "consensus/consensus.h"
#include "store/journal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALIDATORS = 16 };
typedef struct tally { /* of records */
    uint64_t validators, views, votes[MAX_VALIDATORS], outcomes[PR_ROUND_OUTCOMES], evidence[PR_EVIDENCE_KINDS];
} tally;

static pr_status see(void *context, const pr_frame *f, pr_error *err) {
    tally *t = context;
    pr_message m;
    pr_evidence e;
    const uint8_t *data = f->payload + 1;
    size_t size = f->size - 1;
    switch (pr_consensus_record_kind(f->payload, f->size)) {
    case PR_CONSENSUS_RECORD_VALIDATOR:
        t->validators++;
        break;
    case PR_CONSENSUS_RECORD_MESSAGE:
        if (pr_message_peek(data, size) != PR_MESSAGE_VOTE) break;
        PR_TRY(pr_message_decode(&m, data, size, err));
        if (m.signer < MAX_VALIDATORS) t->votes[m.signer]++;
        break;
    case PR_CONSENSUS_RECORD_VIEW:
        t->views++;
        break;
    case PR_CONSENSUS_RECORD_OUTCOME:
        t->outcomes[data[size - 1] % PR_ROUND_OUTCOMES]++;
        break;
    case PR_CONSENSUS_RECORD_EVIDENCE:
        PR_TRY(pr_evidence_decode(&e, data, size, err));
        t->evidence[e.kind]++;
        break;
    default:
        break;
    }
    return PR_OK;
}

/* The number of a series; 0: it is not there. */
static double number_of(const char *text, const char *series) {
    size_t n = strlen(series);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, series, n) == 0 && line[n] == ' ') return strtod(line + n + 1, NULL);
    }
    return 0;
}

static bool same(const char *text, const char *name, const char *label, const char *value, uint64_t want) {
    char series[200];
    if (label)
        snprintf(series, sizeof series, "proverun_consensus_%s{%s=\"%s\"}", name, label, value);
    else
        snprintf(series, sizeof series, "proverun_consensus_%s", name);
    double found = number_of(text, series);
    if (found == (double)want) return true;
    fprintf(stderr, "%s is %g; on record are %llu\n", series, found, (unsigned long long)want);
    return false;
}

static bool compare(const char *text, const tally *t) {
    bool good = same(text, "validators_registered_total", NULL, NULL, t->validators);
    uint64_t n_evidence = 0, n_outcomes = 0, n_votes = 0;
    for (unsigned i = 0; i < MAX_VALIDATORS; i++) {
        char index[16];
        snprintf(index, sizeof index, "%u", i);
        good &= same(text, "votes_total", "validator", index, t->votes[i]);
        n_votes += t->votes[i];
    }
    for (uint32_t i = 1; i < PR_ROUND_OUTCOMES; i++, n_outcomes += t->outcomes[i - 1])
        good &= same(text, "rounds_total", "outcome", pr_round_outcome_name((pr_round_outcome)i), t->outcomes[i]);
    for (uint32_t i = 1; i < PR_EVIDENCE_KINDS; i++, n_evidence += t->evidence[i - 1])
        good &= same(text, "fraud_detected_total", "kind", pr_evidence_kind_name((pr_evidence_kind)i), t->evidence[i]);
    good &= same(text, "view_changes_total", "reason", "timeout", t->views);
    good &= same(text, "active_validators", NULL, NULL, t->validators - n_evidence);
    good &= same(text, "pending_votes", NULL, NULL, 0);
    return good && n_outcomes > 0 && n_votes > 0;
}

/* One count says the same in three places. */
static bool times_add_up(const char *text) {
    double appends = number_of(text, "proverun_consensus_persistence_duration_seconds_count{operation=\"append\"}");
    double syncs = number_of(text, "proverun_consensus_persistence_duration_seconds_count{operation=\"sync\"}");
    double all =
        number_of(text, "proverun_consensus_persistence_duration_seconds_bucket{operation=\"append\",le=\"+Inf\"}");
    double told =
        number_of(text, "proverun_consensus_persistence_operations_total{operation=\"append\",status=\"ok\"}");
    double final = number_of(text, "proverun_consensus_finalization_duration_seconds_count{outcome=\"approved\"}");
    double jobs = number_of(text, "proverun_jobs_total{outcome=\"approved\"}");
    bool good = appends > 0 && syncs > 0 && syncs <= appends && all == appends && told == appends && final == jobs;
    if (!good)
        fprintf(stderr, "appends %g, %g, %g, syncs %g; finalized %g of %g approved\n", appends, all, told, syncs, final,
                jobs);
    return good;
}

bool votes_metrics_agree(const char *results) {
    char path[1100];
    tally t = {0};
    pr_scan scan = {.visit = see, .context = &t};
    pr_error e = {0};
    uint8_t *text = NULL;
    size_t size;
    int stem = (int)(strlen(results) - 3); /* without .h5 */
    snprintf(path, sizeof path, "%.*s.votes/0.journal", stem, results);
    bool good = pr_journal_scan(&scan, path, &e) == PR_OK;
    snprintf(path, sizeof path, "%.*s.prom", stem, results);
    good = good && pr_file_read(&text, &size, path, 1 << 20, &e) == PR_OK;
    if (!good) fprintf(stderr, "%s\n", e.text);
    good = good && compare((const char *)text, &t) && times_add_up((const char *)text);
    free(text);
    return good;
}
