#include "votes_metrics.h"
#include "base/bytes.h"
#include "consensus/consensus.h"
#include "store/store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALIDATORS = 16 };
typedef struct tally { /* of rows */
    uint64_t validators, removed, reasons[PR_REMOVALS], views, view, led, votes[MAX_VALIDATORS],
        outcomes[PR_ROUND_OUTCOMES], evidence[PR_EVIDENCE_KINDS];
} tally;

static void count_rows(tally *t, const pr_results *r) {
    size_t n_validators, n_votes, n_views, n_evidence, n_rounds;
    const pr_validator_row *validators = pr_results_vote_rows(r, PR_VOTES_VALIDATORS, &n_validators);
    const pr_vote_row *votes = pr_results_vote_rows(r, PR_VOTES_VOTES, &n_votes);
    const pr_evidence_row *evidence = pr_results_vote_rows(r, PR_VOTES_EVIDENCE, &n_evidence);
    const pr_round_row *rounds = pr_results_vote_rows(r, PR_VOTES_ROUNDS, &n_rounds);
    const pr_view_row *views = pr_results_vote_rows(r, PR_VOTES_VIEWS, &n_views);
    t->validators = n_validators;
    t->views = n_views;
    t->view = n_views ? strtoull(views[n_views - 1].id, NULL, 10) : 0;
    for (size_t i = 0; i < n_validators; i++) {
        t->removed += validators[i].removal != PR_REMOVAL_NONE;
        t->reasons[validators[i].removal % PR_REMOVALS]++;
    }
    for (size_t i = 0; i < pr_results_n_events(r); i++) t->led += pr_results_event(r, i)->kind == PR_EVENT_VIEW;
    for (size_t i = 0; i < n_votes; i++) t->votes[votes[i].signer % MAX_VALIDATORS]++;
    for (size_t i = 0; i < n_evidence; i++) t->evidence[evidence[i].kind % PR_EVIDENCE_KINDS]++;
    for (size_t i = 0; i < n_rounds; i++) t->outcomes[rounds[i].outcome % PR_ROUND_OUTCOMES]++;
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
    fprintf(stderr, "%s is %g; the rows say %llu\n", series, found, (unsigned long long)want);
    return false;
}

static bool compare(const char *text, const tally *t) {
    bool good = same(text, "validators_registered_total", NULL, NULL, t->validators);
    uint64_t n_outcomes = 0, n_votes = 0;
    for (unsigned i = 0; i < MAX_VALIDATORS; i++) {
        char index[16];
        snprintf(index, sizeof index, "%u", i);
        good &= same(text, "votes_total", "validator", index, t->votes[i]);
        n_votes += t->votes[i];
    }
    for (uint32_t i = 1; i < PR_ROUND_OUTCOMES; i++, n_outcomes += t->outcomes[i - 1])
        good &= same(text, "rounds_total", "outcome", pr_round_outcome_name((pr_round_outcome)i), t->outcomes[i]);
    for (uint32_t i = 1; i < PR_EVIDENCE_KINDS; i++)
        good &= same(text, "fraud_detected_total", "kind", pr_evidence_kind_name((pr_evidence_kind)i), t->evidence[i]);
    for (uint32_t i = PR_REMOVAL_NONE + 1; i < PR_REMOVAL_AWAY; i++)
        good &= same(text, "validators_removed_total", "reason", pr_removal_name((pr_removal)i), t->reasons[i]);
    good &= same(text, "view_changes_total", "reason", "timeout", t->views);
    /* a leader that is removed is followed within its view, which has no row but an event */
    good &= same(text, "view_changes_total", "reason", "leader_removed", t->led - t->views);
    good &= same(text, "current_view", NULL, NULL, t->view);
    good &= same(text, "active_validators", NULL, NULL, t->validators - t->removed);
    good &= same(text, "pending_votes", NULL, NULL, 0);
    return good && n_outcomes > 0 && n_votes > 0;
}

/* Whatever happened, each is there, of its type. */
static bool has_families(const char *text) {
    static const char *const families[] = {"votes_total counter",
                                           "rounds_total counter",
                                           "fraud_detected_total counter",
                                           "validators_registered_total counter",
                                           "validators_removed_total counter",
                                           "view_changes_total counter",
                                           "persistence_operations_total counter",
                                           "messages_refused_total counter",
                                           "active_validators gauge",
                                           "pending_votes gauge",
                                           "current_view gauge",
                                           "vote_duration_seconds histogram",
                                           "finalization_duration_seconds histogram",
                                           "persistence_duration_seconds histogram"};
    bool good = true;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        char line[120];
        snprintf(line, sizeof line, "# TYPE proverun_consensus_%s\n", families[i]);
        if (strstr(text, line)) continue;
        fprintf(stderr, "no line %s", line);
        good = false;
    }
    return good;
}

/* One count says the same in three places. */
static bool times_add_up(const char *text, uint64_t votes_of_rank_0) {
    double appends = number_of(text, "proverun_consensus_persistence_duration_seconds_count{operation=\"append\"}");
    double syncs = number_of(text, "proverun_consensus_persistence_duration_seconds_count{operation=\"sync\"}");
    double all =
        number_of(text, "proverun_consensus_persistence_duration_seconds_bucket{operation=\"append\",le=\"+Inf\"}");
    double told =
        number_of(text, "proverun_consensus_persistence_operations_total{operation=\"append\",status=\"ok\"}");
    double final = number_of(text, "proverun_consensus_finalization_duration_seconds_count{outcome=\"approved\"}");
    double judged = number_of(text, "proverun_consensus_vote_duration_seconds_count");
    double jobs = number_of(text, "proverun_jobs_total{outcome=\"approved\"}");
    bool good = appends > 0 && syncs > 0 && syncs <= appends && all == appends && told == appends && final == jobs &&
                judged >= (double)votes_of_rank_0;
    if (!good)
        fprintf(stderr, "appends %g, %g, %g, syncs %g; finalized %g of %g approved; %g judged for %llu votes\n",
                appends, all, told, syncs, final, jobs, judged, (unsigned long long)votes_of_rank_0);
    return good;
}

bool votes_metrics_agree(const char *results) {
    char path[1100];
    tally t = {0};
    pr_results *r = NULL;
    pr_error e = {0};
    uint8_t *text = NULL;
    size_t size;
    snprintf(path, sizeof path, "%.*s.prom", (int)(strlen(results) - 3), results); /* for .h5 */
    bool good = pr_results_open(&r, results, &e) == PR_OK && pr_file_read(&text, &size, path, 1 << 20, &e) == PR_OK;
    if (good)
        count_rows(&t, r);
    else
        fprintf(stderr, "%s\n", e.text);
    good = good && has_families((const char *)text) && compare((const char *)text, &t) &&
           times_add_up((const char *)text, t.votes[0]);
    free(text);
    pr_results_close(r);
    return good;
}
