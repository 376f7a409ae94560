/* What every .cu file begins with: the contract, spans, launches, and the field on the device. The file is compiled by
 * nvcc, or, with PR_CUDA_EMULATED, as C++ against emu/; everything lies in a namespace of its own for each. */
#ifndef PR_CUDA_COMMON_CUH
#define PR_CUDA_COMMON_CUH
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#ifdef PR_CUDA_EMULATED
#include "cuda/emu/emu.h"
#define PR_GPU pr_gpu_emulated
#undef PR_LAUNCH /* at once; here kernels go through a queue (queue.cuh) */
#else
#include <cuda_runtime.h>
#define PR_GPU pr_gpu
#define PR_SHARED(type, name, n)                                                                                       \
    __shared__ __align__(16) type name##_words[n];                                                                     \
    const span<type> name = {name##_words}
#define PR_SHARED_DYNAMIC(type, name, n)                                                                               \
    extern __shared__ __align__(16) char name##_bytes[];                                                               \
    const span<type> name = {(type *)(void *)name##_bytes}
#endif

/* The contract's headers are C. */
#undef _Static_assert
#define _Static_assert static_assert
#define _Noreturn [[noreturn]]
extern "C" {
#include "backend/backend.h"
#include "backend/merkle.h"
}

#define PR_DEVICE static __device__ __forceinline__
#define PR_DEVICE_METHOD __device__ __forceinline__

namespace PR_GPU {

#ifdef PR_CUDA_EMULATED
using emu::atomic_add;
using emu::atomic_min;
using emu::ld;
using emu::ld16;
using emu::ld4;
using emu::ld_fresh;
using emu::span;
using emu::st;
using emu::st4;
using emu::sub;
using emu::word4;
template <class T> span<T> view_of(T *p, size_t n) { return emu::span_of(p, n); }
template <class T> span<const T> read_only(span<T> s) { return span<const T>{s.p, s.n, s.home}; }
#else
/* A place in device memory. Under emulation it knows its length. */
template <class T> struct span { T *p; };
typedef uint4 word4;
template <class T> span<T> view_of(T *p, size_t) { return span<T>{p}; }
template <class T> __host__ __device__ __forceinline__ span<const T> read_only(span<T> s) { return span<const T>{s.p}; }
template <class T> __device__ __forceinline__ span<T> sub(span<T> s, size_t first, size_t) {
    return span<T>{s.p + first};
}
template <class T> __device__ __forceinline__ T ld(span<const T> s, size_t i) { return s.p[i]; }
template <class T> __device__ __forceinline__ T ld(span<T> s, size_t i) { return s.p[i]; }
/* Of what other blocks change by atomic operations meanwhile: a plain load may come from a multiprocessor's own cache,
 * where it stays as it was for as long as the kernel runs; volatile ones are relaxed loads at the memory (PTX ISA,
 * "Memory consistency model"). */
template <class T> __device__ __forceinline__ T ld_fresh(span<T> s, size_t i) { return ((const volatile T *)s.p)[i]; }
template <class T> __device__ __forceinline__ void st(span<T> s, size_t i, T v) { s.p[i] = v; }
/* An entry of a table, of 16 bytes at a multiple of them: one access whatever its fields are. */
template <class T> __device__ __forceinline__ T ld16(span<const T> s, size_t i) {
    static_assert(sizeof(T) == sizeof(word4), "one access");
    const word4 v = *(const word4 *)(const void *)(s.p + i);
    T out;
    memcpy(&out, &v, sizeof out);
    return out;
}
__device__ __forceinline__ word4 ld4(span<const uint32_t> s, size_t i) { return *(const word4 *)(s.p + i); }
__device__ __forceinline__ void st4(span<uint32_t> s, size_t i, word4 v) { *(word4 *)(s.p + i) = v; }
__device__ __forceinline__ uint64_t atomic_min(span<uint64_t> s, size_t i, uint64_t v) {
    return atomicMin((unsigned long long *)s.p + i, (unsigned long long)v);
}
__device__ __forceinline__ uint32_t atomic_add(span<uint32_t> s, size_t i, uint32_t v) { return atomicAdd(s.p + i, v); }
__device__ __forceinline__ uint64_t atomic_add(span<uint64_t> s, size_t i, uint64_t v) {
    return atomicAdd((unsigned long long *)s.p + i, (unsigned long long)v);
}
#endif

typedef span<uint32_t> words;
typedef span<const uint32_t> const_words;

/* Number of the thread in its launch, and how many there are: kernels without barriers take every so manieth item. */
PR_DEVICE size_t thread_number() { return (size_t)blockIdx.x * blockDim.x + threadIdx.x; }
PR_DEVICE size_t thread_count() { return (size_t)gridDim.x * blockDim.x; }

constexpr unsigned block_threads = 256;
/* Blocks of block_threads for so many items; more items than this are taken in strides. */
inline unsigned blocks_for(size_t items) {
    const size_t blocks = (items + block_threads - 1) / block_threads, most = 1 << 16;
    return (unsigned)(blocks < most ? (blocks ? blocks : 1) : most);
}

/* A sum of products of elements, in 64 bits: each is below 2^62, a folded sum below 2^34. At most three products
 * between folds. */
struct product_sum {
    uint64_t c[4];
};
PR_DEVICE uint64_t fold_sum(uint64_t v) { return (v & PR_P) + (v >> PR_P_BITS); }
PR_DEVICE void fold(product_sum &s) {
#pragma unroll
    for (int k = 0; k < 4; k++) s.c[k] = fold_sum(s.c[k]);
}
PR_DEVICE void add_product(product_sum &s, pr_m31 v, const pr_qm31 &q) {
#pragma unroll
    for (int k = 0; k < 4; k++) s.c[k] += (uint64_t)v * q.c[k];
}
PR_DEVICE pr_qm31 reduce(const product_sum &s) {
    return pr_qm31{{pr_m31_reduce(s.c[0]), pr_m31_reduce(s.c[1]), pr_m31_reduce(s.c[2]), pr_m31_reduce(s.c[3])}};
}
PR_DEVICE pr_qm31 zero_qm31() { return pr_qm31{{0, 0, 0, 0}}; }

} // namespace PR_GPU
#endif
