/* The emulation used by several threads: each has its streams, what it captures, selects and has waited for; work of
 * two threads on one place is a race unless an event stands between; streams end in any order. */
#include <atomic>
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <thread>
#include "cuda/emu/emu.h"
extern "C" {
#include <cmocka.h>
}

using emu::defect;
using emu::ld;
using emu::span;
using emu::st;
using emu::sub;
typedef span<uint32_t> words;

static uint32_t *allocate(size_t n) {
    void *p = nullptr;
    assert_int_equal(cudaMalloc(&p, n * 4), cudaSuccess);
    return (uint32_t *)p;
}

/* Neighbours by way of shared memory, so that threads of a block wait for each other. */
static void turn(words all) {
    PR_SHARED(uint32_t, tile, 64);
    st(tile, threadIdx.x, ld(all, threadIdx.x));
    __syncthreads();
    st(all, threadIdx.x, ld(tile, (threadIdx.x + 1) % 64));
}

/* Launches, half of them by a graph, and waits; how many words were not what they should be. */
static void work(unsigned first, std::atomic<unsigned> *n_wrong) {
    uint32_t host[64];
    cudaStream_t s = nullptr;
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking);
    uint32_t *memory = allocate(64);
    const words all = emu::span_of(memory, 64);
    for (unsigned k = 0; k < 64; k++) host[k] = first + k;
    cudaMemcpyAsync(memory, host, sizeof host, cudaMemcpyHostToDevice, s);
    cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal);
    PR_LAUNCH(turn, 1, 64, 0, s, all);
    cudaStreamEndCapture(s, &graph);
    cudaGraphInstantiate(&executable, graph, 0);
    for (unsigned k = 0; k < 16; k++) {
        cudaGraphLaunch(executable, s);
        PR_LAUNCH(turn, 1, 64, 0, s, all);
        if (k % 4 == 0) cudaStreamSynchronize(s);
    }
    cudaMemcpyAsync(host, memory, sizeof host, cudaMemcpyDeviceToHost, s);
    cudaStreamSynchronize(s);
    for (unsigned k = 0; k < 64; k++) *n_wrong += host[k] != first + (k + 32) % 64;
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
    cudaFree(memory);
    cudaStreamDestroy(s);
}

static void test_side_by_side(void **) {
    std::atomic<unsigned> n_wrong{0};
    std::thread threads[4];
    emu::reset();
    for (unsigned k = 0; k < 4; k++) threads[k] = std::thread(work, 100 * k, &n_wrong);
    for (std::thread &t : threads) t.join();
    if (emu::it().found != defect::none) fail_msg("%s", emu::it().text);
    assert_int_equal(n_wrong, 0);
    assert_int_equal(emu::it().count.launches, 4 * 32);
    assert_int_equal(emu::it().n_streams, 0);
}

/* What one thread may not do while it captures, another may. */
static void test_captures(void **) {
    cudaStream_t s = nullptr;
    cudaGraph_t graph = nullptr;
    emu::reset();
    cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking);
    cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal);
    std::thread([]() { cudaFree(allocate(64)); }).join();
    assert_int_equal(emu::it().found, defect::none);
    assert_int_equal(cudaStreamEndCapture(s, &graph), cudaSuccess);
    cudaGraphDestroy(graph);
    cudaStreamDestroy(s);
}

static void write_first(words all) { st(all, 0, 1u); }

/* A thread has its own device, the first one as long as it has said nothing, whatever the others have selected. */
static void test_devices_of_threads(void **) {
    cudaStream_t s = nullptr;
    emu::reset();
    emu::devices().all = {{"0000:10:00.0", "GPU-a"}, {"0000:20:00.0", "GPU-b"}};
    uint32_t *memory = allocate(64);
    const words all = emu::span_of(memory, 64);
    std::thread([&]() {
        cudaSetDevice(1);
        cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking);
        PR_LAUNCH(write_first, 1, 1, 0, s, all);
        cudaStreamSynchronize(s);
    }).join();
    assert_int_equal(emu::it().found, defect::none);
    assert_int_not_equal(PR_LAUNCH(write_first, 1, 1, 0, s, all), cudaSuccess);
    assert_int_equal(emu::it().found, defect::misuse);
    emu::reset();
    emu::devices().all.clear();
    cudaFree(memory);
    cudaStreamDestroy(s);
}

/* A thread writes where another thread's stream has written, which has waited for it or not; that one's waiting is not
 * its own. */
static void two_threads(bool with_event, defect kind) {
    cudaStream_t mine = nullptr, other = nullptr;
    cudaEvent_t event = nullptr;
    emu::reset();
    cudaStreamCreateWithFlags(&mine, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    uint32_t *memory = allocate(64);
    const words all = emu::span_of(memory, 64);
    std::thread([=]() {
        PR_LAUNCH(write_first, 1, 1, 0, other, all);
        cudaEventRecord(event, other);
        cudaStreamSynchronize(other);
    }).join();
    if (with_event) cudaStreamWaitEvent(mine, event, 0);
    PR_LAUNCH(write_first, 1, 1, 0, mine, all);
    cudaStreamSynchronize(mine);
    assert_int_equal(emu::it().found, kind);
    emu::reset();
    cudaEventDestroy(event);
    cudaFree(memory);
    cudaStreamDestroy(mine); /* the first that was made */
    cudaStreamDestroy(other);
}
static void test_races(void **) {
    two_threads(false, defect::queue_race);
    two_threads(true, defect::none);
}

/* A stream that has the number of one that is no more: what was waited for there was not waited for here. */
static void test_numbers(void **) {
    cudaStream_t first = nullptr, second = nullptr;
    emu::reset();
    uint32_t *memory = allocate(64);
    const words all = emu::span_of(memory, 64);
    cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking);
    for (int k = 0; k < 8; k++) PR_LAUNCH(write_first, 1, 1, 0, first, all);
    cudaStreamSynchronize(first);
    cudaStreamDestroy(first);
    cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking);
    PR_LAUNCH(write_first, 1, 1, 0, first, all);
    PR_LAUNCH(write_first, 1, 1, 0, second, all);
    cudaStreamSynchronize(first);
    cudaStreamSynchronize(second);
    assert_int_equal(emu::it().found, defect::queue_race);
    emu::reset();
    cudaFree(memory);
    cudaStreamDestroy(first);
    cudaStreamDestroy(second);
}

int main() {
    const CMUnitTest tests[] = {cmocka_unit_test(test_side_by_side), cmocka_unit_test(test_captures),
                                cmocka_unit_test(test_devices_of_threads), cmocka_unit_test(test_races),
                                cmocka_unit_test(test_numbers)};
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
