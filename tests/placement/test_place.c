/* A place on its way to a child, and its use. */
#include "placement/placement.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static pr_place sample(void) {
    pr_place p = {.n_threads = 8, .host_bytes = (uint64_t)1 << 36, .has_gpu = true};
    assert_true(pr_mask_parse(&p.cpus, "0-3,8-11"));
    assert_true(pr_mask_parse(&p.nodes, "1"));
    snprintf(p.gpu.token, sizeof p.gpu.token, "GPU-1234");
    snprintf(p.gpu.bus_id, sizeof p.gpu.bus_id, "0000:10:00.0");
    return p;
}

static void text_and_back(void **state) {
    (void)state;
    pr_place p = sample(), q;
    pr_error err = {0};
    char *text = pr_place_format(&p);
    assert_string_equal(text, "cpus=0-3,8-11;nodes=1;threads=8;bytes=68719476736;gpu=GPU-1234;bus=0000:10:00.0");
    assert_int_equal(pr_place_parse(&q, text, &err), PR_OK);
    assert_true(pr_mask_equal(&p.cpus, &q.cpus) && pr_mask_equal(&p.nodes, &q.nodes));
    assert_int_equal(q.n_threads, 8);
    assert_int_equal(q.host_bytes, p.host_bytes);
    assert_true(q.has_gpu);
    assert_string_equal(q.gpu.token, "GPU-1234");
    assert_string_equal(q.gpu.bus_id, "0000:10:00.0");
    free(text);
    p.gpu.is_mig = true; /* a slice shares its GPU's bus id */
    text = pr_place_format(&p);
    assert_non_null(strstr(text, ";gpu=GPU-1234;bus="));
    assert_int_equal(pr_place_parse(&q, text, &err), PR_OK);
    assert_string_equal(q.gpu.bus_id, "");
    free(text);
}

static void widest_mask(void **state) {
    (void)state;
    pr_place p = {.n_threads = 1}, q;
    pr_error err = {0};
    for (unsigned i = 0; i < PR_MAX_CPUS; i += 2) pr_mask_set(&p.cpus, i);
    char *text = pr_place_format(&p);
    assert_int_equal(pr_place_parse(&q, text, &err), PR_OK);
    assert_true(pr_mask_equal(&p.cpus, &q.cpus));
    assert_false(q.has_gpu);
    free(text);
}

static void rubbish_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "cpus=0",
        "cpus=;nodes=;threads=1;bytes=0;gpu=;bus=",
        "cpus=0;nodes=x;threads=1;bytes=0;gpu=;bus=",
        "cpus=0;nodes=;threads=0;bytes=0;gpu=;bus=",
        "cpus=0;nodes=;threads=-1;bytes=0;gpu=;bus=",
        "cpus=0;nodes=;threads=9999999999;bytes=0;gpu=;bus=",
        "cpus=0;nodes=;threads=1;bytes=99999999999999999999;gpu=;bus=",
        "cpus=0;nodes=;threads=1;bytes=0",
        "cpus=0;nodes=;threads=1;bytes=0;gpu=a",
        "cpus=0;nodes=;threads=1;bytes=0;gpu=a;bus=b;more=1",
        "cpus=0;nodes=;threads=1;bytes=0;gpu=a;bus=0000:0000:0000:0000:0000",
        "nodes=;cpus=0;threads=1;bytes=0;gpu=;bus=",
        "cpus=0;nodes=;threads=1;bytes=0;gpu=0123456789012345678901234567890123456789012345678901234567890123;bus=",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pr_place p;
        pr_error err = {0};
        if (pr_place_parse(&p, bad[i], &err) != PR_ERR_MALFORMED) fail_msg("'%s' was taken", bad[i]);
    }
}

/* In a child: the processes of the other tests stay as they are. Exit code: the line that failed. */
#define CHECK(e)                                                                                                       \
    do {                                                                                                               \
        if (!(e)) _exit(__LINE__ & 127);                                                                               \
    } while (0)

/* MPOL_PREFERRED or MPOL_PREFERRED_MANY, not MPOL_BIND (2) nor the default (0). */
static bool prefers_memory(void) {
    int mode = -1;
    return syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) == 0 && (mode == 1 || mode == 5);
}

static void apply_one_cpu(unsigned cpu, bool gpu) {
    pr_place p = {.n_threads = 1, .has_gpu = gpu};
    pr_error err = {0};
    char note[256];
    cpu_set_t now;
    pr_mask_set(&p.cpus, cpu);
    pr_mask_set(&p.nodes, 0);
    snprintf(p.gpu.token, sizeof p.gpu.token, "3");
    snprintf(p.gpu.bus_id, sizeof p.gpu.bus_id, "0000:10:00.0");
    CHECK(pr_place_apply(&p, note, sizeof note, &err) == PR_OK);
    CHECK(sched_getaffinity(0, sizeof now, &now) == 0);
    CHECK(CPU_COUNT(&now) == 1 && CPU_ISSET(cpu, &now));
    if (!note[0]) CHECK(prefers_memory());
    CHECK(strcmp(getenv("CUDA_VISIBLE_DEVICES"), gpu ? "3" : "") == 0);
    CHECK(strcmp(getenv("CUDA_DEVICE_ORDER"), "PCI_BUS_ID") == 0);
    CHECK(strcmp(getenv("PROVERUN_GPU"), gpu ? "0000:10:00.0" : "") == 0);
    _exit(0);
}

static void expect_applied(bool gpu) {
    cpu_set_t now;
    int status;
    unsigned last = 0;
    assert_int_equal(sched_getaffinity(0, sizeof now, &now), 0);
    for (unsigned i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &now)) last = i;
    pid_t pid = fork();
    if (pid == 0) apply_one_cpu(last, gpu);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void binds_with_a_gpu(void **state) {
    (void)state;
    expect_applied(true);
}

static void binds_and_hides_gpus(void **state) {
    (void)state;
    expect_applied(false);
}

static void processors_that_are_not_there(void **state) {
    (void)state;
    pr_place p = {.n_threads = 1};
    pr_error err = {0};
    char note[256];
    pr_mask_set(&p.cpus, PR_MAX_CPUS - 1);
    assert_int_equal(pr_place_apply(&p, note, sizeof note, &err), PR_ERR_INTERNAL);
    assert_non_null(strstr(err.text, "sched_setaffinity"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_back),        cmocka_unit_test(widest_mask),
        cmocka_unit_test(rubbish_is_refused),   cmocka_unit_test(binds_with_a_gpu),
        cmocka_unit_test(binds_and_hides_gpus), cmocka_unit_test(processors_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
