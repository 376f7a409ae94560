/* The interpreter against each instruction's meaning, written down here a second time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "gadgets/numbers.h"
#include "support.h"
#include "vm_programs.h"

typedef uint64_t meaning(uint64_t a, uint64_t b);
static uint64_t add(uint64_t a, uint64_t b) { return a + b; }
static uint64_t sub(uint64_t a, uint64_t b) { return a - b; }
static uint64_t mul(uint64_t a, uint64_t b) { return a * b; }
static uint64_t divide(uint64_t a, uint64_t b) { return a / b; }
static uint64_t mod(uint64_t a, uint64_t b) { return a % b; }
static uint64_t and (uint64_t a, uint64_t b) { return a & b; }
static uint64_t or (uint64_t a, uint64_t b) { return a | b; }
static uint64_t xor (uint64_t a, uint64_t b) { return a ^ b; } static uint64_t shl(uint64_t a, uint64_t b) {
    return a << b % 32;
}
static uint64_t shr(uint64_t a, uint64_t b) { return a >> b % 32; }
static uint64_t eq(uint64_t a, uint64_t b) { return a == b; }
static uint64_t lt(uint64_t a, uint64_t b) { return a < b; }
static uint64_t gt(uint64_t a, uint64_t b) { return a > b; }

static const struct {
    const char *name;
    meaning *meaning;
} binary[] = {{"ADD", add}, {"SUB", sub}, {"MUL", mul}, {"DIV", divide}, {"MOD", mod}, {"AND", and}, {"OR", or },
              {"XOR", xor}, {"SHL", shl}, {"SHR", shr}, {"EQ", eq},      {"LT", lt},   {"GT", gt}};

/* Runs `op` on two words, from registers and with a number; r3 of either. */
static void run_binary(const char *name, uint32_t a, uint32_t b, uint32_t expected) {
    char text[256];
    snprintf(text, sizeof text, "LOADIMM r1, %u\nLOADIMM r2, %u\n%s r3, r1, r2\n%s r1, r1, %u\nHALT", a, b, name, name,
             b);
    pr_vm_program p = vm_assemble(text);
    pr_vm_machine m = vm_run(&p, NULL, 0, false);
    assert_int_equal(m.end, PR_VM_HALTED);
    assert_int_equal(m.n_steps, 5);
    if (m.registers[3] != expected || m.registers[1] != expected)
        fail_msg("%s %u, %u: %u and %u, not %u", name, a, b, m.registers[3], m.registers[1], expected);
    pr_vm_machine_clear(&m);
    pr_vm_program_clear(&p);
}

static void binary_instructions(void **state) {
    (void)state;
    uint64_t random = test_seed();
    for (size_t op = 0; op < sizeof binary / sizeof *binary; op++)
        for (int k = 0; k < 300; k++) {
            uint32_t a = vm_random_word(&random), b = vm_random_word(&random);
            bool divides = binary[op].meaning == divide || binary[op].meaning == mod;
            if (divides && !b) b = 1;
            run_binary(binary[op].name, a, b, (uint32_t)binary[op].meaning(a, b));
        }
}

static pr_vm_machine run_text(const char *text) {
    pr_vm_program p = vm_assemble(text);
    pr_vm_machine m = vm_run(&p, NULL, 0, false);
    pr_vm_program_clear(&p);
    return m;
}

static void division_by_zero_traps(void **state) {
    (void)state;
    static const char *const texts[] = {"LOADIMM r1, 5\nLOADIMM r3, 7\nDIV r3, r1, r2\nHALT",
                                        "LOADIMM r1, 5\nLOADIMM r3, 7\nMOD r3, r1, 0\nHALT"};
    for (int k = 0; k < 2; k++) {
        pr_vm_machine m = run_text(texts[k]);
        assert_int_equal(m.end, PR_VM_DIVISION_BY_ZERO);
        assert_int_equal(m.n_steps, 3);
        assert_int_equal(m.registers[3], 7);
        pr_vm_machine_clear(&m);
    }
}

static void the_other_instructions(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t r3;
    } cases[] = {
        {"LOADIMM r1, 0x0f0f1234\nNOT r3, r1\nHALT", 0xf0f0edcb},
        {"LOAD r3, r1, 77\nHALT", 0}, /* never written */
        {"LOADIMM r1, 9\nLOADIMM r2, 5\nSTORE r1, r2, -6\nLOADIMM r2, -2\nLOAD r3, r2, 1\nHALT", 9},
        {"JMP on\nLOADIMM r3, 1\non: HALT", 0},
        {"JZ r1, on\nLOADIMM r3, 1\non: HALT", 0},
        {"LOADIMM r1, 2\nJZ r1, on\nLOADIMM r3, 1\non: HALT", 1},
        {"JNZ r1, on\nLOADIMM r3, 1\non: HALT", 1},
        {"LOADIMM r1, 0x80000000\nJNZ r1, on\nLOADIMM r3, 1\non: HALT", 0},
        {"CALL f\nADD r3, r3, 1\nHALT\nf: CALL g\nADD r3, r3, r3\nRET\ng: LOADIMM r3, 5\nNOP\nRET", 11},
        {"CALL f\nHALT\nf: LOAD r3, sp\nRET", 1}, /* the return address is at sp */
        {"CALL f\nHALT\nf: ADD r3, sp, 0\nRET", 0xffffffff},
        {"LOADIMM r1, DATA\nLOAD r3, r1, 1\nHALT\n.word 1, 22, 3", 22},
        {"LOADIMM r1, INPUT\nLOAD r3, r1\nHALT", 0}, /* no inputs */
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        pr_vm_machine m = run_text(cases[k].text);
        if (m.registers[3] != cases[k].r3) fail_msg("%s: r3 = %u", cases[k].text, m.registers[3]);
        pr_vm_machine_clear(&m);
    }
}

static void what_has_no_end(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } bad[] = {{"here: JMP here", "the program still runs after 1000 steps, the most that are allowed"},
               {"LOADIMM r1, 70000\nSTORE r1, r2\nRET",
                "step 3, instruction 2: RET to 70000, outside of the program's 3 instructions"},
               {"LOADIMM r1, 3\nSTORE r1, r2\nRET",
                "step 3, instruction 2: RET to 3, outside of the program's 3 instructions"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        pr_vm_program p = vm_assemble(bad[k].text);
        pr_vm_machine m;
        pr_error err = {0};
        assert_int_equal(pr_vm_machine_init(&m, &p, NULL, 0, NULL), PR_OK);
        assert_int_equal(pr_vm_machine_run(&m, 1000, &err), PR_ERR_INPUT);
        assert_string_equal(err.text, bad[k].expected);
        pr_vm_machine_clear(&m);
        pr_vm_program_clear(&p);
    }
}

static void run_file(uint32_t **outputs, uint32_t *n, const char *file, const uint32_t *inputs, size_t n_inputs) {
    char path[512];
    snprintf(path, sizeof path, "%s/vm/programs/%s", PR_TEST_JOBS, file);
    pr_vm_program p;
    pr_error err = {0};
    if (pr_vm_program_load(&p, path, &err) != PR_OK) fail_msg("%s", err.text);
    pr_vm_machine m = vm_run(&p, inputs, n_inputs, false);
    assert_int_equal(m.end, PR_VM_HALTED);
    assert_int_equal(pr_vm_machine_outputs(outputs, n, &m, NULL), PR_OK);
    pr_vm_machine_clear(&m);
    pr_vm_program_clear(&p);
}

static void fibonacci(void **state) {
    (void)state;
    static const uint32_t expected[][2] = {{0, 0}, {1, 1}, {2, 1}, {10, 55}, {47, 2971215073u}, {48, 512559680u}};
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        uint32_t *outputs, n;
        run_file(&outputs, &n, "fibonacci.asm", &expected[k][0], 1);
        assert_int_equal(n, 1);
        assert_int_equal(outputs[0], expected[k][1]);
        free(outputs);
    }
}

static int ascending(const void *x, const void *y) {
    float a, b;
    memcpy(&a, x, sizeof a);
    memcpy(&b, y, sizeof b);
    return (a > b) - (a < b);
}

static void sorting(void **state) {
    (void)state;
    uint64_t random = test_seed();
    uint32_t inputs[60], *outputs, n;
    for (size_t count = 0; count <= 60; count += 12) {
        for (size_t k = 0; k < count; k++) {
            float v = (float)(int64_t)(next_random(&random) >> 40) / 1024 - 8192;
            memcpy(&inputs[k], &v, sizeof v);
        }
        run_file(&outputs, &n, "sort.asm", inputs, count);
        qsort(inputs, count, sizeof *inputs, ascending);
        assert_int_equal(n, count);
        if (count) assert_memory_equal(outputs, inputs, count * sizeof *inputs);
        free(outputs);
    }
}

/* The padded block of "abc": its SHA-256 in FIPS 180-4's example. */
static void mixing(void **state) {
    (void)state;
    uint32_t block[16] = {[0] = 0x61626380, [15] = 24}, *outputs, n;
    static const uint32_t expected[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                         0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
    run_file(&outputs, &n, "mix.asm", block, 16);
    assert_int_equal(n, 8);
    assert_memory_equal(outputs, expected, sizeof expected);
    free(outputs);
}

/* README.md has this digest too. */
static void hashing(void **state) {
    (void)state;
    static const uint32_t inputs[] = {1, 2, 3, 4, 0xffffffff},
                          expected[8] = {843404259, 607362093, 454243754,  1938270959,
                                         735124309, 251327547, 1361081654, 331991971};
    uint32_t *outputs, n;
    run_file(&outputs, &n, "hash.asm", inputs, 5);
    assert_int_equal(n, 8);
    assert_memory_equal(outputs, expected, sizeof expected);
    free(outputs);
}

/* The digit that the file names, by a sum that is the largest. */
static void network(void **state) {
    (void)state;
    uint32_t *pixels, *outputs, n;
    size_t n_pixels;
    assert_int_equal(pr_numbers_load(&pixels, &n_pixels, PR_NUMBER_WORD, PR_TEST_JOBS "/vm/programs/digit.txt",
                                     PR_VM_MAX_FILE, NULL),
                     PR_OK);
    assert_int_equal(n_pixels, 64);
    run_file(&outputs, &n, "network.asm", pixels, n_pixels);
    assert_int_equal(n, 11);
    assert_int_equal(outputs[0], 2);
    for (int k = 0; k < 10; k++)
        if (k != 2) assert_true((int32_t)outputs[1 + k] < (int32_t)outputs[3]);
    free(outputs);
    free(pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_instructions),
        cmocka_unit_test(division_by_zero_traps),
        cmocka_unit_test(the_other_instructions),
        cmocka_unit_test(what_has_no_end),
        cmocka_unit_test(fibonacci),
        cmocka_unit_test(sorting),
        cmocka_unit_test(mixing),
        cmocka_unit_test(hashing),
        cmocka_unit_test(network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
