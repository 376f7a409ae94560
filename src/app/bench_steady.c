/* Several provers at a time on one device, each in a thread with a stream of its own, as the child of a rank has them.
 */
#include "app/bench.h"
#include "base/clock.h"
#include "placement/placement.h"
#include "verify/verify.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct lane {
    struct crew *crew;
    pthread_t thread;
    pr_prover *prover;
    pr_proof proof; /* the last one */
    uint64_t ends_ns;
    pr_status status;
    pr_error error;
} lane;

typedef struct crew {
    const bench_subject *subject;
    const bench_options *o;
    pr_hash air_digest;
    lane lanes[BENCH_MOST_PROVERS];
    pthread_barrier_t warm, begin; /* all have warmed up; the clock has been read */
    atomic_uint_fast64_t n_left;
    atomic_bool has_failed;
} crew;

static void prove_once(lane *l) {
    pr_proof_clear(&l->proof);
    l->status = pr_prover_run(l->prover, &l->proof, &l->crew->subject->source, NULL, NULL, NULL, &l->error);
    if (l->status != PR_OK) atomic_store(&l->crew->has_failed, true);
}

static bool take_one(crew *c) {
    uint_fast64_t n = atomic_load(&c->n_left);
    while (n && !atomic_compare_exchange_weak(&c->n_left, &n, n - 1)) continue;
    return n > 0;
}

static void *work(void *context) {
    lane *l = context;
    crew *c = l->crew;
    const pr_prover_options options = {
        .backend = c->o->backend, .n_threads = (unsigned)c->o->threads, .air_digest = &c->air_digest};
    l->status = pr_prover_create(&l->prover, c->subject->layout, &options, &l->error);
    if (l->status != PR_OK) atomic_store(&c->has_failed, true);
    for (int k = 0; k < BENCH_WARM_UP && l->status == PR_OK; k++) prove_once(l);
    pthread_barrier_wait(&c->warm);
    pthread_barrier_wait(&c->begin);
    while (!atomic_load(&c->has_failed) && take_one(c)) prove_once(l);
    l->ends_ns = pr_clock_monotonic_ns();
    return NULL;
}

static pr_status check_last(const crew *c, pr_error *err) {
    pr_verifier *verifier = NULL;
    pr_verdict verdict = PR_ACCEPTED;
    PR_TRY(pr_verifier_create(&verifier, c->subject->layout->statement, err));
    pr_status status = PR_OK;
    for (uint64_t k = 0; k < c->o->provers && status == PR_OK && verdict == PR_ACCEPTED; k++)
        status = pr_verifier_run(verifier, &c->lanes[k].proof, &verdict, err);
    pr_verifier_destroy(verifier);
    if (status != PR_OK || verdict == PR_ACCEPTED) return status;
    return pr_fail(err, PR_ERR_INTERNAL, "a proof does not verify: %s", pr_verdict_text(verdict));
}

static void print_counts(const pr_cuda_counts *before, const pr_cuda_counts *after, double n) {
    printf(",\"launches_per_proof\":%.1f,\"graph_launches_per_proof\":%.1f,\"waits_per_proof\":%.1f",
           (double)(after->launches - before->launches) / n,
           (double)(after->graph_launches - before->graph_launches) / n,
           (double)(after->synchronizations - before->synchronizations) / n);
}

/* While the others prove: the mean of the driver's samples of the time since a second after the beginning, for one
 * looks back that far; below 0: there is none. */
static double watch_device(crew *c, const pr_gpu_watch *gpu, uint64_t begin_ns) {
    double sum = 0;
    unsigned n = 0, percent;
    while (gpu && atomic_load(&c->n_left) && !atomic_load(&c->has_failed)) {
        usleep(100000);
        if (pr_clock_monotonic_ns() - begin_ns < 1000000000u) continue;
        if (!pr_gpu_watch_read(gpu, &percent)) return -1;
        sum += percent / 100.0;
        n++;
    }
    return n ? sum / n : -1;
}

static pr_gpu_watch *open_watch(const bench_options *o) {
    const char *bus_id = getenv("PROVERUN_GPU");
    return o->backend->is_device ? pr_gpu_watch_open("libnvidia-ml.so.1", bus_id ? bus_id : "") : NULL;
}

static void print_busy(double share) {
    if (share < 0)
        printf(",\"busy\":null");
    else
        printf(",\"busy\":%.3f", share);
}

static void print_line(const crew *c, uint64_t ns, double busy, const pr_cuda_counts *before,
                       const pr_cuda_counts *after) {
    const bench_subject *s = c->subject;
    const bench_options *o = c->o;
    const pr_plan *plan = pr_prover_get_plan(c->lanes[0].prover);
    printf("{\"bench\":\"%s\"", s->name);
    if (s->id) printf(",\"id\":\"%s\"", s->id);
    printf(",\"steady\":%" PRIu64 ",\"provers\":%" PRIu64 ",\"log_rows\":%u,\"columns\":%u,\"backend\":\"%s\","
           "\"proofs_per_second\":%.3f,\"interval_ms\":%.3f",
           o->steady, o->provers, s->layout->log_max_rows, s->layout->trees[1].n_columns, o->backend->name,
           (double)o->steady * 1e9 / (double)ns, (double)ns / 1e6 / (double)o->steady);
    if (o->backend->is_device)
        print_busy(busy);
    else
        print_counts(before, after, (double)o->steady);
    printf(",\"accepted\":true,\"planned_bytes\":%zu,\"pinned_bytes\":%zu,\"device_bytes\":%zu}\n",
           (size_t)o->provers * plan->total_bytes, (size_t)o->provers * plan->pinned_bytes,
           (size_t)o->provers * plan->device_bytes);
}

static pr_cuda_counts count(const bench_options *o) {
#ifdef PR_HAVE_CUDA_EMU
    if (o->backend == &pr_backend_cuda_emu) return pr_cuda_emu_counts();
#endif
    (void)o;
    return (pr_cuda_counts){0};
}

/* From the end of the warm-up to the last proof's end. */
static pr_status measure(crew *c, pr_error *err) {
    pr_gpu_watch *gpu = open_watch(c->o);
    pthread_barrier_wait(&c->warm);
    const pr_cuda_counts before = count(c->o);
    const uint64_t begin = pr_clock_monotonic_ns();
    uint64_t end = begin;
    pthread_barrier_wait(&c->begin);
    const double busy = watch_device(c, gpu, begin);
    pr_gpu_watch_close(gpu);
    for (lane *l = c->lanes; l < c->lanes + c->o->provers; l++) {
        pthread_join(l->thread, NULL);
        if (l->ends_ns > end) end = l->ends_ns;
    }
    const pr_cuda_counts after = count(c->o);
    for (lane *l = c->lanes; l < c->lanes + c->o->provers; l++)
        if (l->status != PR_OK) return pr_fail(err, l->status, "%s", l->error.text);
    PR_TRY(check_last(c, err));
    print_line(c, end - begin, busy, &before, &after);
    return PR_OK;
}

pr_status bench_side_by_side(const bench_subject *s, const bench_options *o, pr_error *err) {
    static crew c;
    c = (crew){.subject = s, .o = o, .air_digest = pr_air_digest(s->layout->statement->air)};
    if (!o->backend->min_window_bytes)
        return pr_fail(err, PR_ERR_USAGE, "several provers at a time need a device: --backend cuda or cuda-emu");
    atomic_store(&c.n_left, o->steady);
    pthread_barrier_init(&c.warm, NULL, (unsigned)o->provers + 1);
    pthread_barrier_init(&c.begin, NULL, (unsigned)o->provers + 1);
    for (lane *l = c.lanes; l < c.lanes + o->provers; l++) {
        l->crew = &c;
        if (pthread_create(&l->thread, NULL, work, l) != 0)
            return pr_fail(err, PR_ERR_MEMORY, "no memory for a thread");
    }
    pr_status status = measure(&c, err);
    for (lane *l = c.lanes; l < c.lanes + o->provers; l++) {
        pr_proof_clear(&l->proof);
        pr_prover_destroy(l->prover);
    }
    pthread_barrier_destroy(&c.begin);
    pthread_barrier_destroy(&c.warm);
    return status;
}
