/* Ranks that were given the whole node: GPUs, cores, memory. */
#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const char *const buses[] = {"0000:10:00.0", "0000:18:00.0", "0000:20:00.0", "0000:28:00.0",
                                    "0000:50:00.0", "0000:58:00.0", "0000:60:00.0", "0000:68:00.0"};
static const pr_placement_options defaults = {0}, no_gpus = {.gpu_use = PR_GPU_IGNORE};

static void a_rank_a_gpu(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 8);
    node_plan(&s, defaults);
    for (unsigned i = 0; i < 8; i++) {
        char cpus[16];
        snprintf(cpus, sizeof cpus, "%u-%u", 2 * i, 2 * i + 1);
        node_expect(&s, i, cpus, 2);
        node_expect_gpu(&s, i, buses[i], 1);
        node_expect_nodes(&s, i, i < 4 ? "0" : "1");
        assert_int_equal(s.plan.places[i].host_bytes, (uint64_t)16 << 30);
    }
    assert_int_equal(s.plan.n_gpus, 8);
    assert_int_equal(s.plan.n_idle_gpus + s.plan.n_idle_cores, 0);
    assert_string_equal(s.plan.advice, "");
    assert_non_null(strstr(s.plan.places[5].why, "8-15, near its GPU, are divided between 4 ranks"));
    node_clear(&s);
}

static void fewer_ranks_than_gpus(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 2);
    node_plan(&s, defaults);
    node_expect_gpu(&s, 0, buses[0], 1); /* one a package: the cores and memory of both are used */
    node_expect_gpu(&s, 1, buses[4], 1);
    node_expect(&s, 0, "0-7", 8);
    node_expect(&s, 1, "8-15", 8);
    assert_int_equal(s.plan.n_idle_gpus, 6);
    assert_non_null(strstr(s.plan.advice, "6 of 8 GPUs have no rank: start 8 proving ranks"));
    node_clear(&s);
    node_init(&s, PR_TEST_XML, 1);
    node_plan(&s, defaults);
    node_expect_gpu(&s, 0, buses[0], 1);
    node_expect(&s, 0, "0-7", 8); /* the far package's cores would only be in the way of its memory */
    assert_int_equal(s.plan.places[0].host_bytes, (uint64_t)128 << 30); /* nobody else wants that memory */
    node_clear(&s);
}

static void more_ranks_than_gpus_share(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 16);
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < 8; k++) s.requests[i].gpus[k].bytes = (uint64_t)80 << 30;
    node_plan(&s, defaults);
    for (unsigned i = 0; i < 16; i++) {
        char cpus[8];
        snprintf(cpus, sizeof cpus, "%u", i);
        node_expect_gpu(&s, i, buses[i / 2], 2);
        node_expect(&s, i, cpus, 1);
        assert_int_equal(s.plan.places[i].device_bytes, (uint64_t)40 << 30);
        assert_false(s.plan.places[i].shares_cores);
    }
    assert_int_equal(s.plan.device_bytes, (uint64_t)640 << 30);
    node_clear(&s);
}

/* The ranks beyond prove on processors, and get a fair part of the cores. */
static void more_ranks_than_gpus_single(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 16);
    node_plan(&s, (pr_placement_options){.gpu_use = PR_GPU_SINGLE});
    for (unsigned i = 0; i < 16; i++) {
        node_expect_gpu(&s, i, i < 8 ? buses[i] : NULL, i < 8);
        assert_int_equal(s.plan.places[i].n_cores, 1);
        assert_false(s.plan.places[i].shares_cores);
    }
    assert_int_equal(s.plan.n_idle_cores, 0);
    assert_non_null(strstr(s.plan.places[15].why, "all GPUs have their rank"));
    node_clear(&s);
}

static void processors_only(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 2);
    node_plan(&s, no_gpus);
    node_expect_gpu(&s, 0, NULL, 0);
    node_expect(&s, 0, "0-7", 8);
    node_expect(&s, 1, "8-15", 8);
    node_expect_nodes(&s, 1, "1");
    assert_int_equal(s.plan.places[1].host_bytes, (uint64_t)64 << 30);
    assert_int_equal(s.plan.n_gpus, 0);
    node_clear(&s);
}

static void one_rank_takes_all(void **state) {
    node s;
    (void)state;
    node_init(&s, "pack:2 numa:2 l3:2 core:4 pu:2", 1);
    node_plan(&s, defaults);
    node_expect(&s, 0, "0-63", 32);
    node_expect_nodes(&s, 0, "0-3");
    assert_int_equal(s.plan.places[0].host_bytes, s.plan.host_bytes);
    node_clear(&s);
}

/* 8 L3 groups of 4 cores of 2 threads, 2 a NUMA node, 2 of these a package. */
static void whole_units(void **state) {
    static const struct {
        unsigned n;
        const char *cpus[8];
    } cases[] = {
        {2, {"0-31", "32-63"}},                                                     /* packages */
        {4, {"0-15", "16-31", "32-47", "48-63"}},                                   /* NUMA nodes */
        {8, {"0-7", "8-15", "16-23", "24-31", "32-39", "40-47", "48-55", "56-63"}}, /* L3 groups */
        {3, {"0-15", "16-31", "32-63"}},                                            /* 1 package for the last */
        {6, {"0-7", "8-15", "16-31", "32-39", "40-47", "48-63"}},                   /* nobody over a node */
    };
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        node s;
        node_init(&s, "pack:2 numa:2 l3:2 core:4 pu:2", cases[c].n);
        node_plan(&s, defaults);
        for (unsigned i = 0; i < cases[c].n && c < 3; i++) node_expect(&s, i, cases[c].cpus[i], 32 / cases[c].n);
        for (unsigned i = 0; i < cases[c].n; i++) node_expect(&s, i, cases[c].cpus[i], s.plan.places[i].n_cores);
        node_clear(&s);
    }
}

/* 3 L3 groups for 2 ranks: whole groups, though one rank gets twice as much; 7 ranks on 2 groups: none in both. */
static void whole_l3_groups_as_long_as_fair(void **state) {
    node s;
    (void)state;
    node_init(&s, "l3:3 core:4 pu:1", 2);
    node_plan(&s, defaults);
    node_expect(&s, 0, "0-7", 8);
    node_expect(&s, 1, "8-11", 4);
    node_clear(&s);
    node_init(&s, "l3:2 core:6 pu:1", 7);
    node_plan(&s, defaults);
    for (unsigned i = 0; i < 7; i++) {
        const pr_mask *m = &s.plan.places[i].cpus;
        bool first = pr_mask_has(m, 0) || pr_mask_has(m, 1) || pr_mask_has(m, 2) || pr_mask_has(m, 3) ||
                     pr_mask_has(m, 4) || pr_mask_has(m, 5);
        for (unsigned k = 6; k < 12; k++) assert_false(first && pr_mask_has(m, k));
    }
    node_clear(&s);
}

static void hyperthreads_stay_together(void **state) {
    node s;
    (void)state;
    node_init(&s, "core:4 pu:2", 2);
    node_plan(&s, defaults);
    node_expect(&s, 0, "0-3", 2);
    node_expect(&s, 1, "4-7", 2);
    node_plan(&s, (pr_placement_options){.smt = true});
    node_expect(&s, 1, "4-7", 4);
    node_clear(&s);
    node_init(&s, "core:4 pu:2", 4);
    node_plan(&s, defaults);
    node_expect(&s, 2, "4-5", 1);
    node_clear(&s);
    node_init(&s, "core:2 pu:4", 3); /* a hyperthread is no core: two ranks share one */
    node_plan(&s, defaults);
    assert_true(s.plan.places[0].shares_cores && s.plan.places[2].shares_cores && !s.plan.places[1].shares_cores);
    node_clear(&s);
}

static void more_ranks_than_cores(void **state) {
    node s;
    (void)state;
    node_init(&s, "core:2 pu:1", 5);
    node_plan(&s, defaults);
    for (unsigned i = 0; i < 5; i++) {
        node_expect(&s, i, i % 2 ? "1" : "0", 1);
        assert_true(s.plan.places[i].shares_cores);
    }
    assert_non_null(strstr(s.plan.advice, "5 ranks share cores"));
    assert_non_null(strstr(s.plan.places[0].why, "too few"));
    node_clear(&s);
}

static void threads_as_told(void **state) {
    node s;
    (void)state;
    node_init(&s, "core:4 pu:1", 2);
    node_plan(&s, (pr_placement_options){.threads = 1});
    node_expect(&s, 0, "0-1", 1);
    assert_string_equal(s.plan.advice, "");
    node_plan(&s, (pr_placement_options){.threads = 3});
    node_expect(&s, 0, "0-1", 3);
    assert_non_null(strstr(s.plan.advice, "3 threads on 2 processors"));
    node_clear(&s);
}

static void coordinator_leaves_its_cores(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 9);
    s.requests[0].proves = 0;
    node_plan(&s, defaults);
    node_expect(&s, 0, "0-15", 1);
    node_expect_gpu(&s, 0, NULL, 0);
    assert_int_equal(s.plan.places[0].host_bytes, 0);
    assert_int_equal(s.plan.n_provers, 8);
    for (unsigned i = 1; i < 9; i++) {
        node_expect_gpu(&s, i, buses[i - 1], 1);
        assert_int_equal(s.plan.places[i].n_threads, 2);
    }
    node_clear(&s);
    node_init(&s, "core:2 pu:1", 1); /* a node with a coordinator and nobody else */
    s.requests[0].proves = 0;
    node_plan(&s, defaults);
    node_expect(&s, 0, "0-1", 1);
    assert_int_equal(s.plan.n_idle_cores, 2);
    assert_false(s.plan.one_core_trap);
    node_clear(&s);
}

/* Grace: the bus tells the wrong cores. */
static void gpu_cpus_by_hand(void **state) {
    pr_gpu_cpus by_hand[2];
    pr_error err = {0};
    node s;
    (void)state;
    assert_int_equal(pr_gpu_cpus_parse(&by_hand[0], "00000000:10:00.0=8-11", &err), PR_OK);
    assert_int_equal(pr_gpu_cpus_parse(&by_hand[1], "50:00.0=0-3", &err), PR_OK);
    node_init(&s, PR_TEST_XML, 2);
    for (unsigned i = 0; i < 2; i++) pr_request_imagine(&s.requests[i], s.t, (int)i, true, &(pr_gpu_env){"0,4", 0, 0});
    node_plan(&s, (pr_placement_options){.gpu_cpus = by_hand, .n_gpu_cpus = 2});
    node_expect_gpu(&s, 0, buses[0], 1);
    node_expect(&s, 0, "8-11", 4);
    node_expect_nodes(&s, 0, "1");
    node_expect(&s, 1, "0-3", 4);
    pr_placement plan;
    assert_int_equal(pr_gpu_cpus_parse(&by_hand[1], "51:00.0=0-3", &err), PR_OK);
    assert_int_equal(pr_placement_plan(&plan, s.t, s.requests, 2,
                                       &(pr_placement_options){.gpu_cpus = by_hand, .n_gpu_cpus = 2}, &err),
                     PR_ERR_USAGE);
    assert_non_null(strstr(err.text, "0000:51:00.0"));
    assert_int_equal(pr_gpu_cpus_parse(&by_hand[1], "50:00.0=90-91", &err), PR_OK);
    assert_int_equal(pr_placement_plan(&plan, s.t, s.requests, 2,
                                       &(pr_placement_options){.gpu_cpus = by_hand, .n_gpu_cpus = 2}, &err),
                     PR_ERR_USAGE);
    static const char *const bad[] = {"", "=0", "50:00.0", "50:00.0=", "50:00.0=x", "x=0", "50:00.0=0=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(pr_gpu_cpus_parse(&by_hand[0], bad[i], &err), PR_ERR_USAGE);
    node_clear(&s);
}

/* A plan in one text, as people see it. */
static char *text_of(void (*print)(pr_writer *, const pr_placement *, const pr_topology *), const node *s) {
    pr_writer w;
    pr_writer_init(&w);
    print(&w, &s->plan, s->t);
    pr_write_u8(&w, 0);
    assert_false(w.failed);
    return (char *)w.data;
}

static void drawing_and_json(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 4);
    node_plan(&s, defaults);
    char *drawing = text_of(pr_placement_draw, &s), *json = text_of(pr_placement_json, &s);
    const char *node0 = strstr(drawing, "NUMA node 0  processors 0-7"), *node1 = strstr(drawing, "NUMA node 1"),
               *rank1 = strstr(drawing, "rank 1"), *rank2 = strstr(drawing, "rank 2     GPU 0000:50:00.0");
    assert_true(node0 && node0 < rank1 && rank1 < node1 && node1 < rank2);
    assert_non_null(strstr(drawing, "4 of 8 GPUs used"));
    assert_non_null(strstr(json, "\"bus_id\":\"0000:50:00.0\""));
    assert_non_null(strstr(json, "\"cpus\":\"8-11\""));
    assert_int_equal(json[strlen(json) - 1], '\n');
    pr_writer owner = {.data = (uint8_t *)drawing};
    pr_writer_clear(&owner);
    owner = (pr_writer){.data = (uint8_t *)json};
    pr_writer_clear(&owner);
    node_clear(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rank_a_gpu),
        cmocka_unit_test(fewer_ranks_than_gpus),
        cmocka_unit_test(more_ranks_than_gpus_share),
        cmocka_unit_test(more_ranks_than_gpus_single),
        cmocka_unit_test(processors_only),
        cmocka_unit_test(one_rank_takes_all),
        cmocka_unit_test(whole_units),
        cmocka_unit_test(whole_l3_groups_as_long_as_fair),
        cmocka_unit_test(hyperthreads_stay_together),
        cmocka_unit_test(more_ranks_than_cores),
        cmocka_unit_test(threads_as_told),
        cmocka_unit_test(coordinator_leaves_its_cores),
        cmocka_unit_test(gpu_cpus_by_hand),
        cmocka_unit_test(drawing_and_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
