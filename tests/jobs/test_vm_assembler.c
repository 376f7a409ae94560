#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "gadgets/numbers.h"
#include "support.h"
#include "vm/assemble.h"
#include "vm_programs.h"

static void assert_same_program(const pr_vm_program *x, const pr_vm_program *y) {
    pr_writer a, b;
    pr_writer_init(&a);
    pr_writer_init(&b);
    pr_vm_program_write(&a, x);
    pr_vm_program_write(&b, y);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    pr_writer_clear(&a);
    pr_writer_clear(&b);
}

static void each_form(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t word;
    } lines[] = {
        {"NOP", 0},
        {"halt", 1},
        {"LOADIMM r3, 0x12345678", 0x1234567800000302},
        {"LOADIMM R31, -1", 0xffffffff00001f02},
        {"LOAD r1, r2", 0x0000000000004103},
        {"LOAD r1, sp, 5", 0x000000050003e103},
        {"STORE r7, r9, INPUT+1", 0x40000001001d2004},
        {"ADD r1, r2, r3", 0x00000000000c4105},
        {"ADD r1, r2, 3", 0x0000000300804105},
        {"not r4, r5", 0x000000000000a40d},
        {"SHR r30, r29, 31", 0x0000001f0083be0f},
        {"JZ r6, 0", 0x000000000000c014},
        {"RET", 0x17},
        {"RELU r4, r5", 0x000000000000a418},
        {"MATMUL r1, r2, r3, 5, 1023, 7", 0x007ffc05000c4119},
        {"HASH r1, r2, r3", 0x00000000000c411a},
        {"HASH r1, r2, 9", 0x000000090080411a},
    };
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        char text[128];
        snprintf(text, sizeof text, "%s\nHALT", lines[k].text);
        pr_vm_program p = vm_assemble(text);
        assert_int_equal(p.n_instructions, 2);
        if (pr_vm_encode(&p.instructions[0]) != lines[k].word)
            fail_msg("%s: %016llx", lines[k].text, (unsigned long long)pr_vm_encode(&p.instructions[0]));
        pr_vm_program_clear(&p);
    }
}

static void names_and_data(void **state) {
    (void)state;
    pr_vm_program p = vm_assemble("; a program\n"
                                  "        .equ A, 7\n"
                                  "        .equ B, A + 0x10 - 1  ; of what was before\n"
                                  "start: begin:\n"
                                  "        LOADIMM r1, table+1\n"
                                  "        loadimm r2, -B\r\n"
                                  "        JMP later\n"
                                  "table:  .word 1, later, A,-2\n"
                                  "later:  JNZ r1, start\n"
                                  "        HALT\n"
                                  "more:   .word more");
    assert_int_equal(p.n_instructions, 5);
    assert_int_equal(p.instructions[0].imm, PR_VM_DATA + 1);
    assert_int_equal(p.instructions[1].imm, (uint32_t)-22);
    assert_int_equal(p.instructions[2].imm, 3);
    assert_int_equal(p.instructions[3].imm, 0);
    static const uint32_t data[] = {1, 3, 7, 0xfffffffe, PR_VM_DATA + 4};
    assert_int_equal(p.n_data, 5);
    assert_memory_equal(p.data, data, sizeof data);
    pr_vm_program_clear(&p);
}

static void errors_say_where(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } bad[] = {
        {"NOP\n  FROB r1\nHALT", "p:2:3: no instruction 'FROB'"},
        {"NOP\nMATMUL r1, r2, r3\nHALT", "p:2:18: a comma is missing, and another operand"},
        {"MATMUL r1, r2, 3, 1, 1, 1\nHALT", "p:1:16: a register is missing: r0 to r31, or sp"},
        {"MATMUL r1, r2, r3, 1, 2\nHALT", "p:1:24: a comma is missing, and another operand"},
        {"MATMUL r1, r2, r3, 0, 2, 3\nHALT", "p:1:20: dimension 0; allowed: 1 to 1023"},
        {"MATMUL r1, r2, r3, 1, 1024, 3\nHALT", "p:1:23: dimension 1024; allowed: 1 to 1023"},
        {"MATMUL r1, r2, r3, 1, 2, -3\nHALT", "p:1:26: dimension 4294967293; allowed: 1 to 1023"},
        {"HASH r1, 5, 6\nHALT", "p:1:10: a register is missing: r0 to r31, or sp"},
        {"HASH r1, r2\nHALT", "p:1:12: a comma is missing, and another operand"},
        {"RELU r1, 5\nHALT", "p:1:10: a register is missing: r0 to r31, or sp"},
        {"HALT\nMATMUL r1, r2, r3, 1, 2, 3",
         "p:2:1: the last instruction, MATMUL, runs out of the program; end with HALT, JMP, CALL or RET"},
        {"ADD r1, r2\nHALT", "p:1:11: a comma is missing, and another operand"},
        {"ADD r1, r32, r3\nHALT", "p:1:9: a register is missing: r0 to r31, or sp"},
        {"ADD r1, r02, r3\nHALT", "p:1:9: a register is missing: r0 to r31, or sp"},
        {"ADD r1, r2, there\nHALT", "p:1:13: no name 'there'"},
        {"LOADIMM r1, 4294967296\nHALT", "p:1:13: a number above 4294967295, which 32 bits hold"},
        {"LOADIMM r1, 0x\nHALT", "p:1:13: not a number"},
        {"LOADIMM r1, 12a\nHALT", "p:1:13: not a number"},
        {"LOADIMM r1,\nHALT", "p:1:12: a number is missing"},
        {"LOADIMM r1, 1 2\nHALT", "p:1:15: '2' is too much here"},
        {"HALT r1", "p:1:6: 'r1' is too much here"},
        {"a: NOP\nb:\n a: HALT", "p:3:2: the name 'a' is there already"},
        {"r7: HALT", "p:1:1: 'r7' is a register's name"},
        {"INPUT: HALT", "p:1:1: the name 'INPUT' is there already"},
        {".equ A, B\n.equ B, 1\nHALT", "p:1:9: no name 'B' before this line"},
        {".equ 5, 1\nHALT", "p:1:6: .equ needs a name"},
        {".byte 1\nHALT", "p:1:1: no directive '.byte'; allowed: .word, .equ"},
        {"JMP 1", "p:1:5: target 1 is outside of the program's 1 instructions"},
        {"HALT\n.word 1,,2", "p:2:9: not a number"},
        {"NOP\nx: NOP ; the end\n\n",
         "p:2:4: the last instruction, NOP, runs out of the program; end with HALT, JMP, CALL or RET"},
        {"; nothing", "p: 0 instructions; allowed: 1 to 65535"},
        {"\x80\xff", "p:1:1: '\x80\xff' is too much here"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        pr_vm_program p;
        pr_error err = {0};
        assert_int_equal(pr_vm_assemble(&p, bad[k].text, strlen(bad[k].text), "p", &err), PR_ERR_MALFORMED);
        assert_string_equal(err.text, bad[k].expected);
    }
}

/* Every word that decodes encodes to itself, whatever its bits. */
static void decoding_is_one_to_one(void **state) {
    (void)state;
    uint64_t random = test_seed();
    unsigned good = 0;
    for (int k = 0; k < 200000; k++) {
        uint64_t word = next_random(&random) & next_random(&random) & 0xffffffff00ffffffu;
        if (k % 2) word &= ~UINT64_C(0x7c0000) & 0xff9fffff; /* no rs2, no immediate: many are valid */
        word = (word & ~UINT64_C(0xff)) | next_random(&random) % (PR_VM_OPCODES + 1);
        pr_vm_instruction i;
        if (!pr_vm_decode(&i, word)) continue;
        assert_true(pr_vm_encode(&i) == word);
        good++;
    }
    assert_true(good > 1000);
    pr_vm_instruction i;
    assert_false(pr_vm_decode(&i, PR_VM_OPCODES));
    assert_false(pr_vm_decode(&i, 0x407ffc05000c4119)); /* a bit above the dimensions */
    assert_false(pr_vm_decode(&i, 0x007ffc00000c4119)); /* dimensions of 0 */
    assert_false(pr_vm_decode(&i, 0x00700005000c4119));
    assert_false(pr_vm_decode(&i, 0x000ffc05000c4119));
    assert_false(pr_vm_decode(&i, 0x007ffc05008c4119)); /* the immediate bit */
    assert_false(pr_vm_decode(&i, 1u << 24));           /* a bit that is always zero */
    assert_false(pr_vm_decode(&i, 1u << 8));            /* NOP with a register */
    assert_false(pr_vm_decode(&i, 0x0000000100004105)); /* ADD of registers with a number */
    assert_false(pr_vm_decode(&i, 0x00000001008c4105)); /* ADD of a number with rs2 */
    assert_false(pr_vm_decode(&i, 0x0000000000800302)); /* LOADIMM with the immediate bit */
}

static void disassembling_and_back(void **state) {
    (void)state;
    uint64_t random = test_seed();
    for (int k = 0; k < 300; k++) {
        pr_vm_program p = vm_random_program(&random, 1 + (uint32_t)next_random(&random) % 80);
        pr_writer text, binary;
        pr_writer_init(&text);
        pr_writer_init(&binary);
        pr_vm_disassemble(&text, &p);
        pr_write_u8(&text, 0);
        pr_vm_program again = vm_assemble((const char *)text.data), read;
        assert_same_program(&p, &again);
        pr_vm_program_write(&binary, &p);
        pr_reader r;
        pr_reader_init(&r, binary.data, binary.size);
        assert_int_equal(pr_vm_program_read(&read, &r, NULL), PR_OK);
        assert_same_program(&p, &read);
        for (size_t size = 0; size < binary.size && k < 20; size++) {
            pr_vm_program cut;
            pr_reader_init(&r, binary.data, size);
            assert_int_equal(pr_vm_program_read(&cut, &r, NULL), PR_ERR_MALFORMED);
        }
        pr_vm_program_clear(&read);
        pr_vm_program_clear(&again);
        pr_vm_program_clear(&p);
        pr_writer_clear(&binary);
        pr_writer_clear(&text);
    }
}

/* Text with random bytes changed is assembled or refused with a place. */
static void damaged_text(void **state) {
    (void)state;
    uint64_t random = test_seed();
    static const char text[] = "a: .equ N, 3\nb: LOADIMM r1, N+4\nADD r1, r2, -5\nSTORE r1, sp, 7 ; c\nJZ r1, b\n"
                               ".word 1, b, 0xff\nHALT\n";
    for (int k = 0; k < 20000; k++) {
        char copy[sizeof text];
        memcpy(copy, text, sizeof text);
        for (uint64_t n = 1 + next_random(&random) % 3; n; n--)
            copy[next_random(&random) % (sizeof text - 1)] = (char)next_random(&random);
        pr_vm_program p;
        pr_error err = {0};
        if (pr_vm_assemble(&p, copy, sizeof text - 1, "p", &err) == PR_OK)
            pr_vm_program_clear(&p);
        else
            assert_int_equal(strncmp(err.text, "p:", 2), 0);
    }
}

static void input_words(void **state) {
    (void)state;
    static const char text[] = "1, 0x10 -1\n4294967295 # four\n; nothing\n1.5 -0.0 1e2 -2147483648";
    static const uint32_t expected[] = {1, 16, 0xffffffff, 0xffffffff, 0x3fc00000, 0x80000000, 0x42c80000, 0x80000000};
    uint32_t *words = NULL;
    size_t n = 0;
    assert_int_equal(pr_numbers_parse(&words, &n, PR_NUMBER_WORD, text, sizeof text - 1, "in", NULL), PR_OK);
    assert_int_equal(n, 8);
    assert_memory_equal(words, expected, sizeof expected);
    free(words);
    static const struct {
        const char *text, *expected;
    } bad[] = {{"1 2\n 3 x", "in:2:4: 'x' is not a number of 32 bits"},
               {"4294967296", "in:1:1: '4294967296' is not a number of 32 bits"},
               {"-2147483649", "in:1:1: '-2147483649' is not a number of 32 bits"},
               {"1,--2", "in:1:3: '--2' is not a number of 32 bits"},
               {"1e99", "in:1:1: '1e99' is not a number of 32 bits"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        pr_error err = {0};
        assert_int_equal(pr_numbers_parse(&words, &n, PR_NUMBER_WORD, bad[k].text, strlen(bad[k].text), "in", &err),
                         PR_ERR_MALFORMED);
        assert_string_equal(err.text, bad[k].expected);
    }
}

static void input_elements(void **state) {
    (void)state;
    static const char text[] = "0, 0x7ffffffe 7";
    static const uint32_t expected[] = {0, 2147483646, 7};
    static const char *const bad[] = {"2147483647", "-1", "1.5", "1e2", "x"};
    uint32_t *numbers = NULL;
    size_t n = 0;
    assert_int_equal(pr_numbers_parse(&numbers, &n, PR_NUMBER_M31, text, sizeof text - 1, "in", NULL), PR_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(numbers, expected, sizeof expected);
    free(numbers);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        pr_error err = {0};
        char expected_text[128];
        assert_int_equal(pr_numbers_parse(&numbers, &n, PR_NUMBER_M31, bad[k], strlen(bad[k]), "in", &err),
                         PR_ERR_MALFORMED);
        snprintf(expected_text, sizeof expected_text, "in:1:1: '%s' is not a whole number from 0 to 2147483646",
                 bad[k]);
        assert_string_equal(err.text, expected_text);
    }
}

static void program_files(void **state) {
    (void)state;
    char path[] = "proverun-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    pr_vm_program p = vm_assemble("LOADIMM r1, 5\nHALT\n.word 9"), again;
    pr_error err = {0};
    pr_writer w;
    pr_writer_init(&w);
    pr_write_bytes(&w, PR_VM_MAGIC, 8);
    pr_vm_program_write(&w, &p);
    assert_int_equal(pr_file_write_atomic(path, w.data, w.size, 0600, NULL), PR_OK);
    assert_int_equal(pr_vm_program_load(&again, path, NULL), PR_OK);
    assert_same_program(&p, &again);
    pr_hash x, y;
    assert_int_equal(pr_vm_program_digest(&x, &p, NULL), PR_OK);
    assert_int_equal(pr_vm_program_digest(&y, &again, NULL), PR_OK);
    assert_true(pr_hash_equal(&x, &y));
    again.data[0]++;
    assert_int_equal(pr_vm_program_digest(&y, &again, NULL), PR_OK);
    assert_false(pr_hash_equal(&x, &y));
    pr_vm_program_clear(&again);
    pr_write_u8(&w, 0);
    assert_int_equal(pr_file_write_atomic(path, w.data, w.size, 0600, NULL), PR_OK);
    assert_int_equal(pr_vm_program_load(&again, path, &err), PR_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "bytes behind the program's end"));
    assert_int_equal(pr_file_write_atomic(path, "HALT", 4, 0600, NULL), PR_OK);
    assert_int_equal(pr_vm_program_load(&again, path, NULL), PR_OK);
    pr_vm_program_clear(&again);
    unlink(path);
    assert_int_equal(pr_vm_program_load(&again, path, NULL), PR_ERR_INPUT);
    pr_writer_clear(&w);
    pr_vm_program_clear(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form),        cmocka_unit_test(names_and_data),
        cmocka_unit_test(errors_say_where), cmocka_unit_test(decoding_is_one_to_one),
        cmocka_unit_test(damaged_text),     cmocka_unit_test(disassembling_and_back),
        cmocka_unit_test(input_words),      cmocka_unit_test(input_elements),
        cmocka_unit_test(program_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
