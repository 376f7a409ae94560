/* Sizes of the sampling kernel that its working memory depends on. */
#ifndef PR_CPU_KERNELS_SAMPLE_H
#define PR_CPU_KERNELS_SAMPLE_H

#define PR_CPU_SAMPLE_LOG_BLOCK 9 /* rows whose weights are held at a time */
#define PR_CPU_SAMPLE_COLUMNS 256 /* columns sampled in one pass */
#define PR_CPU_SAMPLE_POINTS 4
#define PR_CPU_SAMPLE_THREAD_BYTES                                                                                     \
    (((size_t)(4 * PR_CPU_SAMPLE_POINTS + 1) * 4 << PR_CPU_SAMPLE_LOG_BLOCK) +                                         \
     (size_t)PR_CPU_SAMPLE_COLUMNS * PR_CPU_SAMPLE_POINTS * 32)
#endif
