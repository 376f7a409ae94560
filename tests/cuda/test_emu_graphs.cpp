/* Graphs of the emulation: work that is captured, and launched as a whole; what must not be done in a capture is found.
 */
#include "emulated.h"

static void add_to_second(words all) { st(all, 1, ld(all, 0) + ld(all, 1)); }

/* Copies of pinned memory and a kernel, captured; nothing runs until the graph is launched. */
struct captured {
    fixture f;
    uint32_t *host;
    cudaGraph_t graph;
    cudaGraphExec_t executable;
};
static captured capture_sum() {
    captured c{};
    void *host = nullptr;
    c.f = open_device(4);
    assert_int_equal(cudaMallocHost(&host, 16), cudaSuccess);
    c.host = (uint32_t *)host;
    cudaMemsetAsync(c.f.memory, 0, 16, c.f.stream);
    assert_int_equal(cudaStreamBeginCapture(c.f.stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    cudaMemcpyAsync(c.f.memory, c.host, 4, cudaMemcpyHostToDevice, c.f.stream);
    PR_LAUNCH(add_to_second, 1, 1, 0, c.f.stream, c.f.all);
    cudaMemcpyAsync(c.host + 2, c.f.memory, 8, cudaMemcpyDeviceToHost, c.f.stream);
    assert_int_equal(cudaStreamEndCapture(c.f.stream, &c.graph), cudaSuccess);
    assert_int_equal(cudaGraphInstantiate(&c.executable, c.graph, 0), cudaSuccess);
    assert_int_equal(cudaGraphDestroy(c.graph), cudaSuccess);
    return c;
}
static void test_graphs(void **) {
    captured c = capture_sum();
    assert_int_equal(cudaStreamSynchronize(c.f.stream), cudaSuccess);
    assert_int_equal(emu::it().count.launches, 0);
    for (uint32_t k = 1, sum = 0; k <= 3; k++) {
        c.host[0] = k;
        sum += k;
        assert_int_equal(cudaGraphLaunch(c.executable, c.f.stream), cudaSuccess);
        assert_int_equal(c.host[3], 0xd5d5d5d5u); /* until it has run */
        assert_int_equal(cudaStreamSynchronize(c.f.stream), cudaSuccess);
        assert_int_equal(c.host[2], k);
        assert_int_equal(c.host[3], sum);
    }
    assert_int_equal(emu::it().count.launches, 3);
    assert_int_equal(emu::it().count.graph_launches, 3);
    assert_int_equal(cudaGraphExecDestroy(c.executable), cudaSuccess);
    assert_int_equal(emu::graphs().size(), 0);
    cudaFreeHost(c.host);
    expect(c.f, defect::none);
}
/* An event of a graph tells of the launch that came last. */
static void test_graph_events(void **) {
    fixture f = open_device(4);
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    cudaEvent_t e;
    float ms = -1;
    cudaEventCreateWithFlags(&e, 0);
    cudaStreamBeginCapture(f.stream, cudaStreamCaptureModeThreadLocal);
    assert_int_equal(cudaEventRecordWithFlags(e, f.stream, cudaEventRecordExternal), cudaSuccess);
    PR_LAUNCH(add_to_second, 1, 1, 0, f.stream, f.all);
    cudaStreamEndCapture(f.stream, &graph);
    assert_int_equal(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
    for (uint64_t k = 0; k < 2; k++) {
        assert_int_equal(cudaGraphLaunch(executable, f.stream), cudaSuccess);
        assert_int_equal(cudaEventElapsedTime(&ms, e, e), cudaErrorNotReady);
        cudaEventSynchronize(e);
        assert_int_equal(cudaEventElapsedTime(&ms, e, e), cudaSuccess);
        assert_int_equal(emu::it().count.launches, k); /* what is behind it waits */
        assert_int_equal(cudaStreamSynchronize(f.stream), cudaSuccess);
    }
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
    assert_int_not_equal(cudaEventRecordWithFlags(e, f.stream, cudaEventRecordExternal),
                         cudaSuccess); /* in no capture */
    cudaEventDestroy(e);
    expect(f, defect::misuse);
}
static void test_dead_graphs(void **) {
    captured c = capture_sum();
    cudaGraphExecDestroy(c.executable);
    assert_int_not_equal(cudaGraphLaunch(c.executable, c.f.stream), cudaSuccess);
    cudaFreeHost(c.host);
    expect(c.f, defect::misuse);
    c = capture_sum(); /* a graph whose memory is no more */
    cudaFree(c.f.memory);
    assert_int_equal(cudaGraphLaunch(c.executable, c.f.stream), cudaSuccess);
    assert_int_not_equal(cudaStreamSynchronize(c.f.stream), cudaSuccess);
    assert_int_equal(emu::it().found, defect::dead_memory);
    emu::reset();
    cudaGraphExecDestroy(c.executable);
    cudaFreeHost(c.host);
    cudaStreamDestroy(c.f.stream);
}

static void wait_in_capture(fixture &f) { cudaStreamSynchronize(f.stream); }
static void allocate_in_capture(fixture &) {
    void *p = nullptr;
    cudaMalloc(&p, 4);
}
static void pin_in_capture(fixture &) {
    void *p = nullptr;
    cudaMallocHost(&p, 4);
}
static void free_in_capture(fixture &f) { cudaFree(f.memory); }
static void copy_pageable_in_capture(fixture &f) {
    uint32_t here = 1;
    cudaMemcpyAsync(f.memory, &here, 4, cudaMemcpyHostToDevice, f.stream);
}
static void copy_to_pageable_in_capture(fixture &f) {
    static uint32_t here;
    cudaMemcpyAsync(&here, f.memory, 4, cudaMemcpyDeviceToHost, f.stream);
}
static void record_in_capture(fixture &f) {
    cudaEvent_t e;
    cudaEventCreateWithFlags(&e, cudaEventDisableTiming);
    cudaEventRecord(e, f.stream);
    cudaEventDestroy(e);
}
static void capture_in_capture(fixture &f) { cudaStreamBeginCapture(f.stream, cudaStreamCaptureModeThreadLocal); }
static void test_refused_in_capture(void **) {
    void (*const wrong[])(fixture &) = {wait_in_capture,   allocate_in_capture,      pin_in_capture,
                                        free_in_capture,   copy_pageable_in_capture, copy_to_pageable_in_capture,
                                        record_in_capture, capture_in_capture};
    for (auto act : wrong) {
        fixture f = open_device(64);
        cudaGraph_t graph;
        assert_int_equal(cudaStreamBeginCapture(f.stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
        act(f);
        assert_int_not_equal(cudaStreamEndCapture(f.stream, &graph), cudaSuccess);
        assert_null(graph);
        expect(f, defect::misuse);
    }
    fixture f = open_device(64);
    cudaGraph_t graph;
    assert_int_not_equal(cudaStreamEndCapture(f.stream, &graph), cudaSuccess);
    expect(f, defect::misuse);
    assert_int_equal(emu::graphs().size(), 0);
}

int main() {
    const CMUnitTest tests[] = {cmocka_unit_test(test_graphs), cmocka_unit_test(test_graph_events),
                                cmocka_unit_test(test_dead_graphs), cmocka_unit_test(test_refused_in_capture)};
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
