#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void node_init(node *s, const char *text, unsigned n) {
    pr_error err = {0};
    memset(s, 0, sizeof *s);
    if (pr_topology_load(&s->t, strchr(text, ':') ? PR_TOPOLOGY_SYNTHETIC : PR_TOPOLOGY_XML, text, &err) != PR_OK)
        fail_msg("%s", err.text);
    s->n = n;
    s->requests = calloc(n, sizeof *s->requests);
    assert_non_null(s->requests);
    for (unsigned i = 0; i < n; i++) pr_request_imagine(&s->requests[i], s->t, (int)i, true, &(pr_gpu_env){0});
}

void node_clear(node *s) {
    pr_placement_clear(&s->plan);
    pr_topology_destroy(s->t);
    free(s->requests);
}

void node_bind(node *s, unsigned rank, const char *cpus) { assert_true(pr_mask_parse(&s->requests[rank].cpus, cpus)); }

void node_plan(node *s, pr_placement_options options) {
    pr_error err = {0};
    pr_placement_clear(&s->plan);
    if (pr_placement_plan(&s->plan, s->t, s->requests, s->n, &options, &err) != PR_OK) fail_msg("%s", err.text);
    assert_int_equal(s->plan.n_places, s->n);
}

void node_expect(const node *s, unsigned rank, const char *cpus, unsigned threads) {
    char list[256];
    pr_mask_format(list, sizeof list, &s->plan.places[rank].cpus);
    assert_string_equal(list, cpus);
    assert_int_equal(s->plan.places[rank].n_threads, threads);
}

void node_expect_gpu(const node *s, unsigned rank, const char *bus_id, unsigned sharers) {
    const pr_place *p = &s->plan.places[rank];
    assert_int_equal(p->has_gpu, bus_id != NULL);
    assert_int_equal(p->gpu_sharers, sharers);
    if (bus_id) assert_string_equal(p->gpu.bus_id, bus_id);
}

void node_expect_nodes(const node *s, unsigned rank, const char *nodes) {
    char list[256];
    pr_mask_format(list, sizeof list, &s->plan.places[rank].nodes);
    assert_string_equal(list, nodes);
}
