/* The poison backend: memory closed between operations, poisoned when fresh. */
#include "fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include "cpu/device.h"

/* Whether a child that reads (and, if asked, writes) the word dies of it. */
static bool dies(volatile uint32_t *word, bool writes) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (writes)
            *word = 1;
        else
            (void)*word;
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

static void memory_is_closed(void **unused) {
    (void)unused;
    fixture f;
    fixture_open(&f, &pr_backend_poison, 1, 4096, 4);
    uint32_t *behind = pr_cpu_col(f.dev, fixture_col(&f, 5));
    assert_true(dies(behind, false));
    assert_true(dies(behind, true));
    pr_col col = {0, 5};
    assert_int_equal(f.ops->zero(f.dev, &col, 1, NULL), PR_OK);
    assert_true(dies(behind, false));
    fixture_close(&f);
}

static void fresh_memory_is_no_field_element(void **unused) {
    (void)unused;
    fixture f;
    fixture_open(&f, &pr_backend_poison, 1, 4096, 4);
    pr_col col = fixture_col(&f, 5);
    pr_m31 *v = fixture_download(&f, col), *host;
    for (int i = 0; i < 32; i++) assert_true(v[i] >= PR_P);
    assert_int_equal(f.ops->map_write(f.dev, &host, &col, 1, NULL), PR_OK);
    for (int i = 0; i < 32; i++) assert_true(host[i] >= PR_P);
    assert_int_equal(f.ops->unmap_write(f.dev, &host, &col, 1, NULL), PR_OK);
    free(v);
    fixture_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_is_closed),
                                       cmocka_unit_test(fresh_memory_is_no_field_element)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
