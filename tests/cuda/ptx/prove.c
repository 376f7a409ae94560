/* Golden cases by the backend cuda as nvcc compiled it, host and kernels, on the machine for PTX: three proofs of each,
 * of which the last two are launched as graphs, and one whose columns are streamed, have the recorded bytes.
 *   prove CASE.json... */
#include <stdio.h>
#include <string.h>
#include "casefile/casefile.h"
#include "cuda/cuda_backend.h"
#include "prove/prove.h"

size_t ptx_held(void);
void ptx_counts(unsigned long *instructions, unsigned long *launches);

static bool is_golden(const pr_case *c, const pr_proof *proof, const pr_layout *layout) {
    pr_writer w;
    char hex[65] = "";
    pr_writer_init(&w);
    if (pr_proof_write_json(&w, proof, layout) == PR_OK) {
        const pr_hash h = pr_blake2s_hash(w.data, w.size);
        pr_hex_encode(hex, h.bytes, sizeof h.bytes);
    }
    pr_writer_clear(&w);
    return c->has_expected && strcmp(hex, c->expected_json_blake2s) == 0;
}

static pr_status prove_times(const pr_case *c, const pr_layout *layout, size_t device_bytes, unsigned n,
                             unsigned *n_golden, pr_error *err) {
    const pr_prover_options options = {.backend = &pr_backend_cuda, .n_threads = 1, .max_device_bytes = device_bytes};
    const pr_trace_source source = {.context = (void *)c, .fill = pr_case_fill_trace};
    pr_prover *prover = NULL;
    pr_status status = pr_prover_create(&prover, layout, &options, err);
    for (unsigned k = 0; k < n && status == PR_OK; k++) {
        pr_proof proof = {0};
        status = pr_prover_run(prover, &proof, &source, NULL, NULL, NULL, err);
        *n_golden += status == PR_OK && is_golden(c, &proof, layout);
        pr_proof_clear(&proof);
    }
    pr_prover_destroy(prover);
    return status;
}

/* The least that a limit may be: columns on the host, a window of the smallest size. */
static size_t find_least(const pr_layout *layout) {
    size_t low = 0, high = (size_t)1 << 30;
    while (low + 4096 < high) {
        const size_t limit = (low + high) / 2;
        const pr_prover_options options = {.backend = &pr_backend_cuda, .n_threads = 1, .max_device_bytes = limit};
        pr_plan plan;
        if (pr_prover_plan(&plan, layout, &options, NULL) == PR_OK)
            high = limit;
        else
            low = limit;
    }
    return high;
}

enum { N_PROOFS = 4 };

static unsigned prove_ways(const pr_case *c, pr_error *err) {
    unsigned n_golden = 0;
    pr_layout layout;
    pr_status status = pr_layout_init(&layout, &c->statement, err);
    if (status != PR_OK) return 0;
    status = prove_times(c, &layout, 0, N_PROOFS - 1, &n_golden, err);
    if (status == PR_OK) (void)prove_times(c, &layout, find_least(&layout), 1, &n_golden, err);
    pr_layout_clear(&layout);
    return n_golden;
}

static bool prove_case(const char *path) {
    pr_case c;
    pr_error err = {0};
    unsigned long instructions, launches;
    if (pr_case_load(&c, path, &err) != PR_OK) {
        fprintf(stderr, "%s\n", err.text);
        return false;
    }
    const unsigned n_golden = prove_ways(&c, &err);
    ptx_counts(&instructions, &launches);
    printf("%s: %u of %u proofs are the golden one; %lu launches, %lu instructions so far%s%s\n", c.name, n_golden,
           N_PROOFS, launches, instructions, err.text[0] ? ": " : "", err.text);
    fflush(stdout);
    pr_case_clear(&c);
    return n_golden == N_PROOFS && ptx_held() == 0;
}

int main(int argc, char **argv) {
    bool good = argc > 1;
    if (!pr_backend_cuda.available()) {
        fprintf(stderr, "no device\n");
        return 1;
    }
    for (int k = 1; k < argc; k++) good &= prove_case(argv[k]);
    return good ? 0 : 1;
}
