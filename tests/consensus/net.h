/* A small network of consensus machines for tests: messages in a queue, timers by hand, proofs whose first byte says
 * whether they are valid, and a keyed digest for signatures (a node's secret is a function of its public key, so any
 * test can sign for anybody). */
#ifndef TEST_CONSENSUS_NET_H
#define TEST_CONSENSUS_NET_H
#include "consensus/batch.h"
#include "consensus/consensus.h"

enum { NET_MAX = 16, NET_TIMERS = 64, NET_RECORDS = 4096, NET_QUEUE = 16384 };

typedef struct net_bytes {
    uint8_t *data;
    size_t size;
} net_bytes;

typedef struct net_packet {
    uint32_t from, to;
    net_bytes bytes;
} net_packet;

typedef struct net_node {
    struct net *net;
    uint32_t index;
    pr_consensus *c;
    uint8_t key[PR_PUBLIC_KEY_BYTES];
    bool timer_on[NET_TIMERS];
    net_bytes records[NET_RECORDS];
    size_t n_records;
    pr_subject wanted[256]; /* VERIFY not answered yet */
    size_t n_wanted;
    bool silent; /* it sends nothing */
    bool deaf;   /* it gets nothing */
    bool blind;  /* its verifier cannot tell */
    uint64_t n_outcomes[PR_ROUND_OUTCOMES], refused[PR_REFUSALS], votes, frauds, removed;
    uint64_t view_changes[PR_VIEW_REASONS];
    pr_round_outcome outcome; /* the last one */
    bool out_of_order;        /* a message left before its record was written */
    net_bytes batch;
} net_node;

typedef struct net {
    uint32_t n;
    net_node nodes[NET_MAX];
    net_packet *queue; /* [NET_QUEUE] */
    size_t head, tail;
    pr_consensus_terms terms;
    uint32_t retries, max_open;
    bool (*admits)(void *context, const pr_subject *subject); /* from the next net_restart of a node on */
} net;

pr_crypto net_crypto(net_node *node);
void net_key(uint8_t key[PR_PUBLIC_KEY_BYTES], uint32_t index);

/* n nodes of stake 1 each, or of stakes[i]; all know jobs "job-0" .. "job-9". Not started until net_start. */
net *net_create(uint32_t n, const uint64_t *stakes, uint32_t committee_size);
void net_start(net *w);
void net_destroy(net *w);
/* The same node anew, from its records. */
void net_restart(net *w, uint32_t i);

pr_subject net_subject(const char *job, uint32_t attempt, uint32_t prover, bool valid, uint8_t salt);
void net_announce(net *w, const pr_subject *subject);
void net_step(net *w); /* delivers one message that is on its way */
/* Delivers and verifies until nothing is left to do. */
void net_run(net *w);
/* Every running round timer (view timer) runs out once, then net_run. */
void net_expire_rounds(net *w);
void net_expire_views(net *w);
/* Signs as validator `as`, whoever that is; returns the size. */
size_t net_sign(const net *w, uint8_t out[PR_MESSAGE_MAX_BYTES], pr_message *m, uint32_t as);
pr_message net_vote(const net *w, const pr_subject *subject, uint32_t voter, pr_vote_verdict verdict);
void net_deliver(net *w, uint32_t to, uint32_t from, const uint8_t *data, size_t size);
pr_round_outcome net_outcome(const net *w, uint32_t node, const pr_subject *subject);
/* A registry as an auditor would have it: everybody, with those marked removed that node i has evidence against. */
void net_registry(const net *w, uint32_t i, pr_registry *out);
#endif
