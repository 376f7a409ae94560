/* Plans on imagined nodes. */
#ifndef PR_TESTS_PLACEMENT_SUPPORT_H
#define PR_TESTS_PLACEMENT_SUPPORT_H
#include "placement/placement.h"

typedef struct node {
    pr_topology *t;
    pr_request *requests; /* [n] */
    unsigned n;
    pr_placement plan;
} node;

/* n ranks that all see everything. text with a ':' is a synthetic description, else an XML file. */
void node_init(node *s, const char *text, unsigned n);
void node_clear(node *s);
/* Given processors of one rank. */
void node_bind(node *s, unsigned rank, const char *cpus);
/* Plans again from the requests. */
void node_plan(node *s, pr_placement_options options);
/* "cpus threads" of a rank, e.g. "0-7 x8". */
void node_expect(const node *s, unsigned rank, const char *cpus, unsigned threads);
void node_expect_gpu(const node *s, unsigned rank, const char *bus_id, unsigned sharers);
void node_expect_nodes(const node *s, unsigned rank, const char *nodes);
#endif
