/* What this processor can do, found once. PROVERUN_CPU=scalar|avx2|avx512 in the environment lowers it, for tests. */
#ifndef PR_BASE_CPU_H
#define PR_BASE_CPU_H
#include "base/error.h"

typedef enum pr_isa { PR_ISA_SCALAR, PR_ISA_AVX2, PR_ISA_AVX512, PR_ISA_COUNT } pr_isa;

pr_isa pr_cpu_isa(void); /* the best one that may be used */
/* Lowers it, never raises it; for the start of a process, while it has one thread. */
void pr_cpu_limit(pr_isa isa);
bool pr_cpu_has(pr_isa isa);
const char *pr_isa_name(pr_isa isa);          /* "scalar", "avx2", "avx512" */
void pr_cpu_model(char *out, size_t size);    /* the processor's name as its maker gives it */
void pr_cpu_describe(char *out, size_t size); /* model name and features, for `version` */
unsigned pr_cpu_count(void);                  /* processors in this process's affinity mask */
#endif
