/* Which device a process proves on, among devices that the emulation makes up: by bus id however CUDA numbers them, a
 * slice as the only visible one, and an error rather than another device. Asking whether there is one calls nothing
 * that would load the driver, for a rank's supervisor asks before it starts its child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "cuda/cuda_backend.h"

static const char *const bus_ids[] = {"0000:10:00.0", "0000:18:00.0", "0000:50:00.0", "0000:50:00.0"},
                         *const uuids[] = {"GPU-aa", "GPU-bb", "MIG-cc", "MIG-dd"};

/* NULL: not set. */
static void set_environment(const char *visible, const char *bus_id) {
    unsetenv("CUDA_VISIBLE_DEVICES");
    unsetenv("PROVERUN_GPU");
    if (visible) setenv("CUDA_VISIBLE_DEVICES", visible, 1);
    if (bus_id) setenv("PROVERUN_GPU", bus_id, 1);
    pr_cuda_emu_make_devices(bus_ids, uuids, 4);
    pr_cuda_emu_reset();
}

static pr_status make_device(pr_error *err) {
    const pr_device_needs needs = {.n_threads = 1, .arena_bytes = 4096, .max_log_rows = 5};
    pr_device *dev = NULL;
    pr_status status = pr_backend_cuda_emu.device_create(&dev, &needs, err);
    pr_backend_cuda_emu.device_destroy(dev);
    return status;
}

static void expect_selected(const char *visible, const char *bus_id, int wanted) {
    unsigned n_calls;
    pr_error err = {0};
    set_environment(visible, bus_id);
    if (make_device(&err) != PR_OK) fail_msg("%s", err.text);
    assert_int_equal(pr_cuda_emu_selected_device(&n_calls), wanted);
}

static void test_by_bus_id(void **state) {
    (void)state;
    expect_selected(NULL, NULL, 0);
    expect_selected(NULL, "", 0);
    expect_selected(NULL, "0000:18:00.0", 1);
    expect_selected("1,0", "0000:10:00.0", 0); /* renumbered: it is CUDA's second */
    expect_selected("1", "0000:18:00.0", 1);
    expect_selected("GPU-b", "0000:18:00.0", 1);
}

static void test_slices(void **state) {
    (void)state;
    expect_selected("MIG-cc", "", 2);
    expect_selected("MIG-dd", "", 3); /* of the same GPU: only its name tells it apart */
}

static void expect_none(const char *visible, const char *bus_id, const char *text) {
    unsigned n_calls;
    pr_error err = {0};
    set_environment(visible, bus_id);
    assert_int_equal(make_device(&err), PR_ERR_BACKEND);
    if (!strstr(err.text, text)) fail_msg("'%s' says nothing of '%s'", err.text, text);
    assert_int_equal(pr_cuda_emu_selected_device(&n_calls), -1);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
}

static void test_never_another(void **state) {
    (void)state;
    expect_none("1", "0000:10:00.0", "GPU 0000:10:00.0, this prover's place, is not among those that CUDA sees");
    expect_none("7,1", "0000:18:00.0", "0000:18:00.0"); /* the list ends at an entry that names none */
    expect_none("", "", "no device is visible");
}

/* What CUDA takes for no device at all is seen without a call of it. */
static void test_hidden(void **state) {
    static const char *const none[] = {"", "-1", "NoDevFiles", "none", " "}, *const some[] = {"0", " 1,0", "GPU-aa",
                                                                                              "MIG-cc"};
    (void)state;
    for (size_t k = 0; k < sizeof none / sizeof *none; k++) {
        set_environment(none[k], NULL);
        if (pr_backend_cuda_emu.available()) fail_msg("'%s'", none[k]);
    }
    for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
        set_environment(some[k], NULL);
        if (!pr_backend_cuda_emu.available()) fail_msg("'%s'", some[k]);
    }
}

static void test_asking_loads_nothing(void **state) {
    unsigned n_calls;
    (void)state;
    set_environment(NULL, "0000:18:00.0");
    assert_true(pr_backend_cuda_emu.available());
    (void)pr_cuda_emu_selected_device(&n_calls);
    assert_int_equal(n_calls, 0);
    assert_int_equal(make_device(NULL), PR_OK);
    (void)pr_cuda_emu_selected_device(&n_calls);
    assert_int_equal(n_calls, 2); /* looked up, selected: the device's first calls */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_bus_id), cmocka_unit_test(test_slices),
                                       cmocka_unit_test(test_never_another), cmocka_unit_test(test_hidden),
                                       cmocka_unit_test(test_asking_loads_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
