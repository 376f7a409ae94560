/* The AIR of vm agrees with the interpreter, on every instruction and on programs at random; sizes; public data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "vm/job.h"
#include "vm/run.h"
#include "vm_case.h"

static const pr_job_type *const type = &pr_job_vm;

static void check_text(const char *text) {
    vm_case c = vm_case_of_text(text, NULL, 0);
    vm_case_assert_holds(&c);
    vm_case_clear(&c);
}

/* One program for each instruction, many operands. */
static void instructions(void **state) {
    (void)state;
    enum { PAIRS = 60, ROOM = PAIRS * 160 };
    static const char *const binary[] = {"ADD", "SUB", "MUL", "DIV", "MOD", "AND", "OR",
                                         "XOR", "SHL", "SHR", "EQ",  "LT",  "GT"};
    uint64_t random = test_seed();
    char *text = malloc(ROOM);
    assert_non_null(text);
    for (size_t op = 0; op < sizeof binary / sizeof *binary; op++) {
        size_t at = 0;
        for (int k = 0; k < PAIRS; k++) {
            uint32_t a = vm_random_word(&random), b = vm_random_word(&random);
            if (k % 8 == 0) b = a + (uint32_t)(k % 3) - 1; /* neighbours */
            if (op == 3 || op == 4) b += b == 0;
            at +=
                (size_t)snprintf(text + at, ROOM - at, "LOADIMM r1, %u\nLOADIMM r2, %u\n%s r3, r1, r2\n%s r4, r3, %u\n",
                                 a, b, binary[op], binary[op], b);
        }
        snprintf(text + at, ROOM - at, "HALT\n");
        check_text(text);
    }
    free(text);
}

/* Words that differ by what is zero as an element of the field. */
static void equality_is_of_words(void **state) {
    (void)state;
    vm_case c = vm_case_of_text("LOADIMM r1, 0x7fffffff\nEQ r2, r1, 0\nEQ r3, r1, 0x7fffffff\nLOADIMM r4, 0xffff7fff\n"
                                "EQ r5, r4, 0x8000\nMUL r6, r1, 2\nEQ r7, r6, 0\nADD r8, r1, r1\nLT r9, r8, r1\nHALT",
                                NULL, 0);
    vm_case_assert_holds(&c);
    static const uint32_t expected[] = {0, 0x7fffffff, 0, 1, 0xffff7fff, 0, 0xfffffffe, 0, 0xfffffffe, 0};
    assert_memory_equal(c.trace.machine.registers, expected, sizeof expected);
    vm_case_clear(&c);
}

static void random_programs(void **state) {
    (void)state;
    int n = getenv("PROVERUN_TEST_LONG") ? 10000 : 40;
    uint64_t random = test_seed();
    bool ended[PR_VM_ENDS] = {false};
    for (int k = 0; k < n; k++) {
        uint64_t kept = random;
        pr_vm_program p = vm_random_ending_program(&random, 300);
        pr_vm_machine m = vm_run(&p, NULL, 0, true);
        ended[m.end] = true;
        /* what a program left in the place of the number of outputs is anything */
        if (pr_vm_memory_peek(&m.memory, PR_VM_OUTPUT) > 1000) {
            pr_vm_machine_clear(&m);
            pr_vm_program_clear(&p);
            continue;
        }
        vm_case c = vm_case_take(&p, &m, NULL, 0);
        pr_check_report report = vm_case_check(&c);
        if (!report.ok) {
            print_message("program %d, PROVERUN_TEST_SEED=%llu makes it the first\n", k, (unsigned long long)kept);
            vm_case_assert_holds(&c);
        }
        vm_case_clear(&c);
    }
    assert_true(ended[PR_VM_HALTED] && ended[PR_VM_DIVISION_BY_ZERO]);
}

/* 1 step; rows exactly full and one more, of main, memory and words. */
static void edge_sizes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t n_inputs, component, log_rows;
    } sizes[] = {
        {"HALT", 0, PR_VM_MAIN, 4},
        {"LOADIMM r1, 7\nn: SUB r1, r1, 1\nJNZ r1, n\nHALT", 0, PR_VM_MAIN, 4},      /* 16 */
        {"LOADIMM r1, 7\nn: SUB r1, r1, 1\nJNZ r1, n\nNOP\nHALT", 0, PR_VM_MAIN, 5}, /* 17 */
        {"LOADIMM r1, 16\nn: LOAD r2, r3\nSUB r1, r1, 1\nJNZ r1, n\nHALT", 0, PR_VM_MEMORY, 4},
        {"LOADIMM r1, 17\nn: LOAD r2, r3\nSUB r1, r1, 1\nJNZ r1, n\nHALT", 0, PR_VM_MEMORY, 5},
        {"HALT", 14, PR_VM_WORDS, 4}, /* with the two counts, 16 */
        {"HALT", 15, PR_VM_WORDS, 5},
        {"LOADIMM r1, -1\nLOAD r2, r1\nLOAD r3, r4\nHALT", 0, PR_VM_WORDS, 4}, /* the first and the last address */
    };
    static const uint32_t inputs[15] = {1, 2, 3};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        vm_case c = vm_case_of_text(sizes[k].text, inputs, sizes[k].n_inputs);
        vm_case_assert_holds(&c);
        assert_int_equal(c.air->components[sizes[k].component].log_size, sizes[k].log_rows);
        vm_case_clear(&c);
    }
}

/* ---- the job type ---- */

static pr_status try_create(pr_job_instance **job, pr_error *err, size_t n, const pr_param *items) {
    pr_params params = {.base_dir = PR_TEST_JOBS "/vm", .n = n, .items = items};
    PR_TRY(pr_params_check(type, &params, NULL, err));
    return pr_instance_create(job, type, &params, err);
}

static pr_job_instance *create(size_t n, const pr_param *items) {
    pr_job_instance *job = NULL;
    pr_error err = {0};
    if (try_create(&job, &err, n, items) != PR_OK) fail_msg("%s", err.text);
    return job;
}

static void the_example(void **state) {
    (void)state;
    pr_job_instance *job = create(type->n_example, type->example);
    pr_output out[5];
    assert_int_equal(type->outputs(job, out, 5), 5);
    assert_string_equal(out[4].value, "26");
    pr_instance_destroy(type, job);
}

static void sorted_sepals(void **state) {
    (void)state;
    const pr_param items[] = {{"program", "programs/sort.asm"}, {"input_file", "programs/iris_sepal_length.txt"}};
    pr_job_instance *job = create(2, items);
    pr_output out[8];
    assert_int_equal(type->outputs(job, out, 8), 5);
    assert_string_equal(out[2].value, "halted");
    assert_string_equal(out[4].name, "outputs");
    assert_int_equal(strncmp(out[4].value, "1082759578 1082969293 ", 22), 0); /* 4.3 4.4 */
    assert_non_null(strstr(out[4].value, " more"));
    traces x = traces_of(type, job, 1), y = traces_of(type, job, 2);
    assert_traces_equal(&x, &y);
    pr_statement st = plain_statement(type->air(job));
    assert_int_equal(type->public_terms(job, &st, NULL), PR_OK);
    assert_traces_hold(&st, &x);
    assert_storage_order(type, job, &x, 2);
    pr_statement_clear(&st);
    traces_destroy(&x);
    traces_destroy(&y);
    pr_instance_destroy(type, job);
}

static void public_data_is_enough(void **state) {
    (void)state;
    const pr_param items[] = {{"program", "programs/fibonacci.asm"}, {"input", "10"}};
    pr_job_instance *job = create(2, items), *again = remake_from_public(type, job);
    pr_writer w = public_of(type, job);
    pr_m31 *columns[64] = {0};
    assert_int_equal(type->trace(again, 0, columns, PR_JOB_ROW_ORDER, 1, NULL), PR_ERR_INTERNAL);
    pr_instance_destroy(type, again);
    const size_t size = w.size;
    for (size_t n = 0; n < size; n++)
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, n, NULL), PR_ERR_MALFORMED);
    pr_write_u8(&w, 0);
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, w.size, NULL), PR_ERR_MALFORMED);
    for (size_t k = 1; k <= 9; k++) { /* the end and each size out of range */
        uint8_t kept = w.data[size - k];
        w.data[size - k] = k == 9 ? PR_VM_ENDS : k % 2 ? 3 : 25;
        assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, size, NULL), PR_ERR_MALFORMED);
        w.data[size - k] = kept;
    }
    memset(w.data + size - 13, 0xff, 4); /* steps */
    assert_int_equal(pr_instance_create_public(&again, type, NULL, w.data, size, NULL), PR_ERR_MALFORMED);
    pr_writer_clear(&w);
    pr_instance_destroy(type, job);
}

/* The worked example of docs/statement.md, read from there. */
static void the_documented_bytes(void **state) {
    (void)state;
    uint8_t *text = NULL;
    size_t size = 0;
    assert_int_equal(pr_file_read(&text, &size, PR_TEST_JOBS "/../docs/statement.md", 1 << 20, NULL), PR_OK);
    char *example = strstr((char *)text, "Example: `vm` of\n");
    assert_non_null(example);
    static const uint32_t inputs[] = {5};
    vm_case c = vm_case_of_text("LOADIMM r1, OUTPUT\nHALT\n.word 7", inputs, 1);
    pr_writer w;
    pr_writer_init(&w);
    pr_vm_public_write(&w, &c.statement);
    char *at = strstr(example, "```\n") + 4;
    for (size_t k = 0; k < w.size;) { /* offset, bytes, words about them */
        at += strspn(at, " ");
        if (strtoul(at, &at, 10) != k) fail_msg("offset %zu is not written down", k);
        for (at += strspn(at, " "); strspn(at, "0123456789abcdef") == 2 && (at[2] == ' ' || at[2] == '\n'); at += 3) {
            if (k == w.size || strtoul(at, NULL, 16) != w.data[k]) fail_msg("byte %zu differs", k);
            k++;
            if (at[2] == '\n' || at[3] == ' ') break;
        }
        at = strchr(at, '\n') + 1;
    }
    char hex[65];
    pr_hash digest;
    assert_int_equal(pr_vm_program_digest(&digest, &c.statement.program, NULL), PR_OK);
    pr_hex_encode(hex, digest.bytes, sizeof digest.bytes);
    if (!strstr(example, hex)) fail_msg("program digest %s is not written down", hex);
    digest = pr_vm_input_digest(inputs, 1);
    pr_hex_encode(hex, digest.bytes, sizeof digest.bytes);
    if (!strstr(example, hex)) fail_msg("input digest %s is not written down", hex);
    pr_writer_clear(&w);
    vm_case_clear(&c);
    free(text);
}

static void inputs_that_are_wrong(void **state) {
    (void)state;
    static const struct {
        pr_param items[3];
        size_t n;
        pr_status status;
        const char *text;
    } bad[] = {
        {{{"input", "1"}}, 1, PR_ERR_USAGE, "needs one of the parameters program, code"},
        {{{"program", "programs/sort.asm"}, {"code", "HALT"}},
         2,
         PR_ERR_USAGE,
         "'code' of job type vm excludes 'program'"},
        {{{"code", "NOP\nHALT\nHATL"}}, 1, PR_ERR_INPUT, "code:3:1: no instruction 'HATL'"},
        {{{"program", "programs/none.asm"}}, 1, PR_ERR_INPUT, "programs/none.asm"},
        {{{"program", "example.yaml"}}, 1, PR_ERR_INPUT, "example.yaml:1:"},
        {{{"program", "programs/sort.asm"}, {"input", "1 x"}}, 2, PR_ERR_INPUT, "input:1:3: 'x' is not a number"},
        {{{"program", "programs/sort.asm"}, {"input_file", "none"}}, 2, PR_ERR_INPUT, "none"},
        {{{"program", "programs/sort.asm"}, {"input_file", "none"}, {"input", "1"}},
         3,
         PR_ERR_USAGE,
         "'input' of job type vm excludes 'input_file'"},
        {{{"program", "programs/fibonacci.asm"}, {"input", "30"}, {"max_steps", "189"}},
         3,
         PR_ERR_INPUT,
         "still runs after 189 steps"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        pr_job_instance *job;
        pr_error err = {0};
        assert_int_equal(try_create(&job, &err, bad[k].n, bad[k].items), bad[k].status);
        assert_int_equal(err.status, bad[k].status);
        if (!strstr(err.text, bad[k].text)) fail_msg("%s", err.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instructions),          cmocka_unit_test(equality_is_of_words),
        cmocka_unit_test(random_programs),       cmocka_unit_test(edge_sizes),
        cmocka_unit_test(the_example),           cmocka_unit_test(sorted_sepals),
        cmocka_unit_test(public_data_is_enough), cmocka_unit_test(the_documented_bytes),
        cmocka_unit_test(inputs_that_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
