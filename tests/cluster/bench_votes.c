/* How many votes rank 0 can take: the machines of N validators on one thread, with real signatures, and rank 0's
 * records on the disk. What counts is the processor time of rank 0's machine.
 *
 *   bench_votes FOLDER VALIDATORS COMMITTEE JOBS
 *
 * prints one JSON object. */
#include "cluster/ballot_keys.h"
#include "cluster/votelog.h"
#include "consensus/consensus.h"
#include "starkcurve/key.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(e_)                                                                                                      \
    do {                                                                                                               \
        if (!(e_)) {                                                                                                   \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #e_);                                           \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

enum { MAX_NODES = 64 };

typedef struct letter { /* a message on its way, or (size 0) a proof to judge */
    struct letter *next;
    uint32_t from, to;
    pr_subject subject;
    size_t size;
    uint8_t data[];
} letter;

typedef struct node {
    uint32_t index;
    pr_secret_key *key;
    pr_ballot_keys *keys;
    pr_consensus *machine;
} node;

static node nodes[MAX_NODES];
static uint32_t n_nodes;
static letter *first, **last = &first;
static pr_votelog *votelog;
static uint64_t n_votes, n_approved, n_records, rank_0_ns;

static void post(uint32_t from, uint32_t to, const pr_consensus_action *a) {
    letter *l = calloc(1, sizeof *l + a->size);
    CHECK(l);
    l->from = from;
    l->to = to;
    l->subject = a->subject;
    l->size = a->size;
    if (a->size) memcpy(l->data, a->data, a->size);
    *last = l;
    last = &l->next;
}

static void act(void *context, const pr_consensus_action *a) {
    const node *n = context;
    if (a->kind == PR_CONSENSUS_SEND) post(n->index, a->to, a);
    if (a->kind == PR_CONSENSUS_VERIFY) post(n->index, n->index, a);
    for (uint32_t i = 0; a->kind == PR_CONSENSUS_BROADCAST && i < n_nodes; i++)
        if (i != n->index) post(n->index, i, a);
    if (n->index != 0) return;
    if (a->kind == PR_CONSENSUS_PERSIST) n_records = pr_votelog_append(votelog, a->data, a->size);
    if (a->kind == PR_CONSENSUS_METRIC && a->metric == PR_COUNT_VOTE) n_votes++;
    if (a->kind == PR_CONSENSUS_OUTCOME) n_approved += a->outcome == PR_ROUND_APPROVED;
}

static void begin(node *n, uint32_t committee) {
    pr_consensus_config config = {.terms = {.run = pr_run_name("bench"), .committee_size = committee},
                                  .round_timeout_ms = 60000,
                                  .view_timeout_ms = 60000,
                                  .retries = 2,
                                  .max_open_rounds = 64};
    memcpy(config.public_key, n->key->public_key, sizeof config.public_key);
    CHECK(pr_ballot_keys_create(&n->keys, n->key, NULL) == PR_OK);
    const pr_crypto crypto = pr_ballot_keys_crypto(n->keys);
    CHECK(pr_consensus_create(&n->machine, &config, &crypto, (pr_consensus_sink){n, act}, NULL) == PR_OK);
}

static pr_hash job_name(uint32_t job) {
    char id[32];
    snprintf(id, sizeof id, "job-%u", job);
    return pr_job_name(id);
}

static void set_up(uint32_t committee, uint32_t n_jobs) {
    for (uint32_t i = 0; i < n_nodes; i++) {
        nodes[i].index = i;
        CHECK(pr_secret_key_generate(&nodes[i].key, NULL) == PR_OK);
        begin(&nodes[i], committee);
    }
    for (uint32_t i = 0; i < n_nodes; i++) {
        for (uint32_t job = 0; job < n_jobs; job++) {
            const pr_hash name = job_name(job);
            CHECK(pr_consensus_add_job(nodes[i].machine, &name, NULL) == PR_OK);
        }
        for (uint32_t k = 0; k < n_nodes; k++)
            CHECK(pr_consensus_register(nodes[i].machine, nodes[k].key->public_key, 1, NULL) == PR_OK);
        pr_consensus_start(nodes[i].machine);
    }
}

static uint64_t thread_ns(void) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void deliver(const letter *l) {
    pr_consensus *c = nodes[l->to].machine;
    uint64_t start = thread_ns();
    if (l->size)
        pr_consensus_receive(c, l->from, l->data, l->size);
    else
        pr_consensus_verified(c, &l->subject, PR_PROOF_VALID, PR_VOTE_REASON_NONE);
    if (l->to == 0) rank_0_ns += thread_ns() - start;
}

static void run_job(uint32_t job) {
    node *prover = &nodes[1 + job % (n_nodes - 1)];
    const pr_subject s = {.job = job_name(job),
                          .attempt = 1,
                          .prover = prover->index,
                          .statement = {{1}},
                          .proof_hash = {{(uint8_t)job, (uint8_t)(job >> 8), 2}}};
    CHECK(pr_consensus_announce(prover->machine, &s, NULL) == PR_OK);
    while (first) {
        letter *l = first;
        first = l->next;
        if (!first) last = &first;
        deliver(l);
        free(l);
    }
}

static void wait_for_the_disk(void) {
    pr_votelog_hurry(votelog);
    while (pr_votelog_durable(votelog) < n_records) CHECK(pr_votelog_check(votelog, NULL) == PR_OK);
}

static pr_status see_nothing(void *context, const uint8_t *record, size_t size, pr_error *err) {
    (void)context, (void)record, (void)size, (void)err;
    return PR_OK;
}

int main(int argc, char **argv) {
    char path[1024];
    CHECK(argc == 5);
    n_nodes = (uint32_t)atoi(argv[2]);
    uint32_t committee = (uint32_t)atoi(argv[3]), n_jobs = (uint32_t)atoi(argv[4]);
    CHECK(n_nodes >= 2 && n_nodes <= MAX_NODES && committee > 0 && n_jobs > 0 && n_jobs < 65536);
    snprintf(path, sizeof path, "%s/0.journal", argv[1]);
    CHECK(pr_votelog_open(&votelog, path, "bench", see_nothing, NULL, NULL) == PR_OK);
    set_up(committee, n_jobs);
    for (uint32_t job = 0; job < n_jobs; job++) run_job(job);
    wait_for_the_disk();
    CHECK(n_approved == n_jobs);
    double seconds = (double)rank_0_ns / 1e9;
    printf("{\"validators\":%u,\"committee\":%u,\"jobs\":%u,\"votes\":%llu,\"records\":%llu,\"rank_0_seconds\":%.4f,"
           "\"votes_per_second\":%.0f,\"rank_0_us_per_job\":%.1f}\n",
           n_nodes, committee, n_jobs, (unsigned long long)n_votes, (unsigned long long)n_records, seconds,
           (double)n_votes / seconds, seconds * 1e6 / n_jobs);
    for (uint32_t i = 0; i < n_nodes; i++) {
        pr_consensus_destroy(nodes[i].machine);
        pr_ballot_keys_destroy(nodes[i].keys);
        pr_secret_key_destroy(nodes[i].key);
    }
    pr_votelog_close(votelog);
    return 0;
}
