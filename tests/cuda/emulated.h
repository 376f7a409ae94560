/* A fresh device of the emulation, and what should be found on it. */
#ifndef PR_TESTS_CUDA_EMULATED_H
#define PR_TESTS_CUDA_EMULATED_H
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
extern "C" {
#include <cmocka.h>
}
#include "cuda/emu/emu.h"

using emu::defect;
using emu::ld;
using emu::span;
using emu::st;
typedef span<uint32_t> words;

struct fixture {
    cudaStream_t stream;
    uint32_t *memory;
    words all;
};
static fixture open_device(size_t n) {
    fixture f{};
    void *p = nullptr;
    emu::reset();
    assert_int_equal(cudaStreamCreateWithFlags(&f.stream, cudaStreamNonBlocking), cudaSuccess);
    assert_int_equal(cudaMalloc(&p, n * 4), cudaSuccess);
    f.memory = (uint32_t *)p;
    f.all = emu::span_of(f.memory, n);
    return f;
}
static void close_device(fixture &f) {
    emu::reset();
    cudaFree(f.memory);
    cudaStreamDestroy(f.stream);
}
/* Waits, and holds what was found against what should be. */
static void expect(fixture &f, defect kind) {
    const cudaError_t status = cudaStreamSynchronize(f.stream);
    if (emu::it().found != kind) fail_msg("found %d: %s", (int)emu::it().found, emu::it().text);
    assert_int_equal(status == cudaSuccess, kind == defect::none);
    if (kind != defect::none) assert_true(emu::it().text[0] != 0);
    close_device(f);
}
#endif
