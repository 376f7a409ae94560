/* Sizes of the quotient kernel that its working memory depends on. */
#ifndef PR_CPU_KERNELS_QUOTIENT_H
#define PR_CPU_KERNELS_QUOTIENT_H

#define PR_CPU_QUOTIENT_BLOCK 512u /* rows at a time, a power of two */
/* 2 runs of four 64-bit sums, 3 of four words, 6 of one, and room for four lanes */
#define PR_CPU_QUOTIENT_THREAD_BYTES ((size_t)(2 * 32 + 3 * 16 + 6 * 4) * PR_CPU_QUOTIENT_BLOCK + 4096)
#define PR_CPU_QUOTIENT_SHARED_BYTES ((size_t)4 * PR_CPU_QUOTIENT_BLOCK) /* points of half a block */
#endif
