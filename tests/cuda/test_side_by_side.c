/* Several proofs at a time on one device, each by a prover in a thread of its own, of different AIRs: the bytes are the
 * golden ones. A fault of one is a fault of all, as in a context of CUDA, and nothing stays held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "casefile/casefile.h"
#include "cuda/cuda_backend.h"
#include "prove/prove.h"

enum { MOST = 4, N_PROOFS = 3 }; /* of each: the third with a graph */

static atomic_int n_begun; /* provers that are there */

typedef struct lane {
    pr_case c;
    pr_layout layout;
    int n_lanes, n_made, n_good;
    bool waits; /* until all provers are there */
    pr_status status;
    pr_error error;
} lane;

static bool is_golden(const lane *l, const pr_proof *proof) {
    pr_writer w;
    char hex[65] = "";
    pr_writer_init(&w);
    if (pr_proof_write_json(&w, proof, &l->layout) == PR_OK) {
        const pr_hash h = pr_blake2s_hash(w.data, w.size);
        pr_hex_encode(hex, h.bytes, sizeof h.bytes);
    }
    pr_writer_clear(&w);
    return strcmp(hex, l->c.expected_json_blake2s) == 0;
}

static void prove_all(lane *l, pr_prover *prover) {
    const pr_trace_source source = {.context = &l->c, .fill = pr_case_fill_trace};
    for (int k = 0; k < N_PROOFS && l->status == PR_OK; k++) {
        pr_proof proof = {0};
        l->status = pr_prover_run(prover, &proof, &source, NULL, NULL, NULL, &l->error);
        if (l->status != PR_OK) break;
        l->n_made++;
        l->n_good += is_golden(l, &proof);
        pr_proof_clear(&proof);
    }
}

static void *run_lane(void *context) {
    lane *l = context;
    pr_prover *prover = NULL;
    const pr_prover_options options = {.backend = &pr_backend_cuda_emu, .n_threads = 1};
    l->status = pr_prover_create(&prover, &l->layout, &options, &l->error);
    atomic_fetch_add(&n_begun, 1);
    while (l->waits && atomic_load(&n_begun) < l->n_lanes) sched_yield();
    if (l->status == PR_OK) prove_all(l, prover);
    pr_prover_destroy(prover);
    return NULL;
}

static void run_lanes(lane *lanes, int n) {
    pthread_t threads[MOST];
    atomic_store(&n_begun, 0);
    for (int k = 0; k < n; k++) {
        lanes[k].n_lanes = n;
        assert_int_equal(pthread_create(&threads[k], NULL, run_lane, &lanes[k]), 0);
    }
    for (int k = 0; k < n; k++) pthread_join(threads[k], NULL);
    assert_int_equal(pr_cuda_emu_held_bytes(), 0);
    assert_int_equal(pr_cuda_emu_held_graphs(), 0);
}

static void open_lanes(lane *lanes) {
    static const char *const names[MOST] = {"plonk_l6", "wide_fibonacci_l6_c10", "mixed_sizes_4_6_8", "xor4_l9"};
    for (int k = 0; k < MOST; k++) {
        char path[1024];
        lanes[k] = (lane){.waits = true};
        snprintf(path, sizeof path, "%s/cases/%s.json", PR_TEST_VECTORS, names[k]);
        if (pr_case_load(&lanes[k].c, path, &lanes[k].error) != PR_OK ||
            pr_layout_init(&lanes[k].layout, &lanes[k].c.statement, &lanes[k].error) != PR_OK)
            fail_msg("%s", lanes[k].error.text);
        assert_true(lanes[k].c.has_expected_proof);
    }
    pr_cuda_emu_reset();
}

static void close_lanes(lane *lanes) {
    for (int k = 0; k < MOST; k++) {
        pr_layout_clear(&lanes[k].layout);
        pr_case_clear(&lanes[k].c);
    }
}

/* Four of them on the second of two devices, which each thread has to select. */
static void set_devices(bool has_two) {
    static const char *const bus_ids[] = {"0000:10:00.0", "0000:20:00.0"}, *const uuids[] = {"GPU-a", "GPU-b"};
    pr_cuda_emu_make_devices(bus_ids, uuids, has_two ? 2 : 0);
    unsetenv("CUDA_VISIBLE_DEVICES");
    setenv("PROVERUN_GPU", has_two ? bus_ids[1] : "", 1);
}

static void test_golden(void **unused) {
    (void)unused;
    lane lanes[MOST];
    for (int n = 2; n <= MOST; n += 2) {
        open_lanes(lanes);
        set_devices(n == MOST);
        run_lanes(lanes, n);
        set_devices(false);
        for (int k = 0; k < n; k++) {
            if (lanes[k].status != PR_OK) fail_msg("%s: %s", lanes[k].c.name, lanes[k].error.text);
            assert_true(lanes[k].n_made == N_PROOFS && lanes[k].n_good == N_PROOFS);
        }
        close_lanes(lanes);
    }
}

/* Whichever prover a launch fails for: whoever is not done before fails alike, and no proof that was made is another
 * than the golden one. */
static void test_fault(void **unused) {
    (void)unused;
    lane lanes[MOST];
    for (uint64_t launch = 20; launch < 140; launch += 40) { /* of some 250 */
        int n_failed = 0;
        open_lanes(lanes);
        pr_cuda_emu_inject(&(pr_cuda_faults){.fail_launch = launch});
        run_lanes(lanes, MOST);
        for (int k = 0; k < MOST; k++) {
            n_failed += lanes[k].status != PR_OK;
            assert_int_equal(lanes[k].n_good, lanes[k].n_made);
            if (lanes[k].status == PR_OK) continue;
            assert_int_equal(lanes[k].status, PR_ERR_BACKEND);
            assert_non_null(strstr(lanes[k].error.text, "a launch that a test made fail"));
        }
        assert_true(n_failed >= 2);
        close_lanes(lanes);
    }
    pr_cuda_emu_reset();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_fault)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
