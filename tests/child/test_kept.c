/* Memory that a child keeps from one job to the next: for whom, for how long, and what records say of it. */
#include "child/kept.h"
#include "base/clock.h"
#include "cpu/cpu_backend.h"
#include "support.h"
#include "work/work.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

/* ---- in this process, without the clock ---- */

static void tell(void *context, uint32_t stage) {
    if (stage >= PR_WORK_STAGE_PROVER) pr_child_kept_prove(context);
}

/* As the child does it; the proof's bytes must not depend on what memory held. */
static uint64_t prove_here(const fixture *f, pr_child_kept *k, uint32_t job, char hash[65]) {
    const pr_work work = {.backend = pr_cpu_best(),
                          .threads = 1,
                          .rank = 4,
                          .host = "here",
                          .manifest_digest = &f->run_digest,
                          .memory = &k->memory};
    const pr_work_watch watch = {tell, k};
    pr_record r;
    pr_error e = {0};
    pr_child_kept_begin(k);
    if (pr_work_prove_watched(&r, &work, &f->manifest.jobs[job], &watch, &e) != PR_OK) fail_msg("%s", e.text);
    strcpy(hash, r.row.proof_hash);
    const uint64_t peak = pr_child_kept_peak(k, r.row.peak_rss_bytes);
    pr_record_clear(&r);
    return peak;
}

static void write_available(const char *root, uint64_t bytes) {
    char path[256];
    snprintf(path, sizeof path, "%s/proc", root);
    (void)mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "MemTotal: 1 kB\nMemAvailable: %llu kB\n", (unsigned long long)bytes / 1024);
    fclose(file);
}

/* The larger job's memory serves the smaller one, whose record does not count it. */
static void test_serves_the_next(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* it keeps what is freed, has memory of its own, and is slow */
#endif
    fixture f;
    pr_child_kept k = {0};
    char first[65], again[65], small[65];
    create(&f, NULL);
    const uint64_t wide = prove_here(&f, &k, WIDE, first);
    const unsigned char *base = k.memory.arena.base;
    assert_non_null(base);
    assert_true(k.memory.arena.bytes > 60 * MIB && wide > k.memory.arena.bytes);
    memset(k.memory.arena.base, 0xd5, k.memory.arena.bytes);
    k.memory.note = 0;
    (void)prove_here(&f, &k, WIDE, again);
    assert_string_equal(first, again);
    assert_ptr_equal(k.memory.arena.base, base);
    const uint64_t peak = prove_here(&f, &k, FIB, small);
    assert_ptr_equal(k.memory.arena.base, base);
    assert_true(k.memory.arena.bytes < 8 * MIB);
    assert_true(peak + 50 * MIB < wide);
    assert_true(resident_kib(getpid()) * 1024ul + 50 * MIB < wide);
    (void)prove_here(&f, &k, WIDE, again); /* opened again */
    assert_ptr_equal(k.memory.arena.base, base);
    assert_string_equal(first, again);
    (void)prove_here(&f, &k, WIDER, again);
    assert_true(k.memory.arena.bytes > 80 * MIB);
    pr_child_kept_clear(&k);
    assert_null(k.memory.arena.base);
    end_fixture(&f);
}

/* Where memory is short another rank may have been promised it. */
static void test_only_where_there_is_plenty(void **state) {
    (void)state;
    char root[] = "/tmp/proverun-kept-XXXXXX", command[64];
    pr_child_kept k = {0};
    pr_arena a;
    assert_non_null(mkdtemp(root));
    static const struct {
        uint64_t bytes, available;
        bool may_stay, stays;
    } cases[] = {{64 * MIB, 256 * MIB, true, true},   {64 * MIB, 255 * MIB, true, false},
                 {64 * MIB, 256 * MIB, false, false}, {16 * MIB, 1 * MIB, true, true},
                 {16 * MIB, 512 * MIB, false, false}, {18 * MIB, 0, true, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_available(root, cases[i].available);
        assert_int_equal(pr_arena_take(&a, &k.memory, cases[i].bytes, NULL), PR_OK);
        pr_arena_give(&a, &k.memory, 0);
        pr_child_kept_end(&k, cases[i].may_stay, root);
        if ((k.memory.arena.base != NULL) != cases[i].stays) fail_msg("case %zu", i);
        pr_child_kept_clear(&k);
    }
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

/* ---- in a child ---- */

static uint64_t prove(fixture *f, uint32_t job) {
    submit(f, job, 0, PR_FAULT_NONE, 0);
    pr_child_event e = expect(f, PR_CHILD_PROVED);
    const uint64_t peak = e.record.row.peak_rss_bytes;
    pr_child_event_clear(&e);
    return peak;
}

static void expect_small(fixture *f, const char *when) {
    for (int waited = 0; resident_kib(pr_child_pid(f->child)) > 48 << 10; waited++) {
        if (waited == 12000) fail_msg("%s it holds %lu KiB", when, resident_kib(pr_child_pid(f->child)));
        usleep(10000);
    }
}

static void test_given_back(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip();
#endif
    fixture f;
    begin_fixture(&f);
    prove(&f, SEALED);
    assert_true(resident_kib(pr_child_pid(f.child)) < 48 << 10); /* before anybody was told */
    const uint64_t wide = prove(&f, WIDE), small = prove(&f, FIB);
    assert_true(wide > 60 * MIB);
    if (small > 48 * MIB) fail_msg("peaks of %llu and %llu", (unsigned long long)wide, (unsigned long long)small);
    prove(&f, WIDE);
    submit(&f, MISSING, 0, PR_FAULT_NONE, 0);
    pr_child_event failed = expect(&f, PR_CHILD_FAILED);
    assert_true(resident_kib(pr_child_pid(f.child)) < 48 << 10);
    pr_child_event_clear(&failed);
    prove(&f, WIDE);
    expect_small(&f, "idle");
    end_fixture(&f);
}

/* RLIMIT_DATA has room for the larger proof, not for what was kept beside it. */
static void test_never_both(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip();
#endif
    fixture f;
    pr_child_options o = start_options();
    o.memory_limit_bytes = 130 * MIB;
    create(&f, &o);
    start(&f);
    static const uint32_t jobs[] = {WIDE, WIDER, FIB, WIDER, WIDE, WIDE, WIDER};
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) prove(&f, jobs[i]);
    end_fixture(&f);
}

int main(int argc, char **argv) {
    int code = pr_test_child_main(argc, argv);
    if (code >= 0) return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serves_the_next),
        cmocka_unit_test(test_only_where_there_is_plenty),
        cmocka_unit_test(test_given_back),
        cmocka_unit_test(test_never_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
