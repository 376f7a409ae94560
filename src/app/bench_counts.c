/* What kernels of cuda-emu do in each stage of a proof: launches, and bytes of device memory that they read and write,
 * every access counted. From these the time on a GPU is derived (docs/performance.md). */
#include "app/bench.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#ifdef PR_HAVE_CUDA_EMU

static pr_cuda_counts difference(pr_cuda_counts a, pr_cuda_counts b) {
    return (pr_cuda_counts){.launches = a.launches - b.launches,
                            .read_bytes = a.read_bytes - b.read_bytes,
                            .written_bytes = a.written_bytes - b.written_bytes,
                            .table_bytes = a.table_bytes - b.table_bytes,
                            .to_device_bytes = a.to_device_bytes - b.to_device_bytes,
                            .to_host_bytes = a.to_host_bytes - b.to_host_bytes,
                            .synchronizations = a.synchronizations - b.synchronizations};
}

static void add(pr_cuda_counts *sum, pr_cuda_counts more) {
    sum->launches += more.launches;
    sum->read_bytes += more.read_bytes;
    sum->written_bytes += more.written_bytes;
    sum->table_bytes += more.table_bytes;
    sum->to_device_bytes += more.to_device_bytes;
    sum->to_host_bytes += more.to_host_bytes;
    sum->synchronizations += more.synchronizations;
}

static void close_stage(bench_counts *c) {
    const pr_cuda_counts now = pr_cuda_emu_counts();
    if (c->stage < PR_STAGE_COUNT) add(&c->stages[c->stage], difference(now, c->before));
    c->before = now;
}

static void begin_stage(void *context, pr_stage stage) {
    bench_counts *c = context;
    close_stage(c);
    c->stage = stage;
}

void bench_counts_begin(bench_counts *c, pr_prover *prover, const pr_backend *backend) {
    c->is_counted = backend == &pr_backend_cuda_emu;
    if (!c->is_counted) return;
    memset(c->stages, 0, sizeof c->stages);
    c->stage = PR_STAGE_COUNT;
    c->before = pr_cuda_emu_counts();
    pr_prover_set_stage_listener(prover, begin_stage, c);
}

void bench_counts_print(bench_counts *c) {
    if (!c->is_counted) return;
    close_stage(c);
    printf(",\"kernels\":{");
    for (int i = 0; i < PR_STAGE_COUNT; i++) {
        const pr_cuda_counts *s = &c->stages[i];
        printf("%s\"%s\":{\"launches\":%" PRIu64 ",\"read_bytes\":%" PRIu64 ",\"written_bytes\":%" PRIu64
               ",\"table_bytes\":%" PRIu64 ",\"to_device_bytes\":%" PRIu64 ",\"to_host_bytes\":%" PRIu64
               ",\"synchronizations\":%" PRIu64 "}",
               i ? "," : "", pr_stage_name((pr_stage)i), s->launches, s->read_bytes, s->written_bytes, s->table_bytes,
               s->to_device_bytes, s->to_host_bytes, s->synchronizations);
    }
    printf("}");
}

#else

void bench_counts_begin(bench_counts *c, pr_prover *prover, const pr_backend *backend) {
    (void)prover, (void)backend;
    c->is_counted = false;
}
void bench_counts_print(bench_counts *c) { (void)c; }

#endif
