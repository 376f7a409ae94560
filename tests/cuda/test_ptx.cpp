/* The machine for PTX (ptx/machine.h) by itself: instructions against what C makes of the same numbers, threads that
 * wait for each other, and texts and kernels that are wrong, each of which ends the program. */
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>
#include "ptx/machine.h"
extern "C" {
#include <cmocka.h>
}

static uint64_t memory[64];
void ptx::check_global(uint64_t p, size_t bytes) {
    const char *at = (const char *)(uintptr_t)p, *first = (const char *)memory;
    if (at < first || at + bytes > first + sizeof memory) ptx::stop("outside");
}

static std::string with_body(const char *head, const char *body) {
    return std::string(".version 9.0\n.target sm_90\n.address_size 64\n") + head +
           ".visible .entry k(\n.param .u64 k_param_0\n)\n.maxntid 64, 1, 1\n{\nld.param.u64 %rd1, [k_param_0];\n"
           "cvta.to.global.u64 %rd0, %rd1;\n" +
           body + "ret;\n}\n";
}
static ptx::kernel read_kernel(const std::string &text) {
    std::map<std::string, ptx::kernel> all;
    ptx::read_module(all, text.data(), text.size());
    return all.at("k");
}
static void run(const std::string &text, unsigned threads, size_t dynamic_bytes = 0) {
    const ptx::kernel k = read_kernel(text);
    std::vector<char> arguments(8);
    const uint64_t p = (uint64_t)(uintptr_t)memory;
    memcpy(arguments.data(), &p, 8);
    ptx::run_grid(k, ptx::shape{1, 1, 1}, ptx::shape{threads, 1, 1}, dynamic_bytes, arguments);
}

/* ---- instructions ---- */

struct rule {
    const char *insn; /* of a, b, c in %rd2 .. %rd4, or their lower halves in %r2 .. %r4, to %rd5 or %r5 */
    uint64_t (*in_c)(uint64_t a, uint64_t b, uint64_t c);
};
#define LOW(x) ((uint32_t)(x))
#define RULE(insn, value)                                                                                              \
    {                                                                                                                  \
        insn, [](uint64_t a, uint64_t b, uint64_t c) -> uint64_t { return (void)a, (void)b, (void)c, (value); }        \
    }
static const rule rules[] = {
    RULE("add.s32 %r5, %r2, %r3;", LOW(a + b)),
    RULE("add.s64 %rd5, %rd2, %rd3;", a + b),
    RULE("sub.s32 %r5, %r2, %r3;", LOW(a - b)),
    RULE("mul.lo.s64 %rd5, %rd2, %rd3;", a *b),
    RULE("mul.wide.u32 %rd5, %r2, %r3;", (uint64_t)LOW(a) * LOW(b)),
    RULE("mul.wide.s32 %rd5, %r2, %r3;", (uint64_t)((int64_t)(int32_t)a *(int32_t)b)),
    RULE("mul.hi.u32 %r5, %r2, %r3;", (uint64_t)LOW(a) * LOW(b) >> 32),
    RULE("mad.lo.s32 %r5, %r2, %r3, %r4;", LOW(a *b + c)),
    RULE("mad.wide.u32 %rd5, %r2, %r3, %rd4;", (uint64_t)LOW(a) * LOW(b) + c),
    RULE("div.u32 %r5, %r2, %r3;", LOW(a) / LOW(b)),
    RULE("rem.u64 %rd5, %rd2, %rd3;", a % b),
    RULE("min.u32 %r5, %r2, %r3;", LOW(a) < LOW(b) ? LOW(a) : LOW(b)),
    RULE("max.s32 %r5, %r2, %r3;", LOW((int32_t)a > (int32_t)b ? a : b)),
    RULE("and.b32 %r5, %r2, %r3;", LOW(a &b)),
    RULE("xor.b64 %rd5, %rd2, %rd3;", a ^ b),
    RULE("not.b32 %r5, %r2;", LOW(~a)),
    RULE("neg.s32 %r5, %r2;", LOW(0 - a)),
    RULE("shl.b32 %r5, %r2, 7;", LOW(a << 7)),
    RULE("shl.b32 %r5, %r2, 32;", 0),
    RULE("shr.u64 %rd5, %rd2, 31;", a >> 31),
    RULE("shr.s32 %r5, %r2, 31;", LOW((int32_t)a >> 31)),
    RULE("shf.r.wrap.b32 %r5, %r2, %r3, 7;", LOW(((uint64_t)LOW(b) << 32 | LOW(a)) >> 7)),
    RULE("shf.l.wrap.b32 %r5, %r2, %r3, 39;", LOW(((uint64_t)LOW(b) << 32 | LOW(a)) << 7 >> 32)),
    RULE("brev.b32 %r5, %r2; brev.b32 %r5, %r5;", LOW(a)),
    RULE("brev.b32 %r5, 6;", 0x60000000u),
    RULE("clz.b32 %r5, %r2;", LOW(a) ? (uint64_t)__builtin_clz(LOW(a)) : 32),
    RULE("cvt.u64.u32 %rd5, %r2;", LOW(a)),
    RULE("cvt.s64.s32 %rd5, %r2;", (uint64_t)(int64_t)(int32_t)a),
    RULE("cvt.u32.u64 %r5, %rd2;", LOW(a)),
    RULE("mov.b64 %rd5, {%r2, %r3};", (uint64_t)LOW(b) << 32 | LOW(a)),
    RULE("mov.b64 {%r6, %r5}, %rd2;", a >> 32),
    RULE("setp.lt.u32 %p1, %r2, %r3; selp.b32 %r5, 3, 4, %p1;", LOW(a) < LOW(b) ? 3 : 4),
    RULE("setp.gt.s64 %p1, %rd2, %rd3; selp.b32 %r5, 3, 4, %p1;", (int64_t)a > (int64_t)b ? 3 : 4),
    RULE("setp.eq.s32 %p1, %r2, %r2; not.pred %p2, %p1; selp.b32 %r5, 3, 4, %p2;", 4),
    RULE("mov.u32 %r5, 1; @%p9 bra $L; mov.u32 %r5, 2; $L: add.s32 %r5, %r5, %tid.x;", 2),
    RULE("st.global.v2.u32 [%rd0+64], {%r2, %r3}; ld.global.u64 %rd5, [%rd0+64];", (uint64_t)LOW(b) << 32 | LOW(a)),
    RULE("st.local.u32 [depot+4], %r2; ld.local.s32 %r5, [depot+4];", LOW(a)),
    RULE("st.global.u64 [%rd0+64], %rd2; atom.global.min.u64 %rd6, [%rd0+64], %rd3; ld.global.u64 %rd5, [%rd0+64];",
         a < b ? a : b),
    RULE("st.global.u32 [%rd0+64], %r2; atom.global.add.u32 %r5, [%rd0+64], 1;", LOW(a)),
    RULE("st.global.u32 [%rd0+64], %r2; atom.global.add.u32 %r6, [%rd0+64], 1; ld.global.u32 %r5, [%rd0+64];",
         LOW(a + 1)),
};

static uint64_t draw(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    const uint64_t v = *seed ^ *seed >> 33;
    return *seed >> 60 == 0 ? v >> 40 : v;
}
static void test_instructions(void **) {
    uint64_t seed = getenv("PR_TEST_SEED") ? strtoull(getenv("PR_TEST_SEED"), nullptr, 10) : 29;
    print_message("PR_TEST_SEED=%llu\n", (unsigned long long)seed);
    for (const rule &r : rules) {
        const bool is_wide = strstr(r.insn, "%rd5,") != nullptr;
        const std::string text = with_body(
            "",
            (std::string(".local .align 8 .b8 depot[16];\nld.global.u64 %rd2, [%rd0];\nld.global.u64 %rd3, [%rd0+8];\n"
                         "ld.global.u64 %rd4, [%rd0+16];\ncvt.u32.u64 %r2, %rd2; cvt.u32.u64 %r3, %rd3; cvt.u32.u64 "
                         "%r4, %rd4;\n"
                         "setp.ne.s32 %p9, 0, 0;\n") +
             r.insn + (is_wide ? "" : "\ncvt.u64.u32 %rd5, %r5;") + "\nst.global.u64 [%rd0+24], %rd5;\n")
                .c_str());
        for (int k = 0; k < 40; k++) {
            const uint64_t a = memory[0] = draw(&seed), b = memory[1] = draw(&seed) | 1, c = memory[2] = draw(&seed);
            run(text, 1);
            if (memory[3] != r.in_c(a, b, c))
                fail_msg("%s of %llx %llx %llx is %llx", r.insn, (unsigned long long)a, (unsigned long long)b,
                         (unsigned long long)c, (unsigned long long)memory[3]);
        }
    }
}

/* ---- threads ---- */

static const char shared_head[] = ".shared .align 16 .b8 unused[4096];\n.shared .align 4 .b8 tile[256];\n";
static std::string neighbours(const char *barrier) {
    return with_body(
        shared_head,
        (std::string("mov.u32 %r1, %tid.x; shl.b32 %r2, %r1, 2; mov.u32 %r3, tile; add.s32 %r4, %r3, %r2;\n"
                     "st.shared.u32 [%r4], %r1;\n") +
         barrier +
         "xor.b32 %r5, %r2, 252; add.s32 %r5, %r3, %r5; ld.shared.u32 %r6, [%r5];\n"
         "mul.wide.u32 %rd2, %r1, 4; add.s64 %rd3, %rd0, %rd2; st.global.u32 [%rd3], %r6;\n")
            .c_str());
}
static void test_barriers(void **) {
    const uint32_t *out = (const uint32_t *)memory;
    run(neighbours("bar.sync 0;\n"), 64);
    for (uint32_t k = 0; k < 64; k++) assert_int_equal(out[k], 63 - k);
    assert_int_equal(read_kernel(neighbours("")).shared_bytes, 256); /* what the kernel names, and no more */
    run(neighbours(""), 64);
    assert_int_equal(out[0], 0xd5d5d5d5u); /* not there yet */
}
static void test_shuffles(void **) {
    run(with_body("", "mov.u32 %r1, %tid.x; mul.lo.s32 %r2, %r1, 3;\nshfl.sync.bfly.b32 %r3|%p1, %r2, 5, 31, -1;\n"
                      "mul.wide.u32 %rd2, %r1, 4; add.s64 %rd3, %rd0, %rd2; st.global.u32 [%rd3], %r3;\n"),
        64);
    for (uint32_t k = 0; k < 64; k++) assert_int_equal(((const uint32_t *)memory)[k], 3 * (k ^ 5));
}
static void test_dynamic_shared_memory(void **) {
    run(with_body(".extern .shared .align 16 .b8 all[];\n",
                  "mov.u32 %r1, 7; st.shared.u32 [all+60], %r1; ld.shared.u32 %r2, [all+60];\n"
                  "st.global.u32 [%rd0], %r2;\n"),
        1, 64);
    assert_int_equal((uint32_t)memory[0], 7);
}

/* ---- what is wrong ---- */

static void expect_stop(const char *head, const char *body, unsigned threads, const char *why) {
    int ends[2], status = 0;
    char said[512] = "";
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        run(with_body(head, body), threads);
        _exit(0);
    }
    close(ends[1]);
    size_t n_said = 0;
    for (ssize_t n; n_said < sizeof said - 1 && (n = read(ends[0], said + n_said, sizeof said - 1 - n_said)) > 0;)
        n_said += (size_t)n;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 3 || !strstr(said, why)) fail_msg("%s: '%s'", body, said);
}
static void test_wrong(void **) {
    expect_stop("", "frob.u32 %r1, %r2;\n", 1, "instruction frob.u32");
    expect_stop("", "ld.global.nc.u32 %r1, [%rd0];\n", 1, "nobody keeps up to date");
    expect_stop("", "bra $nowhere;\n", 1, "no label");
    expect_stop("", "ld.global.u32 %r1, [%rd0+512];\n", 1, "outside");
    expect_stop("", "ld.global.u64 %rd5, [%rd0+4];\n", 1, "at an odd place");
    expect_stop("", ".local .align 4 .b8 d[8];\nst.local.u32 [d+8], 1;\n", 1, "byte 8 of 8");
    expect_stop(shared_head, "st.shared.u32 [tile+256], 1;\n", 1, "byte 256 of 256");
    expect_stop("", "mov.u32 %r1, %tid.x; setp.eq.s32 %p1, %r1, 0; @%p1 bra $L; bar.sync 0; $L: mov.u32 %r2, 0;\n", 2,
                "wait for each other");
    expect_stop("", "shfl.sync.bfly.b32 %r3|%p1, %r2, 1, 31, -1;\n", 16, "wait for each other");
    expect_stop("", "shfl.sync.bfly.b32 %r3|%p1, %r2, 1, 31, 0x7fffffff;\n", 32, "not in");
}

int main() {
    const CMUnitTest tests[] = {cmocka_unit_test(test_instructions), cmocka_unit_test(test_barriers),
                                cmocka_unit_test(test_shuffles), cmocka_unit_test(test_dynamic_shared_memory),
                                cmocka_unit_test(test_wrong)};
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
