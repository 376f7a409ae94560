/* Functions of headers that kernels of cuda/ call as well as C. */
#ifndef PR_BASE_INLINE_H
#define PR_BASE_INLINE_H

#ifdef __CUDACC__
#define PR_HOST_DEVICE static __host__ __device__ __forceinline__
#else
#define PR_HOST_DEVICE static inline
#endif

#endif
