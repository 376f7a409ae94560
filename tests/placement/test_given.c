/* Ranks that launcher, Slurm or cgroup gave something of their own. */
#include "support.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const pr_placement_options defaults = {0};

static void imagine(node *s, unsigned rank, const char *cuda, const char *step) {
    pr_request_imagine(&s->requests[rank], s->t, (int)rank, true, &(pr_gpu_env){cuda, step, NULL});
}

static void own_processors_are_kept(void **state) {
    node s;
    (void)state;
    node_init(&s, "pack:2 core:4 pu:1", 2);
    node_bind(&s, 0, "4-6");
    node_bind(&s, 1, "0-2");
    node_plan(&s, defaults);
    node_expect(&s, 0, "4-6", 3);
    node_expect(&s, 1, "0-2", 3);
    node_expect_nodes(&s, 0, "0");
    assert_int_equal(s.plan.n_idle_cores, 2);
    assert_false(s.plan.one_core_trap);
    assert_string_equal(s.plan.advice, "");
    node_clear(&s);
}

static void cgroup_for_all(void **state) {
    node s;
    (void)state;
    node_init(&s, "numa:2 core:4 pu:2", 2);
    for (unsigned i = 0; i < 2; i++) {
        node_bind(&s, i, "2-5,9-11"); /* cores 1, 2, half of 4, and 5 */
        s.requests[i].allowed = s.requests[i].cpus;
    }
    node_plan(&s, defaults);
    node_expect(&s, 0, "2-5", 2);
    node_expect(&s, 1, "9-11", 2);
    assert_int_equal(s.plan.n_cores, 4);
    node_clear(&s);
}

/* A cgroup as hwloc tells it: the whole machine is there, a part of it is allowed. */
static void processors_that_are_not_allowed(void **state) {
    char path[] = "placement-XXXXXX.xml";
    uint8_t *text;
    size_t size;
    node s;
    (void)state;
    assert_int_equal(pr_file_read(&text, &size, PR_TEST_XML, 1 << 20, NULL), PR_OK);
    char *allowed = strstr((char *)text, " allowed_cpuset=\"0x0000ffff\"");
    assert_non_null(allowed);
    memcpy(strstr(allowed, "0x0000ffff"), "0x00000f0c", 10);
    FILE *f = fdopen(mkstemps(path, 4), "w");
    assert_non_null(f);
    fwrite(text, 1, size, f);
    fclose(f);
    free(text);
    node_init(&s, path, 2);
    unlink(path);
    node_plan(&s, (pr_placement_options){.gpu_use = PR_GPU_IGNORE, .widen = true});
    node_expect(&s, 0, "2-3", 2);
    node_expect(&s, 1, "8-11", 4);
    assert_int_equal(s.plan.n_cores, 6);
    node_plan(&s, defaults);
    node_expect_gpu(&s, 1, "0000:50:00.0", 1);
    node_expect(&s, 1, "8-11", 4);
    node_clear(&s);
}

/* 8 cores of one L3 group and 3 of another: whole groups would give one rank more than twice the cores of the other. */
static void unfair_units_are_divided(void **state) {
    node s;
    (void)state;
    node_init(&s, "l3:2 core:8 pu:1", 2);
    for (unsigned i = 0; i < 2; i++) node_bind(&s, i, "0-10");
    node_plan(&s, defaults);
    node_expect(&s, 0, "0-4", 5);
    node_expect(&s, 1, "5-10", 6);
    for (unsigned i = 0; i < 2; i++) node_bind(&s, i, "0-11");
    node_plan(&s, defaults);
    node_expect(&s, 0, "0-7", 8);
    node_expect(&s, 1, "8-11", 4);
    node_clear(&s);
}

static void overlapping_processors(void **state) {
    node s;
    (void)state;
    node_init(&s, "core:8 pu:1", 3);
    node_bind(&s, 0, "0-3");
    node_bind(&s, 1, "0-7");
    node_bind(&s, 2, "0-7");
    node_plan(&s, defaults);
    node_expect(&s, 0, "0-1", 2); /* the others count on half of its cores */
    node_expect(&s, 1, "2-4", 3);
    node_expect(&s, 2, "5-7", 3);
    node_clear(&s);
}

static void near_the_gpu_within_what_was_given(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 2);
    node_bind(&s, 0, "4-11");
    node_bind(&s, 1, "0-3,12-15");
    imagine(&s, 0, "6", NULL);
    imagine(&s, 1, "0", NULL);
    node_bind(&s, 0, "4-11");
    node_bind(&s, 1, "0-3,12-15");
    node_plan(&s, defaults);
    node_expect(&s, 0, "8-11", 4);
    node_expect(&s, 1, "0-3", 4);
    node_clear(&s);
}

static void bound_away_from_the_gpu(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 1);
    imagine(&s, 0, "0", NULL);
    node_bind(&s, 0, "12-15");
    node_plan(&s, defaults);
    node_expect(&s, 0, "12-15", 4);
    node_expect_nodes(&s, 0, "1");
    assert_non_null(strstr(s.plan.advice, "rank 0 is bound away from its GPU"));
    assert_non_null(strstr(s.plan.places[0].why, "near processors 0-7, but it was given others"));
    node_clear(&s);
}

/* Bound to packages by the launcher, all GPUs visible: each takes one of its own side. */
static void gpu_near_the_binding(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 2);
    node_bind(&s, 0, "8-15");
    node_bind(&s, 1, "0-7");
    node_plan(&s, defaults);
    node_expect_gpu(&s, 0, "0000:50:00.0", 1);
    node_expect_gpu(&s, 1, "0000:10:00.0", 1);
    node_clear(&s);
}

static void slurm_one_gpu_a_task(void **state) {
    static const char *const step[] = {"0", "3", "5", "7"};
    static const char *const buses[] = {"0000:10:00.0", "0000:28:00.0", "0000:58:00.0", "0000:68:00.0"};
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 4);
    for (unsigned i = 0; i < 4; i++) imagine(&s, i, "0", step[i]); /* cgroups: all see 0 */
    node_plan(&s, defaults);
    for (unsigned i = 0; i < 4; i++) {
        node_expect_gpu(&s, i, buses[i], 1);
        assert_string_equal(s.plan.places[i].gpu.token, "0");
        assert_int_equal(s.plan.places[i].n_threads, 4);
    }
    node_expect(&s, 1, "4-7", 4);
    assert_int_equal(s.plan.n_idle_gpus, 0); /* the other four are not ours */
    assert_string_equal(s.plan.advice, "");
    node_clear(&s);
}

static void slurm_list_for_all_tasks(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 2);
    for (unsigned i = 0; i < 2; i++) imagine(&s, i, "2,3", "2,3");
    node_plan(&s, defaults);
    node_expect_gpu(&s, 0, "0000:20:00.0", 1);
    node_expect_gpu(&s, 1, "0000:28:00.0", 1);
    assert_string_equal(s.plan.places[1].gpu.token, "3");
    node_expect(&s, 0, "0-3", 4);
    node_expect(&s, 1, "4-7", 4);
    node_clear(&s);
}

/* Who sees one GPU only must not find it taken by somebody with a choice. */
static void narrow_lists_choose_first(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 2);
    imagine(&s, 0, "0,1", NULL);
    imagine(&s, 1, "0", NULL);
    node_plan(&s, defaults);
    node_expect_gpu(&s, 0, "0000:18:00.0", 1);
    node_expect_gpu(&s, 1, "0000:10:00.0", 1);
    node_clear(&s);
}

static void slices_of_one_gpu(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 2);
    for (unsigned i = 0; i < 2; i++) {
        s.requests[i].n_gpus = 2;
        for (unsigned k = 0; k < 2; k++) {
            pr_gpu *gpu = &s.requests[i].gpus[k];
            memset(gpu, 0, sizeof *gpu);
            snprintf(gpu->bus_id, sizeof gpu->bus_id, "0000:60:00.0");
            snprintf(gpu->uuid, sizeof gpu->uuid, "MIG-%u", k);
            memcpy(gpu->token, gpu->uuid, sizeof gpu->token);
            gpu->is_mig = 1;
            gpu->bytes = (uint64_t)(k + 1) << 33;
        }
    }
    node_plan(&s, defaults);
    for (unsigned i = 0; i < 2; i++) {
        node_expect_gpu(&s, i, "0000:60:00.0", 1);
        assert_int_equal(s.plan.places[i].device_bytes, (uint64_t)(i + 1) << 33);
    }
    assert_string_equal(s.plan.places[1].gpu.token, "MIG-1");
    node_expect(&s, 0, "8-11", 4);
    node_expect(&s, 1, "12-15", 4);
    node_clear(&s);
}

static void gpus_of_unknown_place(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 2);
    imagine(&s, 0, "GPU-a", NULL);
    imagine(&s, 1, "GPU-b", NULL);
    node_plan(&s, defaults);
    node_expect_gpu(&s, 0, "", 1);
    node_expect(&s, 0, "0-7", 8);
    node_expect(&s, 1, "8-15", 8);
    assert_non_null(strstr(s.plan.places[0].why, "place of its GPU is not known"));
    assert_non_null(strstr(s.plan.advice, "rank 0: without NVML"));
    node_clear(&s);
}

static void the_one_core_trap(void **state) {
    node s;
    (void)state;
    node_init(&s, "core:8 pu:2", 2);
    node_bind(&s, 0, "0-1");
    node_bind(&s, 1, "2-3");
    node_plan(&s, defaults);
    node_expect(&s, 0, "0-1", 1); /* told, not overruled */
    assert_true(s.plan.one_core_trap);
    assert_non_null(strstr(s.plan.advice, "--bind-to none"));
    assert_non_null(strstr(s.plan.advice, "slot:PE=4"));
    node_plan(&s, (pr_placement_options){.widen = true});
    node_expect(&s, 0, "0-7", 4);
    node_expect(&s, 1, "8-15", 4);
    assert_false(s.plan.one_core_trap);
    node_bind(&s, 1, "2-5"); /* somebody has two cores: meant so */
    node_plan(&s, defaults);
    assert_false(s.plan.one_core_trap);
    node_clear(&s);
}

static void one_core_is_no_trap_when_that_is_all(void **state) {
    node s;
    (void)state;
    node_init(&s, "core:3 pu:1", 2);
    node_bind(&s, 0, "0");
    node_bind(&s, 1, "1");
    node_plan(&s, defaults); /* only one core is left: nothing to gain for both */
    assert_false(s.plan.one_core_trap);
    for (unsigned i = 0; i < 2; i++) s.requests[i].allowed = s.requests[i].cpus; /* srun -c 1 with cgroups */
    node_plan(&s, defaults);
    assert_false(s.plan.one_core_trap);
    assert_int_equal(s.plan.n_idle_cores, 0);
    node_clear(&s);
}

/* The cgroup's memory, less the reserve, in the ratio of cores; no NUMA node gives more than it has. */
static void memory_limits(void **state) {
    node s;
    (void)state;
    node_init(&s, PR_TEST_XML, 4);
    for (unsigned i = 0; i < 4; i++) s.requests[i].available_bytes = (uint64_t)(64 + i) << 30;
    node_plan(&s, (pr_placement_options){.gpu_use = PR_GPU_IGNORE});
    assert_int_equal(s.plan.host_bytes, (uint64_t)60 << 30);
    for (unsigned i = 0; i < 4; i++) assert_int_equal(s.plan.places[i].host_bytes, (uint64_t)15 << 30);
    for (unsigned i = 0; i < 4; i++) s.requests[i].available_bytes = (uint64_t)1 << 50;
    node_plan(&s, (pr_placement_options){.gpu_use = PR_GPU_IGNORE});
    assert_int_equal(s.plan.host_bytes, (uint64_t)128 << 30);
    for (unsigned i = 0; i < 4; i++) { /* cgroup: memory of node 1 only */
        memset(&s.requests[i].nodes, 0, sizeof s.requests[i].nodes);
        pr_mask_set(&s.requests[i].nodes, 1);
    }
    node_plan(&s, (pr_placement_options){.gpu_use = PR_GPU_IGNORE});
    assert_int_equal(s.plan.host_bytes, (uint64_t)64 << 30);
    node_clear(&s);
}

static void nothing_given(void **state) {
    node s;
    pr_error err = {0};
    pr_placement plan;
    (void)state;
    node_init(&s, "core:4 pu:1", 1);
    node_bind(&s, 0, "100-101");
    assert_int_equal(pr_placement_plan(&plan, s.t, s.requests, 1, &defaults, &err), PR_ERR_USAGE);
    assert_non_null(strstr(err.text, "rank 0"));
    node_clear(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_processors_are_kept),
        cmocka_unit_test(cgroup_for_all),
        cmocka_unit_test(processors_that_are_not_allowed),
        cmocka_unit_test(unfair_units_are_divided),
        cmocka_unit_test(overlapping_processors),
        cmocka_unit_test(near_the_gpu_within_what_was_given),
        cmocka_unit_test(bound_away_from_the_gpu),
        cmocka_unit_test(gpu_near_the_binding),
        cmocka_unit_test(slurm_one_gpu_a_task),
        cmocka_unit_test(slurm_list_for_all_tasks),
        cmocka_unit_test(narrow_lists_choose_first),
        cmocka_unit_test(slices_of_one_gpu),
        cmocka_unit_test(gpus_of_unknown_place),
        cmocka_unit_test(the_one_core_trap),
        cmocka_unit_test(one_core_is_no_trap_when_that_is_all),
        cmocka_unit_test(memory_limits),
        cmocka_unit_test(nothing_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
