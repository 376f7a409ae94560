/* The running total over rows that ends a component's interaction columns. */
#ifndef PR_CPU_KERNELS_LOGUP_H
#define PR_CPU_KERNELS_LOGUP_H
#include "cpu/device.h"

/* Bits of the scan's parts at most (logup_scan.c): the length of its serial middle, and chunks enough for many threads.
 * The device's shared memory holds 4 << PR_CPU_SCAN_PART_BITS words for it. */
#define PR_CPU_SCAN_PART_BITS 13

/* In place, in each coordinate: the row order's inclusive prefix sum of (value - shift). */
void pr_cpu_prefix_rows_scalar(pr_device *dev, const pr_col cols[4], pr_qm31 shift);
void pr_cpu_prefix_rows_avx2(pr_device *dev, const pr_col cols[4], pr_qm31 shift);
void pr_cpu_prefix_rows_avx512(pr_device *dev, const pr_col cols[4], pr_qm31 shift);
#endif
