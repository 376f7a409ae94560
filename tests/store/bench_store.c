/* What the store costs rank 0: JSON lines. bench_store [JOBS [GROUP [PROOF_BYTES [FLUSH_JOBS]]]]
 * JOBS tiny jobs, a commit for each GROUP of them, a flush of the HDF5 file every FLUSH_JOBS. */
#include "base/clock.h"
#include "sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct series {
    uint64_t *ns;
    size_t n;
} series;

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, series *s) {
    double sum = 0;
    if (!s->n) return;
    for (size_t i = 0; i < s->n; i++) sum += (double)s->ns[i];
    qsort(s->ns, s->n, sizeof *s->ns, compare);
    printf("{\"bench\":\"store\",\"what\":\"%s\",\"n\":%zu,\"median_us\":%.2f,\"p99_us\":%.2f,\"max_us\":%.2f,\"total_"
           "s\":%.3f}\n",
           what, s->n, (double)s->ns[s->n / 2] / 1e3, (double)s->ns[s->n * 99 / 100] / 1e3,
           (double)s->ns[s->n - 1] / 1e3, sum / 1e9);
}

static void check(pr_status status, const pr_error *e) {
    if (status == PR_OK) return;
    fprintf(stderr, "%s\n", e->text);
    exit(1);
}

static uint64_t since(uint64_t begin) { return pr_clock_monotonic_ns() - begin; }

static void put_one(pr_store *s, size_t k, size_t proof_bytes, series *puts, pr_error *e) {
    pr_record r;
    char id[32];
    snprintf(id, sizeof id, "job-%zu", k);
    sample_record(&r, id, PR_OUTCOME_APPROVED, proof_bytes, k);
    uint64_t begin = pr_clock_monotonic_ns();
    check(pr_store_note_assignment(s, id, 1, PR_ASSIGNED_PROVE, 1, e), e);
    check(pr_store_put(s, &r, e), e);
    puts->ns[puts->n++] = since(begin);
    pr_record_clear(&r);
}

static void run(const char *path, size_t jobs, size_t group, size_t proof_bytes, size_t flush_jobs) {
    pr_store *s;
    pr_error e = {0};
    const pr_attribute attributes[] = {{"run_id", "bench"}};
    series puts = {calloc(jobs, 8), 0}, commits = {calloc(jobs, 8), 0}, flushes = {calloc(jobs, 8), 0};
    check(pr_store_create(&s, path, attributes, 1, &e), &e);
    uint64_t all = pr_clock_monotonic_ns(), begin;
    for (size_t k = 0; k < jobs; k++) {
        put_one(s, k, proof_bytes, &puts, &e);
        if ((k + 1) % group == 0) {
            begin = pr_clock_monotonic_ns();
            check(pr_store_commit(s, &e), &e);
            commits.ns[commits.n++] = since(begin);
        }
        if ((k + 1) % flush_jobs == 0) {
            begin = pr_clock_monotonic_ns();
            check(pr_store_flush(s, &e), &e);
            flushes.ns[flushes.n++] = since(begin);
        }
    }
    uint64_t journal = pr_store_journal_bytes(s);
    check(pr_store_close(s, &e), &e);
    double seconds = (double)since(all) / 1e9;
    bool rebuilt;
    report("put", &puts);
    report("commit", &commits);
    report("flush", &flushes);
    struct stat st;
    uint64_t hdf5 = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    begin = pr_clock_monotonic_ns();
    check(pr_store_repair(&rebuilt, path, &e), &e);
    printf("{\"bench\":\"store\",\"jobs\":%zu,\"group\":%zu,\"proof_bytes\":%zu,\"flush_jobs\":%zu,\"ms_per_job\":%.4f,"
           "\"rebuild_s\":%.2f,\"journal_bytes\":%llu,\"hdf5_bytes\":%llu,\"peak_rss_bytes\":%llu}\n",
           jobs, group, proof_bytes, flush_jobs, seconds * 1e3 / (double)jobs, (double)since(begin) / 1e9,
           (unsigned long long)journal, (unsigned long long)hdf5, (unsigned long long)pr_peak_rss_bytes());
    free(puts.ns);
    free(commits.ns);
    free(flushes.ns);
}

static size_t argument(int argc, char **argv, int at, size_t otherwise) {
    return argc > at ? strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv) {
    char path[64];
    snprintf(path, sizeof path, "bench-store-%d.h5", (int)getpid());
    run(path, argument(argc, argv, 1, 100000), argument(argc, argv, 2, 16), argument(argc, argv, 3, 1000),
        argument(argc, argv, 4, 5000));
    sample_remove(path);
    return 0;
}
