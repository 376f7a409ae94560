/* Arena, processor, clock, randomness and log lines. */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/log.h"
#include "base/random.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <jansson.h>
#include <cmocka.h>

/* 1: a write there is a fault, of which the kernel tells without a signal. */
static int write_faults(unsigned char *at) {
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(write(pipes[1], "", 1), 1);
    ssize_t n = read(pipes[0], at, 1);
    close(pipes[0]);
    close(pipes[1]);
    return n < 0;
}

static void test_arena(void **state) {
    (void)state;
    pr_arena a;
    assert_int_equal(pr_arena_init(&a, 3 << 20, NULL), PR_OK);
    assert_int_equal(a.bytes, 4 << 20);
    unsigned char *first = pr_arena_alloc(&a, 3, 1), *second = pr_arena_alloc(&a, 100, 64);
    assert_int_equal((uintptr_t)second % 64, 0);
    assert_true(second >= first + 3);
    for (int k = 0; k < 100; k++) assert_int_equal(second[k], 0);
    size_t mark = pr_arena_mark(&a);
    unsigned char *third = pr_arena_alloc(&a, a.bytes - mark, 1);
    assert_non_null(third); /* to the last byte */
    third[a.bytes - mark - 1] = 1;
    assert_null(pr_arena_alloc(&a, 1, 1));
    assert_non_null(pr_arena_alloc(&a, 0, 1));
    assert_int_equal(a.peak, a.bytes);
    pr_arena_release(&a, mark);
    assert_int_equal(a.used, mark);
    assert_int_equal(a.peak, a.bytes);
    assert_ptr_equal(pr_arena_alloc(&a, 8, 1), third);
    assert_null(pr_arena_alloc(&a, SIZE_MAX, 1));
    assert_null(pr_arena_alloc(&a, SIZE_MAX - 10, 64));
    pr_arena_clear(&a);
    assert_null(a.base);
    pr_arena_clear(&a);
}

static size_t resident_pages(const unsigned char *at, size_t bytes) {
    unsigned char in_core[2048];
    size_t n = 0;
    assert_true(bytes / 4096 <= sizeof in_core);
    assert_int_equal(mincore((void *)(uintptr_t)at, bytes, in_core), 0);
    for (size_t k = 0; k < bytes / 4096; k++) n += in_core[k] & 1;
    return n;
}

/* From one user to the next: what the smaller has no need of holds no pages, and is closed until a larger comes. */
static void test_arena_keep(void **state) {
    (void)state;
    const size_t unit = 2 << 20;
    pr_arena_keep keep = {0};
    pr_arena a, other;
    assert_int_equal(pr_arena_take(&a, &keep, 3 * unit, NULL), PR_OK);
    assert_int_equal(a.bytes, 3 * unit);
    unsigned char *base = a.base;
    memset(base, 7, 3 * unit);
    assert_non_null(pr_arena_alloc(&a, 100, 1));
    pr_arena_give(&a, &keep, 5);
    assert_null(a.base);

    assert_int_equal(pr_arena_take(&a, &keep, unit - 1, NULL), PR_OK);
    assert_ptr_equal(a.base, base);
    assert_int_equal(keep.note, 5);
    assert_true(a.bytes == unit && a.used == 0 && a.peak == 0 && base[unit - 1] == 7);
    assert_null(pr_arena_alloc(&a, unit + 1, 1));
    assert_int_equal(resident_pages(base + unit, 2 * unit), 0);
    assert_int_equal(write_faults(base + unit), 1);
    pr_arena_give(&a, &keep, 5);

    assert_int_equal(pr_arena_take(&a, &keep, 2 * unit, NULL), PR_OK); /* opened again: the first part as it was */
    assert_ptr_equal(a.base, base);
    assert_true(base[0] == 7 && base[unit] == 0 && base[2 * unit - 1] == 0);
    assert_int_equal(write_faults(base + 2 * unit), 1);
    assert_int_equal(pr_arena_take(&other, &keep, unit, NULL), PR_OK); /* a second user: none is kept */
    assert_true(other.base != base && keep.note == 0 && other.base[0] == 0);
    pr_arena_give(&a, &keep, 9);
    pr_arena_give(&other, &keep, 8); /* one is enough */
    assert_null(other.base);
    assert_ptr_equal(keep.arena.base, base);
    assert_int_equal(keep.note, 9);

    assert_int_equal(pr_arena_take(&a, &keep, 4 * unit, NULL), PR_OK); /* too large: fresh */
    assert_true(a.bytes == 4 * unit && keep.note == 0 && a.base[0] == 0);
    pr_arena_give(&a, &keep, 1);
    assert_int_equal(pr_arena_take(&a, &keep, SIZE_MAX, NULL), PR_ERR_MEMORY);
    assert_null(keep.arena.base);
    assert_int_equal(pr_arena_take(&a, NULL, unit, NULL), PR_OK);
    pr_arena_give(&a, NULL, 1);
    assert_null(a.base);
    pr_arena_keep_clear(&keep);
}

static void test_arena_refused(void **state) {
    (void)state;
    pr_arena a;
    pr_error err = {0};
    assert_int_equal(pr_arena_init(&a, SIZE_MAX, &err), PR_ERR_MEMORY);
    assert_int_equal(pr_arena_init(&a, SIZE_MAX / 4, &err), PR_ERR_MEMORY);
    assert_non_null(strstr(err.text, "bytes"));
    assert_null(a.base);
}

/* In a child, as the answer is found once. Returns the processor's isa, or -1. */
static int isa_under(const char *wish) {
    pid_t child = fork();
    if (child == 0) {
        if (wish)
            setenv("PROVERUN_CPU", wish, 1);
        else
            unsetenv("PROVERUN_CPU");
        _exit((int)pr_cpu_isa());
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

static void test_cpu(void **state) {
    (void)state;
    int best = isa_under(NULL);
    assert_true(best >= 0 && best < PR_ISA_COUNT);
    for (int isa = 0; isa < PR_ISA_COUNT; isa++) /* lowers, never raises */
        assert_int_equal(isa_under(pr_isa_name((pr_isa)isa)), isa < best ? isa : best);
    assert_int_equal(isa_under("z80"), best);
    assert_int_equal(isa_under(""), best);
    assert_true(pr_cpu_has(PR_ISA_SCALAR) && pr_cpu_has(pr_cpu_isa()));
    if (pr_cpu_isa() < PR_ISA_AVX512) assert_false(pr_cpu_has(PR_ISA_AVX512));
    assert_true(pr_cpu_count() >= 1);
    char text[256], cut[8];
    pr_cpu_describe(text, sizeof text);
    assert_non_null(strstr(text, pr_isa_name(pr_cpu_isa())));
    pr_cpu_describe(cut, sizeof cut);
    assert_int_equal(strlen(cut), sizeof cut - 1);
    assert_string_equal(pr_isa_name((pr_isa)77), "unknown");
}

static void test_cpu_limit(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        pr_isa before = pr_cpu_isa();
        pr_cpu_limit(PR_ISA_AVX512); /* never raises */
        bool kept = pr_cpu_isa() == before;
        pr_cpu_limit(PR_ISA_SCALAR);
        _exit(kept && pr_cpu_isa() == PR_ISA_SCALAR && !pr_cpu_has(PR_ISA_AVX2) ? 0 : 1);
    }
    int status = 1;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
}

static void test_clock(void **state) {
    (void)state;
    uint64_t before = pr_clock_monotonic_ns();
    for (int k = 0; k < 1000; k++) {
        uint64_t now = pr_clock_monotonic_ns();
        assert_true(now >= before);
        before = now;
    }
    assert_true(pr_clock_wall_ns() > 1600000000ull * 1000000000ull);
    char text[32];
    pr_clock_iso8601(text, 0);
    assert_string_equal(text, "1970-01-01T00:00:00.000000000Z");
    pr_clock_iso8601(text, 1795495237123456789ull);
    assert_string_equal(text, "2026-11-24T04:40:37.123456789Z");
    pr_clock_iso8601(text, 951782400000000001ull); /* a leap day in a century that has one */
    assert_string_equal(text, "2000-02-29T00:00:00.000000001Z");
    pr_clock_iso8601(text, UINT64_MAX);
    assert_int_equal(strlen(text), 30);
    assert_true(pr_peak_rss_bytes() > 100 * 1024);
}

static void test_random(void **state) {
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_int_equal(pr_random_bytes(a, sizeof a, NULL), PR_OK);
    assert_int_equal(pr_random_bytes(b, sizeof b, NULL), PR_OK);
    assert_int_equal(pr_random_bytes(NULL, 0, NULL), PR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    pr_prng g = {1}, h = {1};
    for (int k = 0; k < 1000; k++) {
        assert_true(pr_prng_next(&g) == pr_prng_next(&h));
        assert_true(pr_prng_below(&g, 10) < 10);
        (void)pr_prng_below(&h, 10);
    }
    pr_prng zero = {0};
    assert_true(pr_prng_next(&zero) == 0xe220a8397b1dcdafull); /* splitmix64's first output for seed 0 */
}

/* Runs write with standard error in a file; text gets what came, the caller frees it. */
static void capture(uint8_t **text, void (*write)(void)) {
    char path[] = "/tmp/proverun-log-XXXXXX";
    int file = mkstemp(path), kept = dup(STDERR_FILENO);
    assert_true(file >= 0 && kept >= 0);
    dup2(file, STDERR_FILENO);
    write();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(file);
    size_t size;
    assert_int_equal(pr_file_read(text, &size, path, 1 << 20, NULL), PR_OK);
    unlink(path);
}

static void write_text_lines(void) {
    pr_log_init(PR_LOG_TEXT, PR_LOG_INFO, -1);
    pr_log(PR_LOG_DEBUG, "base", "not shown");
    pr_log(PR_LOG_WARN, "base", "two\nlines %d", 5);
    pr_log_init(PR_LOG_TEXT, PR_LOG_DEBUG, 3);
    pr_log_set_trace(0xab);
    pr_log(PR_LOG_DEBUG, "base", "shown");
    pr_log_set_trace(0);
}

static void test_log_text(void **state) {
    (void)state;
    uint8_t *captured;
    capture(&captured, write_text_lines);
    char *text = (char *)captured;
    assert_null(strstr(text, "not shown"));
    assert_non_null(strstr(text, "Z warn  base: two lines 5\n"));
    assert_non_null(strstr(text, "Z debug [3] base: shown (trace 00000000000000ab)\n"));
    free(text);
}

static void write_json_lines(void) {
    char huge[5000];
    memset(huge, 'h', sizeof huge - 1);
    huge[sizeof huge - 1] = 0;
    pr_log_init(PR_LOG_JSON, PR_LOG_INFO, 2);
    pr_log_set_trace(7);
    pr_log(PR_LOG_ERROR, "ba\"se", "quote \" slash \\ tab \t bell \a line\n umlaut \xc3\xa4");
    pr_log_set_trace(0);
    pr_log(PR_LOG_INFO, "base", "%s", huge);
}

static void test_log_json(void **state) {
    (void)state;
    uint8_t *captured;
    capture(&captured, write_json_lines);
    char *text = (char *)captured, *end = strchr(text, '\n');
    assert_non_null(end);
    json_t *line = json_loadb(text, (size_t)(end - text), 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(line, "module")), "ba\"se");
    assert_string_equal(json_string_value(json_object_get(line, "trace")), "0000000000000007");
    assert_int_equal(json_integer_value(json_object_get(line, "rank")), 2);
    assert_string_equal(json_string_value(json_object_get(line, "message")),
                        "quote \" slash \\ tab \t bell \a line\n umlaut \xc3\xa4");
    json_decref(line);
    line = json_loads(end + 1, 0, NULL); /* the long message is cut, the line is whole */
    assert_non_null(line);
    assert_null(json_object_get(line, "trace"));
    json_decref(line);
    free(text);
}

enum { THREADS = 4, LINES = 200 };

static void *log_many(void *number) {
    pr_log_set_trace(*(uint64_t *)number);
    for (int k = 0; k < LINES; k++) pr_log(PR_LOG_INFO, "thread", "line %d of %d", k, LINES);
    return NULL;
}

static void write_from_threads(void) {
    pr_log_init(PR_LOG_JSON, PR_LOG_INFO, -1);
    pthread_t threads[THREADS];
    uint64_t numbers[THREADS] = {1, 2, 3, 4};
    for (int k = 0; k < THREADS; k++) assert_int_equal(pthread_create(&threads[k], NULL, log_many, &numbers[k]), 0);
    for (int k = 0; k < THREADS; k++) pthread_join(threads[k], NULL);
}

/* Lines of several threads do not mix, and each bears its own trace. */
static void test_log_threads(void **state) {
    (void)state;
    uint8_t *captured;
    capture(&captured, write_from_threads);
    char *text = (char *)captured, *rest = text;
    int per_trace[THREADS + 1] = {0};
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        unsigned long trace = strtoul(json_string_value(json_object_get(object, "trace")), NULL, 16);
        assert_true(trace >= 1 && trace <= THREADS);
        per_trace[trace]++;
        json_decref(object);
    }
    for (int k = 1; k <= THREADS; k++) assert_int_equal(per_trace[k], LINES);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu), /* first: its children must be the ones to ask first */
        cmocka_unit_test(test_arena_keep),    cmocka_unit_test(test_cpu_limit), cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arena_refused), cmocka_unit_test(test_clock),     cmocka_unit_test(test_random),
        cmocka_unit_test(test_log_text),      cmocka_unit_test(test_log_json),  cmocka_unit_test(test_log_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
