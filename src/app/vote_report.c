#include "app/vote_report.h"
#include <stdio.h>

static size_t count_away(const pr_vote_check *c) {
    size_t n, n_away = 0;
    const pr_validator_row *rows = pr_results_vote_rows(c->results, PR_VOTES_VALIDATORS, &n);
    for (size_t i = 0; i < n; i++) n_away += rows[i].sessions_away > 0;
    return n_away;
}

static void print_counts(const pr_vote_check *c) {
    size_t n_away = count_away(c);
    printf("consensus: %u validators, %zu certificates, %zu votes, %zu views, %zu batches, %zu evidence: %zu bad\n",
           c->registry.n, c->n_certificates, c->n_votes, c->n_views, c->n_batches, c->n_evidence, c->n_bad);
    if (c->n_unproven)
        printf("%zu of the evidence is rightly signed, but about a proof that is not in this file\n", c->n_unproven);
    if (n_away)
        printf("%zu validators were away for a session: certificates leave them out by the run's word alone\n", n_away);
}

/* By a vote on record, or by evidence: what that rests on need not be among the votes that were counted. */
static bool signed_wrongly(const pr_vote_tally *t) { return t->n_wrong || t->n_double || t->removal_proven; }

/* Whether it has signed wrongly and goes on to count. */
static bool print_validator(const pr_vote_check *c, uint32_t i) {
    const pr_vote_tally *t = &c->tallies[i];
    char key[65];
    bool wrong = signed_wrongly(t), removed = t->removal != PR_REMOVAL_NONE;
    pr_hex_encode(key, c->registry.validators[i].public_key, PR_PUBLIC_KEY_BYTES);
    printf("validator %u (%.16s...): %zu votes, %zu wrong, %zu double", i, key, t->n_votes, t->n_wrong, t->n_double);
    if (removed)
        printf("; removed for %s, evidence %s", pr_removal_name(t->removal),
               t->removal_proven ? "holds" : "is about a proof that is not in this file");
    else if (wrong)
        fputs("; signed wrongly and was not removed", stdout);
    putchar('\n');
    return wrong && !removed;
}

static bool print_validators(const pr_vote_check *c) {
    size_t n_wrong = 0, n_removed = 0, n_left = 0;
    for (uint32_t i = 0; i < c->registry.n; i++) {
        n_left += print_validator(c, i);
        n_wrong += signed_wrongly(&c->tallies[i]);
        n_removed += c->tallies[i].removal != PR_REMOVAL_NONE;
    }
    printf("%zu of %u validators are shown to have signed wrongly, %zu were removed\n", n_wrong, c->registry.n,
           n_removed);
    return n_left > 0;
}

int pr_vote_report(const pr_vote_check *c, bool names_voters) {
    bool left = false;
    switch (c->record) {
    case PR_VOTES_ABSENT:
        if (c->n_bad || names_voters) puts("consensus: no votes are on record");
        break;
    case PR_VOTES_MERGED:
        puts("consensus: certificates are in the files that were merged, not in this one");
        break;
    case PR_VOTES_ON_RECORD:
        print_counts(c);
        if (names_voters && c->tallies) left = print_validators(c);
        break;
    }
    return c->n_bad > 0 || left;
}
