/* Shared by the job types: which trace row a place in a column is, and which kernel the processor runs. */
#ifndef PR_JOBS_ROWS_H
#define PR_JOBS_ROWS_H
#include "air/job_type.h"
#include "base/cpu.h"
#include "circle/circle.h"

/* The row at a place of a column of 1 << log_rows rows; log_rows >= 1. Inverse of pr_slot_of_row in storage order
 * (protocol.md section 2: natural index r/2 for even rows, 2^n - (r+1)/2 for odd ones, then bit-reversed). */
static inline uint32_t pr_job_row(pr_job_order order, unsigned log_rows, uint32_t place) {
    if (order == PR_JOB_ROW_ORDER) return place;
    uint32_t natural = pr_bitrev(place, log_rows);
    return natural < 1u << (log_rows - 1) ? 2 * natural : 2 * ((1u << log_rows) - natural) - 1;
}

/* One of three kernels of one name, for the instruction set in use; the scalar one where no other was compiled. */
#ifdef PR_JOB_HAS_X86_KERNELS
#define PR_JOB_KERNEL(name)                                                                                            \
    (pr_cpu_isa() == PR_ISA_AVX512 ? name##_avx512 : pr_cpu_isa() == PR_ISA_AVX2 ? name##_avx2 : name##_scalar)
#else
#define PR_JOB_KERNEL(name) (name##_scalar)
#endif

static inline int pr_job_threads(unsigned n_threads) { return (int)(n_threads ? n_threads : pr_cpu_count()); }
#endif
