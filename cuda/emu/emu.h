/* CUDA C++ on the processor: include this instead of the toolkit, with a host compiler of C++17, and .cu files that
 * keep to what is here compile and run. Nothing is fast; everything is checked (state.h lists the defects).
 *
 * What a kernel must keep to:
 *   - memory is reached through spans (span.h), not pointers: ld, st, ld4, st4, sub, atomic_min, atomic_add;
 *   - what other blocks change meanwhile is read with ld_fresh (order.h);
 *   - shared memory is declared with PR_SHARED(type, name, n), or, sized at the launch and once a kernel,
 *     PR_SHARED_DYNAMIC(type, name, n), and is ordered by __syncthreads alone;
 *   - a kernel is launched with PR_LAUNCH(kernel, grid, block, shared_bytes, stream, args...), its arguments at most
 *     4 KiB, on a stream of its own;
 *   - shuffles and votes name their lanes, all of which must come.
 *
 *   emu::reset(); ... launch ... ; cudaStreamSynchronize(s); emu::it().found, emu::it().text, emu::it().count
 *
 * Blocks run one after another, forwards and backwards by turns; threads of a block are fibers. */
#ifndef PR_EMU_EMU_H
#define PR_EMU_EMU_H
#include "cuda/emu/graph.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__

#define PR_SHARED(type, name, n)                                                                                       \
    static char name##_site;                                                                                           \
    const emu::span<type> name = emu::the_block().shared<type>(&name##_site, n)
#define PR_SHARED_DYNAMIC(type, name, n)                                                                               \
    static char name##_site;                                                                                           \
    const emu::span<type> name = emu::the_block().shared_dynamic<type>(&name##_site, n)
#define PR_LAUNCH(kernel, grid, block, shared_bytes, stream, ...)                                                      \
    emu::launch(#kernel, kernel, grid, block, shared_bytes, stream, __VA_ARGS__)

/* ---- what the compiler of the toolkit knows by itself ---- */

inline uint32_t __brev(uint32_t v) {
    v = (v >> 1 & 0x55555555u) | (v & 0x55555555u) << 1;
    v = (v >> 2 & 0x33333333u) | (v & 0x33333333u) << 2;
    v = (v >> 4 & 0x0f0f0f0fu) | (v & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(v);
}
#endif
