#include "base/cpu.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pr_isa best;

const char *pr_isa_name(pr_isa isa) {
    static const char *const names[PR_ISA_COUNT] = {"scalar", "avx2", "avx512"};
    return (unsigned)isa < PR_ISA_COUNT ? names[isa] : "unknown";
}

static pr_isa hardware(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    /* The AVX-512 kernels use the foundation, 256-bit forms, byte and doubleword instructions. */
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq"))
        return PR_ISA_AVX512;
    if (__builtin_cpu_supports("avx2")) return PR_ISA_AVX2;
#endif
    return PR_ISA_SCALAR;
}

static void detect(void) {
    best = hardware();
    const char *wish = getenv("PROVERUN_CPU");
    for (int isa = 0; wish && isa < (int)best; isa++)
        if (strcmp(wish, pr_isa_name((pr_isa)isa)) == 0) best = (pr_isa)isa;
}

pr_isa pr_cpu_isa(void) {
    pthread_once(&once, detect);
    return best;
}

void pr_cpu_limit(pr_isa isa) {
    if (isa < pr_cpu_isa()) best = isa;
}

bool pr_cpu_has(pr_isa isa) { return isa <= pr_cpu_isa(); }

/* The value of "model name", without its line end. */
void pr_cpu_model(char *out, size_t size) {
    snprintf(out, size, "unknown processor");
    FILE *f = fopen("/proc/cpuinfo", "re");
    if (!f) return;
    char line[256];
    while (fgets(line, sizeof line, f)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value) continue;
        value += strspn(value, ": \t");
        value[strcspn(value, "\n")] = 0;
        snprintf(out, size, "%s", value);
        break;
    }
    fclose(f);
}

void pr_cpu_describe(char *out, size_t size) {
    char model[128];
    pr_cpu_model(model, sizeof model);
    snprintf(out, size, "%s, %u processors, %s (hardware: %s)", model, pr_cpu_count(), pr_isa_name(pr_cpu_isa()),
             pr_isa_name(hardware()));
}

unsigned pr_cpu_count(void) {
    /* A mask longer than the default, for machines with more than 1024 processors. */
    enum { MOST = 16384 };
    unsigned count = 0;
    cpu_set_t *set = CPU_ALLOC(MOST);
    if (set && sched_getaffinity(0, CPU_ALLOC_SIZE(MOST), set) == 0)
        count = (unsigned)CPU_COUNT_S(CPU_ALLOC_SIZE(MOST), set);
    if (set) CPU_FREE(set);
    if (count == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        count = online > 0 ? (unsigned)online : 1;
    }
    return count;
}
