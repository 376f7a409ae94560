/* Nothing is allocated once a proof is planned, but the proof itself. Calls from our code are counted in every run (the
 * linker wraps them): exactly one. With one thread every call of the process counts, those of the C library and of the
 * OpenMP runtime included, but for the first run, in which the runtime starts. With several threads it makes a team
 * anew whenever its size changes: that is its own, and not counted here. Not under sanitizers, whose allocator is
 * another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include "casefile/casefile.h"
#include "cpu/cpu_backend.h"
#include "proof/internal.h"
#include "prove/prove.h"

static atomic_size_t n_all, n_ours, n_bytes;

/* ---- the process's allocator ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    n_all++;
    return __libc_malloc(size);
}
void *calloc(size_t n, size_t size) {
    n_all++;
    return __libc_calloc(n, size);
}
void *realloc(void *old, size_t size) {
    n_all++;
    return __libc_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    n_all++;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void **out, size_t alignment, size_t size) {
    n_all++;
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : ENOMEM;
}

/* ---- calls from our code ---- */

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);

static void note(size_t bytes) {
    n_ours++;
    n_bytes += bytes;
}
void *__wrap_malloc(size_t size) { return note(size), malloc(size); }
void *__wrap_calloc(size_t n, size_t size) { return note(n * size), calloc(n, size); }
void *__wrap_realloc(void *old, size_t size) { return note(size), realloc(old, size); }
void *__wrap_aligned_alloc(size_t alignment, size_t size) { return note(size), aligned_alloc(alignment, size); }
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    note(size);
    return __real_mmap(address, size, protection, flags, file, offset);
}

/* ---- the test ---- */

static void run_counted(pr_prover *p, pr_case *c, bool counts_all) {
    pr_trace_source source = {.context = c, .fill = pr_case_fill_trace};
    pr_proof proof = {0};
    size_t all = n_all, ours = n_ours, bytes = n_bytes;
    pr_status status = pr_prover_run(p, &proof, &source, NULL, NULL, NULL, NULL);
    all = n_all - all, ours = n_ours - ours, bytes = n_bytes - bytes;
    assert_int_equal(status, PR_OK);
    assert_int_equal(ours, 1);
    assert_int_equal(bytes, pr_proof_content_bytes(&proof));
    if (counts_all) assert_int_equal(all, 1);
    pr_proof_clear(&proof);
}

static void prove_counted(const char *path, uint32_t n_queries, const pr_backend *backend, unsigned n_threads) {
    pr_case c;
    pr_layout layout;
    pr_prover *p = NULL;
    pr_prover_options options = {.backend = backend, .n_threads = n_threads};
    assert_int_equal(pr_case_load(&c, path, NULL), PR_OK);
    c.statement.config.n_queries = n_queries;
    assert_int_equal(pr_layout_init(&layout, &c.statement, NULL), PR_OK);
    size_t before = n_ours;
    assert_int_equal(pr_prover_create(&p, &layout, &options, NULL), PR_OK);
    assert_true(n_ours > before + 1); /* what the plan takes is seen */
    for (int k = 0; k < 3; k++) run_counted(p, &c, n_threads == 1 && k > 0);
    pr_prover_destroy(p);
    pr_layout_clear(&layout);
    pr_case_clear(&c);
}

static void test_nothing_is_allocated(void **state) {
    static const pr_backend *const backends[] = {&pr_backend_scalar, &pr_backend_avx2, &pr_backend_avx512};
    static const char *const paths[] = {PR_TEST_VECTORS "/cases/xor4_l9.json",
                                        PR_TEST_VECTORS "/cases/mixed_sizes_8_5_unused_l6.json",
                                        PR_TEST_VECTORS "/cases/wide_fibonacci_l8_c20_fold3_last2.json"};
    (void)state;
    for (size_t b = 0; b < sizeof backends / sizeof *backends; b++)
        for (size_t k = 0; k < sizeof paths / sizeof *paths && backends[b]->available(); k++) {
            prove_counted(paths[k], 3000, backends[b], 1);
            prove_counted(paths[k], 3000, backends[b], 3);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_is_allocated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
