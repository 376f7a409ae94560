/* What each stage of a proof takes: processor time of all threads; with cuda-emu launches, and bytes of device memory
 * that kernels read and write, every access counted. From these the time on a GPU is derived (docs/performance.md). A
 * backend of CUDA also tells times between events, and bytes by its launches. */
#include "app/bench.h"
#include "base/clock.h"
#include <inttypes.h>
#include <stdio.h>

#ifdef PR_HAVE_CUDA_EMU

static pr_cuda_counts difference(pr_cuda_counts a, pr_cuda_counts b) {
    return (pr_cuda_counts){.launches = a.launches - b.launches,
                            .read_bytes = a.read_bytes - b.read_bytes,
                            .written_bytes = a.written_bytes - b.written_bytes,
                            .table_bytes = a.table_bytes - b.table_bytes,
                            .to_device_bytes = a.to_device_bytes - b.to_device_bytes,
                            .to_host_bytes = a.to_host_bytes - b.to_host_bytes,
                            .synchronizations = a.synchronizations - b.synchronizations,
                            .graph_launches = a.graph_launches - b.graph_launches};
}

static void add(pr_cuda_counts *sum, pr_cuda_counts more) {
    sum->launches += more.launches;
    sum->read_bytes += more.read_bytes;
    sum->written_bytes += more.written_bytes;
    sum->table_bytes += more.table_bytes;
    sum->to_device_bytes += more.to_device_bytes;
    sum->to_host_bytes += more.to_host_bytes;
    sum->synchronizations += more.synchronizations;
    sum->graph_launches += more.graph_launches;
}

static void count(bench_counts *c) {
    const pr_cuda_counts now = pr_cuda_emu_counts();
    if (c->stage < PR_STAGE_COUNT) add(&c->stages[c->stage], difference(now, c->before));
    c->before = now;
}

static void print_counts(const bench_counts *c) {
    printf(",\"kernels\":{");
    for (int i = 0; i < PR_STAGE_COUNT; i++) {
        const pr_cuda_counts *s = &c->stages[i];
        printf("%s\"%s\":{\"launches\":%" PRIu64 ",\"read_bytes\":%" PRIu64 ",\"written_bytes\":%" PRIu64
               ",\"table_bytes\":%" PRIu64 ",\"to_device_bytes\":%" PRIu64 ",\"to_host_bytes\":%" PRIu64
               ",\"synchronizations\":%" PRIu64 ",\"graph_launches\":%" PRIu64 "}",
               i ? "," : "", pr_stage_name((pr_stage)i), s->launches, s->read_bytes, s->written_bytes, s->table_bytes,
               s->to_device_bytes, s->to_host_bytes, s->synchronizations, s->graph_launches);
    }
    printf("}");
}

static bool counts_kernels(const pr_backend *backend) { return backend == &pr_backend_cuda_emu; }

#else

static void count(bench_counts *c) { (void)c; }
static void print_counts(const bench_counts *c) { (void)c; }
static bool counts_kernels(const pr_backend *backend) { return (void)backend, false; }

#endif

static void close_stage(bench_counts *c) {
    uint64_t now = pr_clock_process_ns();
    if (c->stage < PR_STAGE_COUNT) c->cpu_ns[c->stage] += now - c->cpu_before;
    c->cpu_before = now;
    if (c->is_counted) count(c);
}

void bench_counts_stage(bench_counts *c, pr_stage stage) {
    close_stage(c);
    c->stage = stage;
}

static void begin_stage(void *context, pr_stage stage) { bench_counts_stage(context, stage); }

pr_status bench_copy_rate(double *copy_rate, pr_prover *prover, const pr_backend *backend, pr_error *err) {
    *copy_rate = 0;
    return backend->meter ? pr_prover_measure_copies(prover, copy_rate, err) : PR_OK;
}

void bench_counts_open(bench_counts *c, const pr_backend *backend) {
    *c = (bench_counts){.is_counted = counts_kernels(backend), .stage = PR_STAGE_COUNT};
    close_stage(c); /* from here on */
}

void bench_counts_begin(bench_counts *c, pr_prover *prover, const pr_backend *backend, double copy_rate) {
    bench_counts_open(c, backend);
    c->meter = backend->meter;
    c->copy_rate = copy_rate;
    (void)pr_prover_measure_device(prover, &c->device);
    pr_prover_set_stage_listener(prover, begin_stage, c);
}

void bench_counts_end(bench_counts *c) { bench_counts_stage(c, PR_STAGE_COUNT); }

static void print_device(const bench_counts *c) {
    printf(",\"device\":{\"times\":\"%s\",\"copy_bytes_per_second\":%.0f,\"stages\":{",
           c->meter->is_emulated ? "emulated" : "events", c->copy_rate);
    for (int i = 0; i < PR_STAGE_COUNT; i++) {
        const double ns = (double)c->device.ns[i], bytes = (double)c->device.moved_bytes[i];
        printf("%s\"%s\":{\"ms\":%.6f,\"moved_bytes\":%" PRIu64 ",\"share_of_copy_rate\":%.9f}", i ? "," : "",
               pr_stage_name((pr_stage)i), ns / 1e6, c->device.moved_bytes[i],
               ns > 0 ? bytes * 1e9 / ns / c->copy_rate : 0);
    }
    printf("}}");
}

void bench_counts_print(const bench_counts *c) {
    printf(",\"cpu_ms\":{");
    for (int i = 0; i < PR_STAGE_COUNT; i++)
        printf("%s\"%s\":%.3f", i ? "," : "", pr_stage_name((pr_stage)i), (double)c->cpu_ns[i] / 1e6);
    printf("}");
    if (c->meter) print_device(c);
    if (c->is_counted) print_counts(c);
}
