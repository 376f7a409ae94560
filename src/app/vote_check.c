#include "app/vote_check.h"
#include "consensus/view.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pr_vote_job {
    pr_hash name;
    size_t row; /* of /jobs */
    bool certified;
};

__attribute__((format(printf, 2, 3))) static void blame(pr_vote_check *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("bad: ", stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    c->n_bad++;
}

static bool is_hash(const char *hex, const pr_hash *hash) {
    char text[65];
    pr_hex_encode(text, hash->bytes, sizeof hash->bytes);
    return strcmp(hex, text) == 0;
}

/* ---- jobs by name ---- */

static int compare_jobs(const void *a, const void *b) { return memcmp(a, b, sizeof(pr_hash)); }

static pr_status name_jobs(pr_vote_check *c, pr_error *err) {
    c->n_jobs = pr_results_n_jobs(c->results);
    c->jobs = calloc(c->n_jobs ? c->n_jobs : 1, sizeof *c->jobs);
    if (!c->jobs) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu jobs", c->n_jobs);
    for (size_t i = 0; i < c->n_jobs; i++)
        c->jobs[i] = (pr_vote_job){.name = pr_job_name(pr_results_job(c->results, i)->id), .row = i};
    qsort(c->jobs, c->n_jobs, sizeof *c->jobs, compare_jobs);
    return PR_OK;
}

static pr_vote_job *find_job(const pr_vote_check *c, const pr_hash *name) {
    return c->n_jobs ? bsearch(name, c->jobs, c->n_jobs, sizeof *c->jobs, compare_jobs) : NULL;
}

/* A row's id is the job's, or the hex digits of its name where the file does not know the job. */
static pr_hash name_of(const pr_vote_check *c, const char *id) {
    pr_hash name = pr_job_name(id), given;
    if (!find_job(c, &name) && pr_hex_decode(given.bytes, sizeof given.bytes, id)) return given;
    return name;
}

/* ---- validators and terms ---- */

static const pr_validator_row *validator_rows(const pr_vote_check *c, size_t *n) {
    return pr_results_vote_rows(c->results, PR_VOTES_VALIDATORS, n);
}

/* Away ones are in nobody's evidence: that they were is the run's word. */
static pr_status add_validators(pr_vote_check *c, pr_error *err) {
    size_t n;
    const pr_validator_row *rows = validator_rows(c, &n);
    for (size_t i = 0; i < n; i++) {
        char number[24];
        uint8_t key[PR_PUBLIC_KEY_BYTES];
        snprintf(number, sizeof number, "%zu", i);
        if (strcmp(rows[i].id, number) != 0 || !pr_hex_decode(key, sizeof key, rows[i].public_key))
            return pr_fail(err, PR_ERR_MALFORMED, "/validators: row %zu is not validator %zu with a key", i, i);
        if (rows[i].away_sets & 1)
            return pr_fail(err, PR_ERR_MALFORMED, "/validators: validator %zu is in the empty set of those away", i);
        PR_TRY(pr_registry_add(&c->registry, key, rows[i].stake, err));
        c->registry.validators[i].away = rows[i].away_sets;
    }
    c->tallies = calloc(n ? n : 1, sizeof *c->tallies);
    return c->tallies ? PR_OK : pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu validators", n);
}

static pr_status take_terms(pr_vote_check *c, pr_error *err) {
    const char *id = pr_results_attribute(c->results, "run_id");
    const char *seed = pr_results_attribute(c->results, "consensus_seed");
    const char *size = pr_results_attribute(c->results, "consensus_committee_size");
    char *end = NULL;
    c->record = PR_VOTES_ABSENT;
    if (pr_results_attribute(c->results, "input.1.run_id")) c->record = PR_VOTES_MERGED;
    if (c->record == PR_VOTES_MERGED || (!seed && !size)) return PR_OK;
    if (!id || !seed || !size || !pr_hex_decode(c->terms.seed.bytes, sizeof c->terms.seed.bytes, seed))
        return pr_fail(err, PR_ERR_MALFORMED, "run id, seed or size of committees is not readable");
    c->terms.run = pr_run_name(id);
    c->terms.committee_size = (uint32_t)strtoul(size, &end, 10);
    if (*size < '0' || *size > '9' || *end)
        return pr_fail(err, PR_ERR_MALFORMED, "the size of committees is no number");
    if (c->terms.committee_size) c->record = PR_VOTES_ON_RECORD;
    return PR_OK;
}

static pr_status open_record(pr_vote_check *c, pr_error *err) {
    pr_registry_init(&c->registry);
    PR_TRY(name_jobs(c, err));
    PR_TRY(take_terms(c, err));
    if (c->record != PR_VOTES_ON_RECORD) return PR_OK;
    PR_TRY(pr_ballot_keys_create(&c->keys, NULL, err));
    c->crypto = pr_ballot_keys_crypto(c->keys);
    return add_validators(c, err);
}

/* Who can write the file could have signed everything with keys of his own. */
static void compare_with_given(pr_vote_check *c) {
    const pr_registry *given = c->given;
    if (given->n != c->registry.n)
        blame(c, "consensus: %u validators were given, the file names %u", given->n, c->registry.n);
    for (uint32_t i = 0; i < given->n && i < c->registry.n; i++) {
        const pr_validator *a = &given->validators[i], *b = &c->registry.validators[i];
        if (memcmp(a->public_key, b->public_key, PR_PUBLIC_KEY_BYTES) != 0 || a->stake != b->stake)
            blame(c, "validator %u: its key or its stake is not the one given", i);
    }
}

pr_status pr_vote_check_open(pr_vote_check *c, pr_error *err) {
    PR_TRY(open_record(c, err));
    size_t n;
    const pr_validator_row *rows = validator_rows(c, &n);
    for (uint32_t i = 0; i < c->registry.n; i++)
        if (rows[i].removal) pr_registry_remove(&c->registry, i, (pr_removal)rows[i].removal);
    return PR_OK;
}

/* ---- what the verifier says of the proof of a subject ---- */

static pr_proof_verdict verdict_on(const pr_vote_check *c, const pr_subject *s) {
    const pr_vote_job *job = find_job(c, &s->job);
    const pr_job_row *row = job ? pr_results_job(c->results, job->row) : NULL;
    if (!row || !is_hash(row->proof_hash, &s->proof_hash)) return PR_PROOF_UNKNOWN;
    pr_proof_verdict verdict = c->judge(c->context, job->row);
    bool other = verdict == PR_PROOF_VALID && !is_hash(row->statement_digest, &s->statement);
    return other ? PR_PROOF_INVALID : verdict;
}

/* ---- evidence ---- */

static void accept_evidence(pr_vote_check *c, const pr_evidence *e, bool proven) {
    pr_vote_tally *t = &c->tallies[e->offender];
    if (t->removal == PR_REMOVAL_NONE) t->removal = e->removal;
    t->removal_proven |= proven;
    c->n_unproven += !proven;
    pr_registry_remove(&c->registry, e->offender, e->removal);
}

static void check_evidence(pr_vote_check *c, const pr_evidence_row *row, size_t i) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    pr_evidence e;
    pr_evidence_answer answer = PR_EVIDENCE_FAILS;
    pr_error err = {0};
    pr_status status = pr_results_read_signed(c->results, row->offset, row->length, &bytes, &size, &err);
    if (status == PR_OK) status = pr_evidence_decode(&e, bytes, size, &err);
    if (status == PR_OK)
        status = pr_evidence_check(&e, &answer, bytes, size, &c->terms.run, &c->registry, &c->crypto,
                                   verdict_on(c, &e.subject), &err);
    pr_hash job = name_of(c, row->id);
    if (status != PR_OK || answer == PR_EVIDENCE_FAILS)
        blame(c, "evidence %zu (%s): %s", i, row->id, err.text);
    else if ((uint32_t)e.kind != row->kind || e.offender != row->offender || !pr_hash_equal(&job, &e.subject.job) ||
             row->attempt != e.subject.attempt || !is_hash(row->proof_hash, &e.subject.proof_hash))
        blame(c, "evidence %zu (%s): the row is not what its bytes say", i, row->id);
    else
        accept_evidence(c, &e, answer == PR_EVIDENCE_HOLDS);
    c->n_evidence++;
    free(bytes);
}

static void check_all_evidence(pr_vote_check *c) {
    size_t n, n_validators;
    const pr_evidence_row *rows = pr_results_vote_rows(c->results, PR_VOTES_EVIDENCE, &n);
    const pr_validator_row *validators = validator_rows(c, &n_validators);
    for (size_t i = 0; i < n; i++) check_evidence(c, &rows[i], i);
    for (uint32_t i = 0; i < c->registry.n; i++)
        if (validators[i].removal != (uint32_t)c->tallies[i].removal)
            blame(c, "validator %u: removed for %s by its row, for %s by evidence", i,
                  pr_removal_name((pr_removal)validators[i].removal), pr_removal_name(c->tallies[i].removal));
}

/* ---- certificates ---- */

static bool is_row_of(const pr_vote_check *c, const pr_certificate_row *row, const pr_certificate *made) {
    pr_hash job = name_of(c, row->id);
    return pr_hash_equal(&job, &made->subject.job) && row->attempt == made->subject.attempt &&
           row->view == made->view && row->prover == made->subject.prover &&
           is_hash(row->proof_hash, &made->subject.proof_hash) &&
           is_hash(row->statement_digest, &made->subject.statement);
}

static bool counts_are_of(const pr_certificate_row *row, const pr_certificate *made) {
    return row->n_validators == made->n_validators && row->n_votes == made->n_votes &&
           row->n_absent == made->n_absent && row->n_removed == made->n_removed;
}

static void check_certificate(pr_vote_check *c, const pr_certificate_row *row) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    pr_certificate made;
    pr_error err = {0};
    pr_status status = pr_results_read_signed(c->results, row->offset, row->length, &bytes, &size, &err);
    if (status == PR_OK) status = pr_certificate_check(&made, bytes, size, &c->terms, &c->registry, &c->crypto, &err);
    free(bytes);
    c->n_certificates++;
    if (status != PR_OK) {
        blame(c, "certificate of %s: %s", row->id, err.text);
        return;
    }
    if (!is_row_of(c, row, &made)) {
        blame(c, "certificate of %s: it is about another job, attempt or proof than its row", row->id);
        return;
    }
    if (!counts_are_of(row, &made)) blame(c, "certificate of %s: the row counts others than its bytes", row->id);
    pr_vote_job *job = find_job(c, &made.subject.job);
    const pr_job_row *done = job ? pr_results_job(c->results, job->row) : NULL;
    if (done && is_hash(done->proof_hash, &made.subject.proof_hash) &&
        is_hash(done->statement_digest, &made.subject.statement))
        job->certified = true;
}

static void check_certificates(pr_vote_check *c) {
    size_t n;
    const pr_certificate_row *rows = pr_results_vote_rows(c->results, PR_VOTES_CERTIFICATES, &n);
    for (size_t i = 0; i < n; i++) check_certificate(c, &rows[i]);
}

/* Whatever the file says of its votes, or leaves out: who can write rows can remove tables and attributes too. */
static void check_approvals(pr_vote_check *c) {
    for (size_t i = 0; i < c->n_jobs; i++) {
        const pr_job_row *row = pr_results_job(c->results, c->jobs[i].row);
        if (row->outcome == PR_OUTCOME_APPROVED && !c->jobs[i].certified)
            blame(c, "%s: approved, but no certificate that holds names its proof and statement", row->id);
    }
}

/* ---- votes ---- */

static void count_vote(pr_vote_check *c, const pr_message *m) {
    pr_vote_tally *t = &c->tallies[m->signer];
    pr_proof_verdict verdict = verdict_on(c, &m->subject);
    t->n_votes++;
    if (verdict == PR_PROOF_VALID) t->n_wrong += m->verdict == PR_VOTE_REJECT;
    if (verdict == PR_PROOF_INVALID) t->n_wrong += m->verdict == PR_VOTE_APPROVE;
}

static bool is_vote_of(const pr_vote_check *c, const pr_vote_row *row, const pr_message *m) {
    pr_hash job = name_of(c, row->id);
    return m->kind == PR_MESSAGE_VOTE && pr_hash_equal(&m->run, &c->terms.run) &&
           pr_hash_equal(&job, &m->subject.job) && row->attempt == m->subject.attempt && row->view == m->view &&
           row->signer == m->signer && row->prover == m->subject.prover && row->verdict == (uint32_t)m->verdict &&
           row->reason == (uint32_t)m->reason && is_hash(row->proof_hash, &m->subject.proof_hash) &&
           is_hash(row->statement_digest, &m->subject.statement) && row->attestation == (uint32_t)m->attestation.kind &&
           row->attestation_verified == m->attestation.verified;
}

static void check_vote(pr_vote_check *c, const pr_vote_row *row, size_t i) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    pr_message m;
    pr_error err = {0};
    pr_status status = pr_results_read_signed(c->results, row->offset, row->length, &bytes, &size, &err);
    if (status == PR_OK) status = pr_message_decode(&m, bytes, size, &err);
    if (status != PR_OK)
        blame(c, "vote %zu (validator %u on %s): %s", i, row->signer, row->id, err.text);
    else if (!is_vote_of(c, row, &m))
        blame(c, "vote %zu (validator %u on %s): the row is not what its bytes say", i, row->signer, row->id);
    else if (!pr_message_verify(bytes, size, &m, &c->registry, &c->crypto))
        blame(c, "vote %zu (validator %u on %s): wrong signature", i, row->signer, row->id);
    else
        count_vote(c, &m);
    c->n_votes++;
    free(bytes);
}

/* Votes in an order in which those of one signer on one attempt in one view are neighbours. */
static int compare_votes(const void *a, const void *b) {
    const pr_vote_row *x = *(const pr_vote_row *const *)a, *y = *(const pr_vote_row *const *)b;
    int order = strcmp(x->id, y->id);
    if (order == 0) order = (x->attempt > y->attempt) - (x->attempt < y->attempt);
    if (order == 0) order = (x->view > y->view) - (x->view < y->view);
    return order ? order : (x->signer > y->signer) - (x->signer < y->signer);
}

static bool differ(const pr_vote_row *x, const pr_vote_row *y) {
    return x->verdict != y->verdict || x->reason != y->reason || strcmp(x->proof_hash, y->proof_hash) != 0 ||
           strcmp(x->statement_digest, y->statement_digest) != 0;
}

static pr_status check_votes(pr_vote_check *c, pr_error *err) {
    size_t n;
    const pr_vote_row *rows = pr_results_vote_rows(c->results, PR_VOTES_VOTES, &n);
    const pr_vote_row **sorted = malloc((n ? n : 1) * sizeof *sorted);
    if (!sorted) return pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu votes", n);
    for (size_t i = 0; i < n; i++) {
        check_vote(c, &rows[i], i);
        sorted[i] = &rows[i];
    }
    qsort(sorted, n, sizeof *sorted, compare_votes);
    for (size_t i = 1; i < n; i++)
        if (compare_votes(&sorted[i - 1], &sorted[i]) == 0 && differ(sorted[i - 1], sorted[i]) &&
            sorted[i]->signer < c->registry.n)
            c->tallies[sorted[i]->signer].n_double++;
    free(sorted);
    return PR_OK;
}

/* ---- views and the batch ---- */

/* What nobody signs follows from what is signed: a view has one leader, and one reason. */
static void compare_view(pr_vote_check *c, const pr_view_row *row, const pr_view_row *made, bool names_leader) {
    if (strcmp(row->id, made->id) != 0)
        blame(c, "view %s: its certificate is of view %s", row->id, made->id);
    else if (names_leader && row->leader != made->leader)
        blame(c, "view %s: validator %u leads it by its row, %u by its certificate", row->id, row->leader,
              made->leader);
    else if (names_leader && strcmp(row->reason, made->reason) != 0)
        blame(c, "view %s: it began for `%s` by its row; a view begins for a timeout alone", row->id, row->reason);
    else if (row->n_validators != made->n_validators || row->n_removed != made->n_removed ||
             row->n_signers != made->n_signers)
        blame(c, "view %s: the row counts others than its bytes", row->id);
}

static void check_view(pr_vote_check *c, const pr_view_row *row, bool names_leader) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    uint64_t view = 0;
    pr_view_row made;
    pr_error err = {0};
    pr_status status = pr_results_read_signed(c->results, row->offset, row->length, &bytes, &size, &err);
    if (status == PR_OK)
        status = pr_view_certificate_check(&view, bytes, size, &c->terms.run, &c->registry, &c->crypto, &err);
    if (status == PR_OK) status = pr_store_read_view(&made, bytes, size, &err);
    if (status == PR_OK)
        compare_view(c, row, &made, names_leader);
    else
        blame(c, "view %s: %s", row->id, err.text);
    free(bytes);
}

static void check_views(pr_vote_check *c) {
    const pr_view_row *rows = pr_results_vote_rows(c->results, PR_VOTES_VIEWS, &c->n_views);
    bool names_leader = pr_results_has_column(c->results, PR_VOTES_VIEWS, "leader");
    for (size_t i = 0; i < c->n_views; i++) check_view(c, &rows[i], names_leader);
}

static int compare_leaves(const void *a, const void *b) { return memcmp(a, b, sizeof(pr_hash)); }

/* The last outcome of a job counts. Rows of one job, in order, stay so: each is given its number first. */
typedef struct numbered_leaf {
    pr_batch_leaf leaf;
    size_t number;
} numbered_leaf;

static int compare_numbered(const void *a, const void *b) {
    const numbered_leaf *x = a, *y = b;
    int order = compare_leaves(a, b);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static bool read_leaf(const pr_vote_check *c, pr_batch_leaf *leaf, const pr_round_row *row) {
    leaf->job = name_of(c, row->id);
    leaf->outcome = (pr_round_outcome)row->outcome;
    return pr_hex_decode(leaf->statement.bytes, 32, row->statement_digest) &&
           pr_hex_decode(leaf->proof_hash.bytes, 32, row->proof_hash);
}

pr_status pr_vote_check_leaves(const pr_vote_check *c, uint64_t time_ns, pr_batch_leaf **out, size_t *n,
                               pr_error *err) {
    size_t n_rows, kept = 0;
    const pr_round_row *rows = pr_results_vote_rows(c->results, PR_VOTES_ROUNDS, &n_rows);
    numbered_leaf *all = calloc(n_rows + 1, sizeof *all);
    *out = calloc(n_rows + 1, sizeof **out);
    *n = 0;
    for (size_t i = 0; all && i < n_rows; i++)
        if (rows[i].decided_ns <= time_ns && read_leaf(c, &all[kept].leaf, &rows[i])) all[kept++].number = i;
    if (all) qsort(all, kept, sizeof *all, compare_numbered);
    for (size_t i = 0; all && *out && i < kept; i++)
        if (i + 1 == kept || compare_leaves(&all[i], &all[i + 1]) != 0) (*out)[(*n)++] = all[i].leaf;
    bool failed = !all || !*out;
    free(all);
    return failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for %zu outcomes", n_rows) : PR_OK;
}

static pr_status check_root(pr_vote_check *c, const pr_batch_row *row, const pr_hash *signed_root, pr_error *err) {
    pr_batch_leaf *leaves;
    size_t n;
    pr_hash root = {{0}};
    PR_TRY(pr_vote_check_leaves(c, row->time_ns, &leaves, &n, err));
    pr_status status = n ? pr_batch_root(&root, leaves, n, err) : PR_OK;
    free(leaves);
    PR_TRY(status);
    if (n != row->leaves || !pr_hash_equal(&root, signed_root))
        blame(c, "batch %.16s...: the outcomes in /consensus are not those that were signed", row->id);
    return PR_OK;
}

static pr_status check_batch(pr_vote_check *c, const pr_batch_row *row, pr_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    uint64_t leaves = 0;
    pr_hash root = {{0}};
    pr_batch_row made;
    pr_error e = {0};
    pr_status status = pr_results_read_signed(c->results, row->offset, row->length, &bytes, &size, &e);
    if (status == PR_OK)
        status = pr_batch_certificate_check(&root, &leaves, bytes, size, &c->terms.run, &c->registry, &c->crypto, &e);
    if (status == PR_OK) status = pr_store_read_batch(&made, bytes, size, &e);
    free(bytes);
    if (status != PR_OK)
        blame(c, "batch %.16s...: %s", row->id, e.text);
    else if (strcmp(row->id, made.id) != 0 || row->leaves != made.leaves)
        blame(c, "batch %.16s...: its certificate is of another root", row->id);
    else if (row->n_validators != made.n_validators || row->n_removed != made.n_removed ||
             row->n_signers != made.n_signers)
        blame(c, "batch %.16s...: the row counts others than its bytes", row->id);
    else
        return check_root(c, row, &root, err);
    return PR_OK;
}

static pr_status check_batches(pr_vote_check *c, pr_error *err) {
    const pr_batch_row *rows = pr_results_vote_rows(c->results, PR_VOTES_BATCHES, &c->n_batches);
    for (size_t i = 0; i < c->n_batches; i++) PR_TRY(check_batch(c, &rows[i], err));
    return PR_OK;
}

/* ---- the whole ---- */

static pr_status check_record(pr_vote_check *c, pr_error *err) {
    check_all_evidence(c); /* first: whom certificates may leave out */
    check_certificates(c);
    PR_TRY(check_votes(c, err));
    check_views(c);
    return check_batches(c, err);
}

pr_status pr_vote_check_run(pr_vote_check *c, pr_error *err) {
    pr_error e = {0};
    pr_status status = open_record(c, &e);
    if (status == PR_ERR_MEMORY) return pr_fail(err, status, "%s", e.text);
    if (status != PR_OK)
        blame(c, "consensus: %s", e.text);
    else if (c->record == PR_VOTES_ON_RECORD)
        PR_TRY(check_record(c, err));
    if (status == PR_OK && c->given) compare_with_given(c);
    check_approvals(c);
    return PR_OK;
}

void pr_vote_check_clear(pr_vote_check *c) {
    pr_registry_clear(&c->registry);
    pr_ballot_keys_destroy(c->keys);
    free(c->tallies);
    free(c->jobs);
}
