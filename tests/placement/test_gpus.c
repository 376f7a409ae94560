/* Which GPUs a rank sees: lists of CUDA and Slurm, NVML or the PCI bus, MIG. */
#include "placement/internal.h"
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static pr_topology *dgx;
static pr_request seen;

static int load(void **state) {
    (void)state;
    return pr_topology_load(&dgx, PR_TOPOLOGY_XML, PR_TEST_XML, NULL) == PR_OK ? 0 : -1;
}

static int unload(void **state) {
    (void)state;
    pr_topology_destroy(dgx);
    return 0;
}

/* "bus token;bus token;..." of what was chosen, buses by their second field. */
static void expect_seen(const char *want) {
    char got[1024] = "";
    for (uint32_t i = 0; i < seen.n_gpus; i++) {
        size_t at = strlen(got);
        const char *bus = seen.gpus[i].bus_id;
        snprintf(got + at, sizeof got - at, "%s%.2s=%s", i ? " " : "", bus[0] ? bus + 5 : "??", seen.gpus[i].token);
    }
    assert_string_equal(got, want);
}

static void by_pci(const char *cuda, const char *step, const char *job, const char *want) {
    pr_request_imagine(&seen, dgx, 0, true, &(pr_gpu_env){cuda, step, job});
    expect_seen(want);
}

static void pci_order_without_lists(void **state) {
    (void)state;
    by_pci(NULL, NULL, NULL, "10=0 18=1 20=2 28=3 50=4 58=5 60=6 68=7");
    assert_string_equal(seen.note, "");
    assert_string_equal(seen.gpus[0].name, "NVIDIA [10de:2330]");
}

static void lists_of_indices(void **state) {
    (void)state;
    by_pci("2,3", NULL, NULL, "20=2 28=3");
    by_pci(" 7 , 0", NULL, NULL, "68=7 10=0");
    by_pci("5", "5", "4,5,6,7", "58=5"); /* --gpus-per-task=1 */
    assert_string_equal(seen.note, "");
    by_pci("", NULL, NULL, "");
    by_pci("-1", NULL, NULL, "");
    by_pci("NoDevFiles", NULL, NULL, "");
    assert_string_equal(seen.note, "");
}

/* As CUDA does: what follows a bad entry does not count. */
static void bad_entries_end_the_list(void **state) {
    (void)state;
    by_pci("1,8,2", NULL, NULL, "18=1");
    assert_non_null(strstr(seen.note, "'8'"));
    by_pci("0,x", NULL, NULL, "10=0");
    assert_non_null(strstr(seen.note, "'x'"));
    by_pci("3,3,4", NULL, NULL, "28=3 50=4");
    assert_non_null(strstr(seen.note, "twice"));
}

/* With cgroups every task sees 0 ..: Slurm tells which they are, the token stays as CUDA wants it. */
static void renumbered_by_cgroups(void **state) {
    (void)state;
    by_pci("0", "6", "4,5,6,7", "60=0");
    by_pci("0,1", "2,3", NULL, "20=0 28=1");
    by_pci("0,1", "4-5", NULL, "50=0 58=1");
    by_pci("0,1", NULL, "6,7", "60=0 68=1");
    by_pci("0", "2,3", NULL, "10=0"); /* another number of entries: not the same list */
    by_pci("0", NULL, "2,3", "10=0");
    by_pci("1", "rubbish", NULL, "18=1");
}

static void uuids_without_nvml(void **state) {
    (void)state;
    by_pci("GPU-aaaa,MIG-bbbb", NULL, NULL,
           "?"
           "?=GPU-aaaa ?"
           "?=MIG-bbbb");
    assert_true(seen.gpus[1].is_mig && !seen.gpus[0].is_mig);
    assert_non_null(strstr(seen.note, "without NVML"));
    by_pci("GPU-aaaa", "3", NULL, "28=GPU-aaaa");
    assert_string_equal(seen.note, "");
}

/* ---- NVML ---- */

static const char four[] = "00000000:10:00.0,GPU-aaaa-1,80 00000000:18:00.0,GPU-aaab-2,79 "
                           "00000000:50:00.0,GPU-cccc-3,80 00000000:58:00.0,GPU-dddd-4,80";
static const char mig[] = "00000000:10:00.0,GPU-aaaa-1,80 "
                          "00000000:18:00.0,GPU-bbbb-2,80,mig/MIG-1111,10/MIG-2222,20";

static void by_nvml(const char *machine, const char *cuda, const char *step, const char *want) {
    static pr_gpu_list list;
    char note[128];
    assert_int_equal(setenv("FAKE_NVML", machine, 1), 0);
    assert_true(pr_gpu_list_nvml(&list, PR_TEST_NVML, note, sizeof note));
    assert_string_equal(note, "");
    memset(&seen, 0, sizeof seen);
    pr_gpus_choose(&seen, &list, &(pr_gpu_env){cuda, step, NULL});
    expect_seen(want);
}

static void nvml_names_by_uuid(void **state) {
    (void)state;
    by_nvml(four, NULL, NULL, "10=GPU-aaaa-1 18=GPU-aaab-2 50=GPU-cccc-3 58=GPU-dddd-4");
    assert_int_equal(seen.gpus[1].bytes, (uint64_t)79 << 30);
    assert_string_equal(seen.gpus[1].name, "Fake H100");
    by_nvml(four, "2,0", NULL, "50=GPU-cccc-3 10=GPU-aaaa-1");
    by_nvml(four, "GPU-dddd-4,GPU-c", NULL, "58=GPU-dddd-4 50=GPU-cccc-3");
    by_nvml(four, "GPU-aaa", NULL, ""); /* names two */
    assert_non_null(strstr(seen.note, "GPU-aaa"));
    by_nvml(four, "GPU-eeee", NULL, "");
}

/* NVML itself shows what the cgroup leaves: Slurm's numbers must not be applied again. */
static void nvml_within_a_cgroup(void **state) {
    (void)state;
    by_nvml("00000000:58:00.0,GPU-dddd-4,80", "0", "3", "58=GPU-dddd-4");
    assert_string_equal(seen.note, "");
}

static void slices(void **state) {
    (void)state;
    by_nvml(mig, NULL, NULL, "10=GPU-aaaa-1 18=MIG-1111 18=MIG-2222");
    assert_true(seen.gpus[2].is_mig && !seen.gpus[0].is_mig);
    assert_int_equal(seen.gpus[2].bytes, (uint64_t)20 << 30);
    by_nvml(mig, "MIG-2222,MIG-1111", NULL, "18=MIG-2222 18=MIG-1111");
    by_nvml(mig, "1", NULL, "18=MIG-1111");
    by_nvml(mig, "GPU-bbbb-2", NULL, ""); /* a GPU cut into slices is none itself */
}

static void nvml_that_fails(void **state) {
    static pr_gpu_list list;
    char note[128] = "x";
    (void)state;
    assert_false(pr_gpu_list_nvml(&list, "libno-such-library.so.9", note, sizeof note));
    assert_string_equal(note, "");
    assert_int_equal(setenv("FAKE_NVML_ERROR", "1", 1), 0);
    assert_false(pr_gpu_list_nvml(&list, PR_TEST_NVML, note, sizeof note));
    assert_non_null(strstr(note, "Unknown Error"));
    unsetenv("FAKE_NVML_ERROR");
    assert_false(pr_gpu_list_nvml(&list, "libc.so.6", note, sizeof note));
    assert_non_null(strstr(note, "too old"));
}

/* What a watch reads once; -1: there is none, or it cannot be read. */
static int busy_of(const char *bus_id) {
    unsigned percent = 0;
    pr_gpu_watch *w = pr_gpu_watch_open(PR_TEST_NVML, bus_id);
    int found = w && pr_gpu_watch_read(w, &percent) ? (int)percent : -1;
    pr_gpu_watch_close(w);
    return found;
}

/* Of the GPU that is meant, by however it is written; without a name only where there is no choice. */
static void busy(void **state) {
    (void)state;
    assert_int_equal(setenv("FAKE_NVML", four, 1), 0);
    assert_int_equal(busy_of("0000:10:00.0"), -1); /* the driver does not tell */
    assert_int_equal(setenv("FAKE_NVML_BUSY", "93", 1), 0);
    assert_int_equal(busy_of("00000000:50:00.0"), 91);
    assert_int_equal(busy_of("0000:99:00.0"), -1);
    assert_int_equal(busy_of("no bus id"), -1);
    assert_int_equal(busy_of(""), -1);
    assert_int_equal(setenv("FAKE_NVML", "00000000:58:00.0,GPU-dddd-4,80", 1), 0);
    assert_int_equal(busy_of(""), 93);
    assert_int_equal(setenv("FAKE_NVML_BUSY", "101", 1), 0);
    assert_int_equal(busy_of(""), -1);
    assert_null(pr_gpu_watch_open("libno-such-library.so.9", ""));
    unsetenv("FAKE_NVML_BUSY");
}

/* NVML is opened once for all looks, and closed, also where the GPU is not found. */
static void watch(void **state) {
    void *library = dlopen(PR_TEST_NVML, RTLD_NOW);
    unsigned percent;
    (void)state;
    assert_non_null(library); /* and kept, so that it goes on counting */
    const unsigned *begun = dlsym(library, "fake_nvml_begun"), *ended = dlsym(library, "fake_nvml_ended");
    const unsigned before = *begun;
    assert_int_equal(setenv("FAKE_NVML", four, 1), 0);
    pr_gpu_watch *w = pr_gpu_watch_open(PR_TEST_NVML, "0000:10:00.0");
    assert_non_null(w);
    for (unsigned k = 0; k < 100; k++) {
        char text[8];
        snprintf(text, sizeof text, "%u", k);
        assert_int_equal(setenv("FAKE_NVML_BUSY", text, 1), 0);
        assert_true(pr_gpu_watch_read(w, &percent));
        assert_int_equal(percent, k);
    }
    assert_int_equal(*begun, before + 1);
    assert_int_equal(*ended, before);
    pr_gpu_watch_close(w);
    assert_int_equal(*ended, before + 1);
    assert_null(pr_gpu_watch_open(PR_TEST_NVML, "0000:99:00.0"));
    assert_int_equal(*begun, before + 2);
    assert_int_equal(*ended, before + 2);
    unsetenv("FAKE_NVML_BUSY");
    dlclose(library);
}

static void bus_ids(void **state) {
    char out[20];
    (void)state;
    assert_true(pr_bus_id_normalise(out, "00000000:AB:00.0"));
    assert_string_equal(out, "0000:ab:00.0");
    assert_true(pr_bus_id_normalise(out, "3b:1f.7"));
    assert_string_equal(out, "0000:3b:1f.7");
    assert_true(pr_bus_id_normalise(out, "10000:01:00.0"));
    assert_string_equal(out, "10000:01:00.0");
    assert_false(pr_bus_id_normalise(out, "0000:10:00"));
    assert_false(pr_bus_id_normalise(out, "0000:10:00.0x"));
    assert_false(pr_bus_id_normalise(out, ""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pci_order_without_lists),
        cmocka_unit_test(lists_of_indices),
        cmocka_unit_test(bad_entries_end_the_list),
        cmocka_unit_test(renumbered_by_cgroups),
        cmocka_unit_test(uuids_without_nvml),
        cmocka_unit_test(nvml_names_by_uuid),
        cmocka_unit_test(nvml_within_a_cgroup),
        cmocka_unit_test(slices),
        cmocka_unit_test(nvml_that_fails),
        cmocka_unit_test(busy),
        cmocka_unit_test(watch),
        cmocka_unit_test(bus_ids),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
