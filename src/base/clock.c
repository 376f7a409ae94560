#include "base/clock.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t pr_clock_monotonic_ns(void) { return now_ns(CLOCK_MONOTONIC); }
uint64_t pr_clock_wall_ns(void) { return now_ns(CLOCK_REALTIME); }
uint64_t pr_clock_process_ns(void) { return now_ns(CLOCK_PROCESS_CPUTIME_ID); }

pr_moment pr_clock_moment(void) { return (pr_moment){pr_clock_wall_ns(), pr_clock_monotonic_ns()}; }
uint64_t pr_clock_wall_after(const pr_moment *begin) {
    return begin->wall_ns + (pr_clock_monotonic_ns() - begin->monotonic_ns);
}

void pr_clock_iso8601(char out[32], uint64_t wall_ns) {
    time_t seconds = (time_t)(wall_ns / 1000000000u);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, 32 - n, ".%09uZ", (unsigned)(wall_ns % 1000000000u));
}

uint64_t pr_peak_rss_bytes(void) {
    FILE *f = fopen("/proc/self/status", "re");
    if (!f) return 0;
    char line[256];
    unsigned long long kib = 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %llu kB", &kib) == 1) break;
    fclose(f);
    return (uint64_t)kib * 1024;
}

void pr_peak_rss_reset(void) {
    FILE *f = fopen("/proc/self/clear_refs", "we");
    if (!f) return;
    fputs("5", f);
    fclose(f);
}
