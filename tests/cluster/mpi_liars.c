/* Ranks that lie in the consensus: all good proofs are approved all the same, nothing wrong ever is, and whoever can be
 * proven to have lied is removed, nobody else.
 *   mpirun -n N mpi_liars PROVERUN FOLDER KIND F [begin|end]      ranks 1 .. F lie; F is less than a third of N
 * begin: the run has `evidence: abort`, so it ends as soon as somebody is removed. end: it is resumed, nobody lies any
 * more, and those who were removed stay so. KIND: invalid (announces wrong proofs), contrary (votes against what it
 * found), equivocates (signs both), silent, outnumbers (silent, and F may be half of the ranks, for stakes come from a
 * file), late, floods (rubbish and forgeries), replays (old messages again), climbs (announces the highest attempt that
 * there is, at every job; begin: rank 0 is told to drain soon, for nobody is removed). */
#include "check.h"
#include "base/clock.h"
#include "cluster/coordinator.h"
#include "cluster/seat.h"
#include "cluster/signals.h"
#include "cluster/voter_hooks.h"
#include "cluster/worker.h"
#include "consensus/message.h"
#include "cpu/cpu_backend.h"
#include "proof/proof.h"
#include "store/store.h"
#include "votes_metrics.h"
#include "wide_fibonacci/job.h"
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS = 8 };
static const pr_job_type *const types[] = {&pr_job_wide_fibonacci, NULL};

/* ---- the lies ---- */

static pr_status send(pr_transport *t, int to, uint32_t run, const uint8_t *data, size_t size) {
    pr_wire m = {.type = PR_WIRE_VOTE};
    m.as.vote = (pr_wire_vote){run, data, size};
    return pr_transport_send(t, to, &m, NULL);
}

static bool is_vote(const pr_wire_vote *m) { return pr_message_peek(m->data, m->size) == PR_MESSAGE_VOTE; }

/* Another vote on the same proof, rightly signed. */
static bool say_both(void *context, pr_transport *t, int to, const pr_wire_vote *m, pr_ballot_keys *keys) {
    (void)context;
    pr_message vote;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    if (!is_vote(m)) return false;
    CHECK(pr_message_decode(&vote, m->data, m->size, NULL) == PR_OK);
    bool approves = vote.verdict == PR_VOTE_APPROVE;
    vote.verdict = approves ? PR_VOTE_REJECT : PR_VOTE_APPROVE;
    vote.reason = approves ? PR_VOTE_REASON_INVALID : PR_VOTE_REASON_NONE;
    const pr_crypto crypto = pr_ballot_keys_crypto(keys);
    CHECK(pr_message_sign(&vote, &crypto));
    CHECK(send(t, to, m->run, m->data, m->size) == PR_OK);
    CHECK(send(t, to, m->run, bytes, pr_message_encode(bytes, &vote)) == PR_OK);
    return true;
}

static bool say_nothing(void *context, pr_transport *t, int to, const pr_wire_vote *m, pr_ballot_keys *keys) {
    (void)context, (void)t, (void)to, (void)m, (void)keys;
    return true;
}

/* Votes come when the round has been decided. */
static bool say_late(void *context, pr_transport *t, int to, const pr_wire_vote *m, pr_ballot_keys *keys) {
    static struct {
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        size_t size;
        int to;
    } kept[64];
    static unsigned n;
    (void)context, (void)keys;
    if (!is_vote(m)) return false;
    if (n >= 64) CHECK(send(t, kept[n % 64].to, m->run, kept[n % 64].bytes, kept[n % 64].size) == PR_OK);
    memcpy(kept[n % 64].bytes, m->data, m->size);
    kept[n % 64].size = m->size;
    kept[n++ % 64].to = to;
    return true;
}

static bool say_rubbish(void *context, pr_transport *t, int to, const pr_wire_vote *m, pr_ballot_keys *keys) {
    static uint32_t seed = 1;
    uint8_t bytes[PR_MESSAGE_MAX_BYTES];
    (void)context, (void)keys;
    for (unsigned i = 0; i < 20; i++) {
        size_t size = m->size < sizeof bytes ? m->size : sizeof bytes;
        memcpy(bytes, m->data, size);
        for (unsigned k = 0; k <= i % 5; k++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[seed % size] ^= (uint8_t)(1 + (seed >> 24) % 255); /* a forgery, a job that is none, or noise */
        }
        CHECK(send(t, to, m->run, bytes, i % 7 == 0 ? size / 2 : size) == PR_OK);
    }
    return false; /* and what it has to say besides */
}

static bool say_again(void *context, pr_transport *t, int to, const pr_wire_vote *m, pr_ballot_keys *keys) {
    static uint8_t old[PR_MESSAGE_MAX_BYTES];
    static size_t size;
    (void)context, (void)keys;
    if (size) CHECK(send(t, to, m->run, old, size) == PR_OK);
    for (unsigned i = 0; i < 3; i++) CHECK(send(t, to, m->run, m->data, m->size) == PR_OK);
    if (!size && m->size <= sizeof old) memcpy(old, m->data, size = m->size);
    return false;
}

/* Once to each rank, beside what it has to say. */
static pr_manifest manifest;
static bool climb(void *context, pr_transport *t, int to, const pr_wire_vote *m, pr_ballot_keys *keys) {
    static bool told[64];
    (void)context;
    pr_message own;
    const pr_crypto crypto = pr_ballot_keys_crypto(keys);
    if (told[to % 64] || pr_message_decode(&own, m->data, m->size, NULL) != PR_OK) return false;
    told[to % 64] = true;
    for (size_t i = 0; i < manifest.n_jobs; i++) {
        uint8_t bytes[PR_MESSAGE_MAX_BYTES];
        pr_message high = {.kind = PR_MESSAGE_ANNOUNCE, .run = own.run, .signer = own.signer};
        high.subject = (pr_subject){.job = pr_job_name(manifest.jobs[i].id), .attempt = UINT32_MAX, own.signer};
        CHECK(pr_message_sign(&high, &crypto));
        CHECK(send(t, to, m->run, bytes, pr_message_encode(bytes, &high)) == PR_OK);
    }
    return false;
}

/* After ten proposals at the latest: the proofs of 2 * JOBS jobs are not all approved then. */
static bool drain_soon(void *context, pr_transport *t, int to, const pr_wire_vote *m, pr_ballot_keys *keys) {
    static unsigned n;
    (void)context, (void)t, (void)to, (void)m, (void)keys;
    if (++n == 30) CHECK(raise(SIGUSR1) == 0);
    return false;
}

static pr_proof_verdict say_the_contrary(void *context, const pr_subject *subject, pr_proof_verdict found) {
    (void)context, (void)subject;
    return found == PR_PROOF_VALID ? PR_PROOF_INVALID : found == PR_PROOF_INVALID ? PR_PROOF_VALID : found;
}

/* By a coin: a bit of the proof's hash. */
static pr_proof_verdict say_anything(void *context, const pr_subject *subject, pr_proof_verdict found) {
    return subject->proof_hash.bytes[0] & 1 ? say_the_contrary(context, subject, found) : found;
}

/* A byte of the proof is changed, and all hashes fit what came of it: only the verifier can tell. */
static pr_hash run_digest;
static void spoil(void *context, pr_record *record) {
    pr_job *job = NULL;
    pr_writer plain, packed;
    const pr_manifest_job *m = pr_manifest_find(&manifest, record->row.id);
    pr_job_row *row = &record->row;
    (void)context;
    CHECK(m && pr_job_restore(&job, m->type, &m->params, &m->config, record->public_data, (size_t)row->public_bytes,
                              NULL) == PR_OK);
    pr_writer_init(&plain);
    pr_writer_init(&packed);
    CHECK(pr_proof_decompress(&plain, &job->layout, record->proof, (size_t)row->proof_compressed_bytes) ==
          PR_DECODE_OK);
    plain.data[plain.size / 2] ^= 1;
    pr_hash hash = pr_blake2s_hash(plain.data, plain.size);
    pr_hex_encode(row->proof_hash, hash.bytes, sizeof hash.bytes);
    CHECK(pr_proof_compress(&packed, plain.data, plain.size, NULL) == PR_OK);
    free(record->proof);
    record->proof = packed.data;
    row->proof_compressed_bytes = packed.size;
    CHECK(pr_check_commitment(row->commitment, row, &run_digest));
    pr_writer_clear(&plain);
    pr_job_destroy(job);
}

typedef struct kind {
    const char *name;
    struct pr_voter_hooks hooks;
    pr_removal removal, or ; /* what it is removed for; NONE: for nothing */
} kind;
static const kind kinds[] = {
    {"invalid", {.spoil = spoil, .announces_anything = true}, PR_REMOVAL_INVALID_PROOF, 0},
    {"contrary", {.verdict = say_the_contrary}, PR_REMOVAL_WRONG_VOTE, 0},
    {"random", {.verdict = say_anything}, PR_REMOVAL_WRONG_VOTE, 0},
    {"equivocates", {.outgoing = say_both}, PR_REMOVAL_EQUIVOCATION, PR_REMOVAL_WRONG_VOTE},
    {"silent", {.outgoing = say_nothing}, PR_REMOVAL_NONE, 0},
    {"outnumbers", {.outgoing = say_nothing}, PR_REMOVAL_NONE, 0},
    {"late", {.outgoing = say_late}, PR_REMOVAL_NONE, 0},
    {"floods", {.outgoing = say_rubbish}, PR_REMOVAL_NONE, 0},
    {"replays", {.outgoing = say_again}, PR_REMOVAL_NONE, 0},
    {"climbs", {.outgoing = climb}, PR_REMOVAL_NONE, 0},
};

/* The honest have ten times the stake of each liar, and may be fewer. */
static bool has_stakes(const kind *k) { return strcmp(k->name, "outnumbers") == 0; }

static const kind *find_kind(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    CHECK(!"a kind of lie");
    return NULL;
}

/* ---- a run in two sessions ---- */

typedef enum which_part { PART_ALL, PART_BEGIN, PART_END } which_part;

/* ---- the run ---- */

static void check_results(const char *path, const kind *k, int n_liars) {
    pr_results *r = NULL;
    CHECK(pr_results_open(&r, path, NULL) == PR_OK);
    CHECK(pr_results_n_jobs(r) == manifest.n_jobs);
    for (size_t i = 0; i < manifest.n_jobs; i++) {
        const pr_job_row *row = pr_results_job(r, i);
        bool by_liar = row->prover_rank >= 1 && row->prover_rank <= n_liars;
        if (row->outcome != PR_OUTCOME_APPROVED)
            fprintf(stderr, "job %s: %s: %s\n", row->id, pr_outcome_name(row->outcome), row->reason);
        CHECK(row->outcome == PR_OUTCOME_APPROVED);
        CHECK(!(by_liar && k->hooks.spoil));
        CHECK(row->attempts >= 1 && row->attempts < 64); /* numbers go on, whatever a liar has announced */
    }
    pr_results_close(r);
}

static void check_removals(const pr_leader *l, const kind *k, int n_liars) {
    const pr_registry *registry = pr_consensus_registry(pr_voter_consensus(pr_worker_voter(l->worker)));
    unsigned n_removed = 0;
    for (uint32_t i = 0; i < registry->n; i++) {
        int32_t rank = pr_voter_rank(pr_worker_voter(l->worker), i);
        bool is_liar = rank >= 1 && rank <= n_liars;
        pr_removal removal = registry->validators[i].removal;
        if (removal != PR_REMOVAL_NONE) fprintf(stderr, "rank %d is removed: %s\n", rank, pr_removal_name(removal));
        CHECK(is_liar || removal == PR_REMOVAL_NONE);
        CHECK(removal == PR_REMOVAL_NONE || removal == k->removal || removal == k->or);
        n_removed += removal != PR_REMOVAL_NONE;
    }
    CHECK((n_removed > 0) == (k->removal != PR_REMOVAL_NONE));
}

static void lead(pr_transport *t, const pr_run_options *o, const pr_seat *seat, const kind *k, int n_liars,
                 which_part part) {
    pr_leader l;
    pr_run_report report;
    pr_stop_how how;
    pr_error e = {0};
    CHECK(pr_leader_init(&l, t, o, seat, &e) == PR_OK && pr_leader_gather(&l, &e) == PR_OK);
    pr_status status = pr_coordinator_run(&report, &l, o, NULL, NULL, &e);
    if (status != PR_OK) fprintf(stderr, "%s\n", e.text);
    CHECK(status == PR_OK);
    CHECK(report.exit_code == (part == PART_BEGIN ? 75 : 0));
    if (part != PART_BEGIN) check_results(report.results, k, n_liars);
    check_removals(&l, k, n_liars);
    if (part == PART_ALL) CHECK(votes_metrics_agree(report.results));
    CHECK(pr_leader_stop(&l, &how, report.exit_code, &e) == PR_OK && how == PR_STOP_IN_ORDER);
    pr_leader_clear(&l);
}

static const struct pr_voter_hooks *hooks_of(int rank, const kind *k, int n_liars, which_part part) {
    static const struct pr_voter_hooks drains = {.outgoing = drain_soon};
    if (part == PART_BEGIN && rank == 0 && k->removal == PR_REMOVAL_NONE) return &drains;
    return part != PART_END && rank >= 1 && rank <= n_liars ? &k->hooks : NULL;
}

static void write_jobs(FILE *f, const char *id, const char *after, unsigned jobs) {
    fprintf(f, "- {id: %s%s, type: wide_fibonacci, params: {log_rows: 6, columns: 20, seed: [0", id, after);
    for (unsigned i = 1; i < jobs; i++) fprintf(f, ", %u", i);
    fputs("]}}\n", f);
}

/* Of two sessions, the first is to end in the midst of its votes: so that no rank has proven all before they have well
 * begun, some jobs wait for the approval of the others. */
static void write_manifest(const char *path, which_part part) {
    FILE *f = fopen(path, "w");
    CHECK(f);
    fputs("version: 1\nname: liars\ndefaults: {profile: fast, retries: 20}\njobs:\n", f);
    write_jobs(f, "fib", "", part == PART_ALL ? JOBS : 2 * JOBS);
    if (part != PART_ALL) write_jobs(f, "later", ", after: fib", 20 * JOBS);
    fclose(f);
}

static const char *write_stakes(int rank, int n, const char *folder) {
    static char path[1024];
    snprintf(path, sizeof path, "%s/stakes", folder);
    FILE *f = rank == 0 ? fopen(path, "w") : NULL;
    CHECK(f || rank > 0);
    for (int i = 0; f && i < n; i++) fprintf(f, "rank-%d %d\n", i, i == 0 || i == n - 1 ? 10 : 1);
    if (f) fclose(f);
    return path;
}

int main(int argc, char **argv) {
    pr_transport t;
    pr_seat seat;
    char path[1024];
    pr_error e = {0};
    pr_wire_stop stop;
    MPI_Init(&argc, &argv);
    CHECK(argc == 5 || argc == 6);
    which_part part = argc == 5 ? PART_ALL : strcmp(argv[5], "begin") == 0 ? PART_BEGIN : PART_END;
    CHECK(pr_transport_init(&t, NULL) == PR_OK);
    int n_liars = atoi(argv[4]);
    const kind *k = find_kind(argv[3]);
    CHECK(n_liars >= 1 && (has_stakes(k) || 3 * n_liars < t.size));
    snprintf(path, sizeof path, "%s/liars.yaml", argv[2]);
    pr_signals_watch(t.rank);
    if (t.rank == 0) write_manifest(path, part);
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(pr_manifest_load(&manifest, path, types, NULL, &e) == PR_OK);
    run_digest = manifest.digest;
    const pr_seat_options options = {.proves = true, .placement = {.threads = 1}};
    CHECK(pr_seat_take(&seat, MPI_COMM_WORLD, &options, NULL) == PR_OK);
    pr_votes_config votes = pr_votes_config_defaults();
    votes.round_timeout_ms = 1000;
    votes.view_timeout_ms = 1000;
    votes.evidence = part == PART_BEGIN ? PR_EVIDENCE_ABORT : PR_EVIDENCE_DRAIN;
    snprintf(votes.stake_file, sizeof votes.stake_file, "%s",
             has_stakes(k) ? write_stakes(t.rank, t.size, argv[2]) : "");
    const pr_run_options o = {.manifest_path = path,
                              .results_dir = argv[2],
                              .votes = &votes,
                              .backend_name = "auto",
                              .backend = pr_cpu_best(),
                              .cpu_backend = pr_cpu_best(),
                              .types = types,
                              .command_line = "mpi_liars",
                              .child_program = argv[1],
                              .voter_hooks = hooks_of(t.rank, k, n_liars, part),
                              .resume = part == PART_END ? "" : NULL};
    if (t.rank == 0)
        lead(&t, &o, &seat, k, n_liars, part);
    else
        CHECK(pr_worker_run(&stop, &t, &o, &seat, &e) == PR_OK);
    pr_manifest_clear(&manifest);
    pr_seat_clear(&seat);
    pr_transport_clear(&t, true);
    MPI_Finalize();
    return 0;
}
