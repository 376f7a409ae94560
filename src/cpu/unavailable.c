/* Stands in for the instruction sets that the compiler cannot target. */
#include "cpu/cpu_backend.h"

static bool is_available(void) { return false; }

#ifdef PR_CPU_NO_AVX2
const pr_backend pr_backend_avx2 = {.name = "avx2", .available = is_available};
#endif
#ifdef PR_CPU_NO_AVX512
const pr_backend pr_backend_avx512 = {.name = "avx512", .available = is_available};
#endif
