/* The emulation by itself: right kernels give right results, and each deliberately wrong one is found out. */
#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>
#include "emulated.h"

/* ---- right kernels ---- */

static void reverse_in_block(words all) {
    PR_SHARED(uint32_t, tile, 64);
    st(tile, threadIdx.x, blockIdx.x * 64 + threadIdx.x);
    __syncthreads();
    st(all, blockIdx.x * 64 + threadIdx.x, ld(tile, 63 - threadIdx.x));
}
static void test_barriers(void **) {
    fixture f = open_device(256);
    uint32_t got[256];
    PR_LAUNCH(reverse_in_block, 4, 64, 0, f.stream, f.all);
    cudaMemcpyAsync(got, f.memory, sizeof got, cudaMemcpyDeviceToHost, f.stream);
    assert_int_equal(got[0], 0xd5d5d5d5u); /* nothing runs before somebody waits */
    assert_int_equal(cudaStreamSynchronize(f.stream), cudaSuccess);
    for (uint32_t i = 0; i < 256; i++) assert_int_equal(got[i], i / 64 * 64 + 63 - i % 64);
    assert_int_equal(emu::it().count.launches, 1);
    assert_int_equal(emu::it().count.written_bytes, sizeof got);
    expect(f, defect::none);
}

static void sum_of_warp(words all) {
    uint32_t v = threadIdx.x;
    for (int bit = 16; bit; bit >>= 1) v += __shfl_xor_sync(0xffffffffu, v, bit);
    const uint32_t odd = __ballot_sync(0xffffffffu, threadIdx.x & 1), before = __shfl_up_sync(0xffffffffu, v, 1);
    const uint32_t first = __shfl_sync(0xffffffffu, threadIdx.x, 0), behind = __shfl_down_sync(~0u, threadIdx.x, 1);
    const bool right = odd == 0xaaaaaaaau && before == v && first == threadIdx.x / 32 * 32 &&
                       behind == threadIdx.x + (threadIdx.x % 32 < 31) && __any_sync(~0u, threadIdx.x % 32 == 7) &&
                       !__all_sync(~0u, threadIdx.x % 32 == 7);
    st(all, threadIdx.x, right ? v : 0u);
}
static void test_warps(void **) {
    fixture f = open_device(64);
    uint32_t got[64];
    PR_LAUNCH(sum_of_warp, 1, 64, 0, f.stream, f.all);
    cudaMemcpyAsync(got, f.memory, sizeof got, cudaMemcpyDeviceToHost, f.stream);
    assert_int_equal(cudaStreamSynchronize(f.stream), cudaSuccess);
    for (uint32_t i = 0; i < 64; i++) assert_int_equal(got[i], 496 + 1024 * (i / 32));
    expect(f, defect::none);
}

static void count_up(words all) {
    emu::atomic_add(all, 0, 1u);
    emu::atomic_min(all, 1, blockIdx.x * blockDim.x + threadIdx.x + 5);
}
static void test_atomics_and_memory(void **) {
    fixture f = open_device(4);
    uint32_t got[4];
    cudaMemcpyAsync(got, f.memory, 16, cudaMemcpyDeviceToHost, f.stream);
    assert_int_equal(cudaStreamSynchronize(f.stream), cudaSuccess);
    assert_int_equal(got[3], 0xd5d5d5d5u); /* fresh memory */
    cudaMemsetAsync(f.memory, 0, 4, f.stream);
    PR_LAUNCH(count_up, 3, 10, 0, f.stream, f.all);
    const uint32_t seven = 7;
    cudaMemcpyAsync(f.memory + 2, &seven, 4, cudaMemcpyHostToDevice, f.stream);
    cudaMemcpyAsync(f.memory + 3, f.memory + 2, 4, cudaMemcpyDeviceToDevice, f.stream);
    cudaMemcpyAsync(got, f.memory, 16, cudaMemcpyDeviceToHost, f.stream);
    assert_int_equal(cudaStreamSynchronize(f.stream), cudaSuccess);
    assert_int_equal(got[0], 30);
    assert_int_equal(got[1], 5);
    assert_int_equal(got[3], 7);
    expect(f, defect::none);
}

static void test_pageable_memory(void **) {
    fixture f = open_device(4);
    uint32_t seven = 7;
    cudaMemcpyAsync(f.memory, &seven, 4, cudaMemcpyHostToDevice, f.stream);
    seven = 8; /* was it read at once? */
    expect(f, defect::misuse);
}

/* ---- wrong kernels ---- */

static void beyond(words all) { st(all, threadIdx.x, 1u); }
static void test_out_of_bounds(void **) {
    fixture f = open_device(31);
    PR_LAUNCH(beyond, 1, 32, 0, f.stream, f.all);
    expect(f, defect::out_of_bounds);
}
static void beyond_piece(words all) { (void)ld(emu::sub(all, 8, 4), threadIdx.x); }
static void test_out_of_piece(void **) {
    fixture f = open_device(32);
    PR_LAUNCH(beyond_piece, 1, 5, 0, f.stream, f.all);
    expect(f, defect::out_of_bounds);
    f = open_device(32);
    PR_LAUNCH(beyond, 1, 64, 0, f.stream, (words{f.memory, 64, f.all.home}));
    expect(f, defect::out_of_bounds);
}
static void test_freed_memory(void **) {
    fixture f = open_device(32);
    void *other = nullptr;
    assert_int_equal(cudaMalloc(&other, 128), cudaSuccess);
    words dead = emu::span_of((uint32_t *)other, 32);
    cudaFree(other);
    PR_LAUNCH(beyond, 1, 32, 0, f.stream, dead);
    expect(f, defect::dead_memory);
    f = open_device(32);
    uint32_t here[4];
    cudaMemcpyAsync(other, here, 16, cudaMemcpyHostToDevice, f.stream);
    expect(f, defect::dead_memory);
    f = open_device(32);
    uint32_t on_host[32];
    PR_LAUNCH(beyond, 1, 32, 0, f.stream, emu::span_of(on_host, 32));
    expect(f, defect::dead_memory);
}
static void odd_vector(span<const uint32_t> all) { (void)emu::ld4(all, 4 * threadIdx.x + 1); }
static void test_misaligned(void **) {
    fixture f = open_device(64);
    PR_LAUNCH(odd_vector, 1, 2, 0, f.stream, (span<const uint32_t>{f.memory, 64, f.all.home}));
    expect(f, defect::misaligned);
}
static void some_wait(words all) {
    if (threadIdx.x < 7) __syncthreads();
    st(all, threadIdx.x, 0u);
}
static void test_divergent_barrier(void **) {
    fixture f = open_device(64);
    PR_LAUNCH(some_wait, 1, 64, 0, f.stream, f.all);
    expect(f, defect::divergence);
}
static void some_vote(words all) {
    if (threadIdx.x != 3) st(all, threadIdx.x, __ballot_sync(0xffffffffu, true));
}
static void not_in_mask(words all) { st(all, threadIdx.x, __shfl_sync(0x7fffffffu, 1u, 0)); }
static void barrier_against_vote(words) {
    if (threadIdx.x < 32)
        __syncthreads();
    else
        (void)__ballot_sync(0xffffffffu, threadIdx.x < 40 ? true : (__syncthreads(), false));
}
static void test_divergent_warp(void **) {
    fixture f = open_device(64);
    PR_LAUNCH(some_vote, 1, 32, 0, f.stream, f.all);
    expect(f, defect::divergence);
    f = open_device(64);
    PR_LAUNCH(not_in_mask, 1, 32, 0, f.stream, f.all);
    expect(f, defect::divergence);
    f = open_device(64);
    PR_LAUNCH(barrier_against_vote, 1, 64, 0, f.stream, f.all);
    expect(f, defect::divergence);
}
static void no_barrier(words all) {
    PR_SHARED(uint32_t, tile, 64);
    st(tile, threadIdx.x, threadIdx.x);
    st(all, threadIdx.x, ld(tile, 63 - threadIdx.x));
}
static void no_second_barrier(words all) {
    PR_SHARED(uint32_t, tile, 64);
    st(tile, threadIdx.x, 1u);
    __syncthreads();
    const uint32_t v = ld(tile, 63 - threadIdx.x);
    st(tile, threadIdx.x, v);
    st(all, threadIdx.x, v);
}
static void beyond_shared(words all) {
    PR_SHARED(uint32_t, tile, 63);
    st(tile, threadIdx.x, 1u);
    (void)all;
}
static void dynamic_shared(words all) {
    PR_SHARED_DYNAMIC(uint32_t, tile, blockDim.x);
    st(tile, threadIdx.x, 1u);
    (void)all;
}
static void test_shared_memory(void **) {
    void (*const wrong[])(words) = {no_barrier, no_second_barrier};
    for (auto kernel : wrong) {
        fixture f = open_device(64);
        PR_LAUNCH(kernel, 1, 64, 0, f.stream, f.all);
        expect(f, defect::shared_race);
    }
    fixture f = open_device(64);
    PR_LAUNCH(beyond_shared, 1, 64, 0, f.stream, f.all);
    expect(f, defect::out_of_bounds);
    for (unsigned missing = 0; missing < 2; missing++) {
        f = open_device(64);
        PR_LAUNCH(dynamic_shared, 1, 64, 256 - missing, f.stream, f.all);
        expect(f, missing ? defect::out_of_bounds : defect::none);
    }
}
static void test_bad_launches(void **) {
    const dim3 shapes[][2] = {{1, 1025}, {0, 32}, {1, 0}, {dim3(1, 65536), 32}};
    for (const auto &s : shapes) {
        fixture f = open_device(4096);
        assert_int_not_equal(PR_LAUNCH(beyond, s[0], s[1], 0, f.stream, f.all), cudaSuccess);
        expect(f, defect::bad_launch);
    }
    fixture f = open_device(64);
    assert_int_not_equal(PR_LAUNCH(beyond, 1, 32, 0, (cudaStream_t) nullptr, f.all), cudaSuccess);
    expect(f, defect::misuse);
}

/* More shared memory than usual only for functions that were allowed it, and what they were allowed last counts. */
static void test_dynamic_limits(void **) {
    const void *const kernel = (const void *)dynamic_shared;
    const struct {
        int allowed; /* -1: nothing said */
        size_t bytes;
        defect kind;
    } list[] = {{-1, 48 << 10, defect::none},
                {-1, (48 << 10) + 4, defect::bad_launch},
                {96 << 10, 96 << 10, defect::none},
                {4096, 4100, defect::bad_launch},
                {96 << 10, 4100, defect::none}};
    for (const auto &l : list) {
        fixture f = open_device(64);
        if (l.allowed >= 0)
            assert_int_equal(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, l.allowed),
                             cudaSuccess);
        PR_LAUNCH(dynamic_shared, 1, 64, l.bytes, f.stream, f.all);
        expect(f, l.kind);
    }
    assert_int_equal(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 100 << 10),
                     cudaErrorInvalidValue);
}
static void large_static(words all) {
    PR_SHARED(uint32_t, tile, (48 << 8) + 1);
    st(tile, threadIdx.x, 1u);
    (void)all;
}
static void test_static_limit(void **) {
    fixture f = open_device(64);
    PR_LAUNCH(large_static, 1, 32, 0, f.stream, f.all);
    expect(f, defect::bad_launch);
}

/* ---- order within a launch ---- */

/* The block that ends last reads what all have written; each thread what another one has. */
template <bool FENCES, bool MEETS, bool COUNTS, bool SEES> static void read_at_last(words all) {
    PR_SHARED(uint32_t, last, 1);
    st(all, 1 + blockIdx.x * blockDim.x + threadIdx.x, blockIdx.x);
    if (FENCES) __threadfence();
    if (MEETS) __syncthreads();
    if (threadIdx.x == 0) st(last, 0, (uint32_t)((COUNTS ? emu::atomic_add(all, 0, 1u) : blockIdx.x) + 1 == gridDim.x));
    __syncthreads();
    if (!ld(last, 0)) return;
    if (SEES) __threadfence();
    for (uint32_t k = 0; k < gridDim.x; k++) (void)ld(all, 1 + k * blockDim.x + (threadIdx.x + 1) % blockDim.x);
}
template <bool IS_FRESH> static void count_to_seven(words all) {
    if ((IS_FRESH ? emu::ld_fresh(all, 0) : ld(all, 0)) < 7) emu::atomic_add(all, 0, 1u);
}
static uint32_t place() { return blockIdx.x * blockDim.x + threadIdx.x; }
template <bool MEETS> static void read_neighbour(words all) {
    st(all, place(), 1u);
    if (MEETS) __syncthreads();
    (void)ld(all, place() ^ 1);
}
template <bool MEETS> static void write_behind_reads(words all) {
    (void)ld(all, 0);
    if (MEETS) __syncthreads();
    if (threadIdx.x == 1) st(all, 0, 7u);
}
template <bool ALIKE> static void write_one_word(words all) { st(all, 0, ALIKE ? 7u : threadIdx.x); }
static void add_one(words all) { st(all, place(), ld(all, place()) + 1); }

static void test_launch_order(void **) {
    const struct {
        void (*kernel)(words);
        bool is_good;
    } list[] = {{read_at_last<true, true, true, true>, true},
                {read_at_last<false, true, true, true>, false},
                {read_at_last<true, false, true, true>, false},
                {read_at_last<true, true, false, true>, false},
                {read_at_last<true, true, true, false>, false},
                {count_to_seven<true>, true},
                {count_to_seven<false>, false},
                {read_neighbour<true>, true},
                {read_neighbour<false>, false},
                {write_behind_reads<false>, false},
                {write_one_word<true>, true},
                {write_one_word<false>, false},
                {add_one, true}};
    for (const auto &l : list)
        for (int k = 0; k < 2; k++) { /* blocks forwards, and backwards */
            fixture f = open_device(1024);
            cudaMemsetAsync(f.memory, 0, 4096, f.stream);
            emu::the_order().is_watched = true;
            if (k) PR_LAUNCH(add_one, 2, 1, 0, f.stream, emu::sub(f.all, 1000, 2));
            PR_LAUNCH(l.kernel, 3, 64, 0, f.stream, f.all);
            if (l.is_good) PR_LAUNCH(l.kernel, 3, 64, 0, f.stream, f.all); /* another launch is another matter */
            expect(f, l.is_good ? defect::none : defect::block_race);
        }
    fixture f = open_device(64); /* one block's are no other block's matter */
    emu::the_order().is_watched = true;
    PR_LAUNCH(write_behind_reads<true>, 1, 64, 0, f.stream, f.all);
    expect(f, defect::none);
    f = open_device(64);
    emu::the_order().is_watched = true;
    PR_LAUNCH(write_behind_reads<true>, 2, 64, 0, f.stream, f.all);
    expect(f, defect::block_race);
}

/* Two streams, one place: in order only with an event between them. */
static void write_first(words all) { st(all, 0, 1u); }
static void read_first(words all) { st(all, 32, ld(all, 0)); }
static void two_streams(bool with_event, bool with_wait, defect kind) {
    fixture f = open_device(64);
    cudaStream_t other = nullptr;
    cudaEvent_t event;
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    PR_LAUNCH(write_first, 1, 1, 0, f.stream, f.all);
    if (with_event) {
        cudaEventRecord(event, f.stream);
        cudaStreamWaitEvent(other, event, 0);
    }
    if (with_wait) cudaStreamSynchronize(f.stream);
    PR_LAUNCH(read_first, 1, 1, 0, other, f.all);
    cudaStreamSynchronize(other);
    cudaStreamSynchronize(f.stream);
    if (emu::it().found != kind) fail_msg("found %d: %s", (int)emu::it().found, emu::it().text);
    cudaEventDestroy(event);
    emu::reset();
    cudaStreamDestroy(other);
    close_device(f);
}
static void test_queues(void **) {
    two_streams(false, false, defect::queue_race);
    two_streams(true, false, defect::none);
    two_streams(false, true, defect::none);
}

/* An error stays, whatever comes behind it, until the device is made anew. */
static void test_sticky(void **) {
    fixture f = open_device(31);
    void *p = nullptr;
    PR_LAUNCH(beyond, 1, 32, 0, f.stream, f.all);
    assert_int_equal(cudaStreamSynchronize(f.stream), cudaErrorIllegalAddress);
    assert_int_equal(cudaStreamSynchronize(f.stream), cudaErrorIllegalAddress);
    assert_int_equal(cudaGetLastError(), cudaErrorIllegalAddress);
    assert_int_equal(PR_LAUNCH(write_first, 1, 1, 0, f.stream, f.all), cudaErrorIllegalAddress);
    assert_int_equal(cudaMalloc(&p, 4), cudaErrorIllegalAddress);
    close_device(f);
    f = open_device(31);
    PR_LAUNCH(write_first, 1, 1, 0, f.stream, f.all);
    expect(f, defect::none);
}
static void test_injected(void **) {
    fixture f = open_device(31);
    void *p = nullptr;
    emu::it().fail_allocation = 2;
    assert_int_equal(cudaMalloc(&p, 4), cudaSuccess);
    cudaFree(p);
    assert_int_equal(cudaMalloc(&p, 4), cudaErrorMemoryAllocation);
    emu::it().limit_bytes = 1000;
    assert_int_equal(cudaMalloc(&p, 1000), cudaErrorMemoryAllocation);
    emu::it().fail_launch = 2;
    assert_int_equal(PR_LAUNCH(write_first, 1, 1, 0, f.stream, f.all), cudaSuccess);
    assert_int_not_equal(PR_LAUNCH(write_first, 1, 1, 0, f.stream, f.all), cudaSuccess);
    expect(f, defect::injected);
}

/* Times are those of the host's clock when the queue came by; an event that tells none cannot be asked. */
static void test_times(void **) {
    fixture f = open_device(64);
    cudaEvent_t from, to, mute;
    float ms = -1;
    cudaEventCreateWithFlags(&from, 0);
    cudaEventCreateWithFlags(&to, 0);
    cudaEventCreateWithFlags(&mute, cudaEventDisableTiming);
    cudaEventRecord(from, f.stream);
    PR_LAUNCH(write_first, 1, 1, 0, f.stream, f.all);
    cudaEventRecord(to, f.stream);
    assert_int_equal(cudaEventElapsedTime(&ms, from, to), cudaErrorNotReady);
    assert_int_equal(cudaEventSynchronize(to), cudaSuccess);
    assert_int_equal(cudaEventElapsedTime(&ms, from, to), cudaSuccess);
    assert_true(ms > 0);
    assert_int_equal(cudaEventElapsedTime(&ms, mute, to), cudaErrorInvalidValue);
    for (cudaEvent_t e : {from, to, mute}) cudaEventDestroy(e);
    expect(f, defect::none);
}

static void test_rows_of_pinned_memory(void **) {
    fixture f = open_device(64);
    uint32_t *host = nullptr, plain[4] = {1, 2, 3, 4};
    assert_int_equal(cudaMallocHost((void **)&host, 64), cudaSuccess);
    for (uint32_t k = 0; k < 16; k++) host[k] = k;
    cudaMemcpy2DAsync(f.memory, 32, host, 16, 8, 2, cudaMemcpyHostToDevice, f.stream);
    cudaMemcpyAsync(host, f.memory, 64, cudaMemcpyDeviceToHost, f.stream);
    cudaStreamSynchronize(f.stream);
    assert_true(host[0] == 0 && host[1] == 1 && host[8] == 4 && host[9] == 5);
    cudaMemcpy2DAsync(f.memory, 8, plain, 8, 8, 2, cudaMemcpyHostToDevice, f.stream);
    expect(f, defect::misuse);
    f = open_device(64);
    cudaMemcpy2DAsync(f.memory, (size_t)1 << 31, host, 16, 8, 1, cudaMemcpyHostToDevice, f.stream); /* too far apart */
    cudaFreeHost(host);
    expect(f, defect::misuse);
}

/* The host cannot reach what is the device's: it dies of it. */
static void test_host_access(void **) {
    fixture f = open_device(64);
    PR_LAUNCH(write_first, 1, 1, 0, f.stream, f.all);
    cudaStreamSynchronize(f.stream);
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit((int)*(volatile uint32_t *)f.memory & 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    expect(f, defect::none);
}

int main() {
    const CMUnitTest tests[] = {cmocka_unit_test(test_barriers),
                                cmocka_unit_test(test_warps),
                                cmocka_unit_test(test_atomics_and_memory),
                                cmocka_unit_test(test_pageable_memory),
                                cmocka_unit_test(test_out_of_bounds),
                                cmocka_unit_test(test_out_of_piece),
                                cmocka_unit_test(test_freed_memory),
                                cmocka_unit_test(test_misaligned),
                                cmocka_unit_test(test_divergent_barrier),
                                cmocka_unit_test(test_divergent_warp),
                                cmocka_unit_test(test_shared_memory),
                                cmocka_unit_test(test_bad_launches),
                                cmocka_unit_test(test_dynamic_limits),
                                cmocka_unit_test(test_static_limit),
                                cmocka_unit_test(test_launch_order),
                                cmocka_unit_test(test_queues),
                                cmocka_unit_test(test_sticky),
                                cmocka_unit_test(test_injected),
                                cmocka_unit_test(test_times),
                                cmocka_unit_test(test_rows_of_pinned_memory),
                                cmocka_unit_test(test_host_access)};
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
