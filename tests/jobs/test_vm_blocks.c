/* RELU, MATMUL and HASH: the interpreter against their meaning, written down here a second time, and the AIR with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "poseidon2/poseidon2.h"
#include "vm/job.h"
#include "vm/run.h"
#include "vm_case.h"

/* Memory as a list. */
enum { MOST_WORDS = 256 };
typedef struct memory {
    uint32_t n, addresses[MOST_WORDS], words[MOST_WORDS];
} memory;

static uint32_t *word_at(memory *m, uint32_t address) {
    for (uint32_t k = 0; k < m->n; k++)
        if (m->addresses[k] == address) return &m->words[k];
    assert_true(m->n < MOST_WORDS);
    m->addresses[m->n] = address, m->words[m->n] = 0;
    return &m->words[m->n++];
}

/* A program that is being written. */
typedef struct text {
    char at[1 << 14];
    size_t n;
} text;

__attribute__((format(printf, 2, 3))) static void say(text *t, const char *format, ...) {
    va_list list;
    va_start(list, format);
    t->n += (size_t)vsnprintf(t->at + t->n, sizeof t->at - t->n, format, list);
    va_end(list);
    assert_true(t->n < sizeof t->at);
}

/* Random words from an address on, in the program and in the model. */
static void place_words(text *t, memory *m, uint32_t address, uint32_t n, uint64_t *random) {
    for (uint32_t k = 0; k < n; k++) {
        uint32_t word = vm_random_word(random);
        say(t, "LOADIMM r1, %u\nLOADIMM r2, %u\nSTORE r1, r2\n", word, address + k);
        *word_at(m, address + k) = word;
    }
}

/* The AIR holds, and memory is the model's. */
static void assert_memory(const text *t, memory *m, uint32_t n_steps) {
    vm_case c = vm_case_of_text(t->at, NULL, 0);
    vm_case_assert_holds(&c);
    assert_int_equal(c.statement.n_steps, n_steps);
    const pr_vm_memory *all = &c.trace.machine.memory;
    for (uint32_t k = 0; k < all->n; k++)
        if (all->words[k].value != *word_at(m, all->words[k].address))
            fail_msg("word %u is %u, not %u, after\n%s", all->words[k].address, all->words[k].value,
                     *word_at(m, all->words[k].address), t->at);
    vm_case_clear(&c);
}

static void multiply(memory *m, uint32_t d, uint32_t a, uint32_t b, const uint32_t size[3]) {
    for (uint32_t i = 0; i < size[0]; i++)
        for (uint32_t j = 0; j < size[2]; j++) {
            uint64_t sum = 0;
            for (uint32_t k = 0; k < size[1]; k++)
                sum += (uint64_t)*word_at(m, a + i * size[1] + k) * *word_at(m, b + k * size[2] + j);
            *word_at(m, d + i * size[2] + j) = (uint32_t)sum;
        }
}

static void one_product(uint64_t *random, uint32_t d, uint32_t a, uint32_t b, const uint32_t size[3]) {
    text t = {.n = 0};
    memory m = {.n = 0};
    place_words(&t, &m, a, size[0] * size[1], random);
    place_words(&t, &m, b, size[1] * size[2], random);
    say(&t, "LOADIMM r1, %u\nLOADIMM r2, %u\nLOADIMM r3, %u\nMATMUL r1, r2, r3, %u, %u, %u\nHALT", d, a, b, size[0],
        size[1], size[2]);
    uint32_t n_words = size[0] * size[1] + size[1] * size[2];
    multiply(&m, d, a, b, size);
    assert_memory(&t, &m, 3 * n_words + 4 + size[0] * size[1] * size[2]);
}

/* Where any word would say how many outputs there are. */
static bool is_near_outputs(uint32_t address) { return address - (PR_VM_OUTPUT - 64) < 128; }

static void matrices(void **state) {
    (void)state;
    uint64_t random = test_seed();
    for (int k = 0; k < 30; k++) {
        uint64_t r = next_random(&random);
        const uint32_t size[3] = {1 + (r & 3), 1 + (r >> 8 & 3), 1 + (r >> 16 & 3)}, shift = (uint32_t)(r >> 24);
        uint32_t a = vm_random_word(&random), b = vm_random_word(&random), d = vm_random_word(&random);
        if (k % 3 == 1) d = a + shift % 5 - 2, b = a + shift / 5 % 5 - 2; /* in each other's way */
        if (k % 3 == 2) a |= 0xfffe, b |= 0xfffffffd, d |= 0xfffffff0;    /* over the edges */
        if (is_near_outputs(a) || is_near_outputs(b) || is_near_outputs(d)) continue;
        one_product(&random, d, a, b, size);
    }
}

/* The largest words everywhere: sums carry as far as they can. */
static void largest_sums(void **state) {
    (void)state;
    text t = {.n = 0};
    memory m = {.n = 0};
    static const uint32_t size[3] = {1, 40, 1};
    for (uint32_t k = 0; k < 40; k++) *word_at(&m, 100 + k) = UINT32_MAX - k % 2;
    say(&t, "LOADIMM r1, -1\nLOADIMM r2, 100\nLOADIMM r3, 20\nn: STORE r1, r2\nSUB r4, r1, 1\nSTORE r4, r2, 1\n"
            "ADD r2, r2, 2\nSUB r3, r3, 1\nJNZ r3, n\nLOADIMM r2, 100\nMATMUL r3, r2, r2, 1, 40, 1\nHALT");
    multiply(&m, 0, 100, 100, size);
    assert_memory(&t, &m, 3 + 120 + 1 + 40 + 1);
}

static void relu(void **state) {
    (void)state;
    uint64_t random = test_seed();
    text t = {.n = 0};
    memory m = {.n = 0};
    uint32_t n = 0;
    for (; n < 60; n++) {
        uint32_t word = vm_random_word(&random);
        say(&t, "LOADIMM r1, %u\nRELU r2, r1\nSTORE r2, r3, %u\nRELU r1, r1\n", word, n);
        *word_at(&m, n) = (int32_t)word > 0 ? word : 0;
    }
    say(&t, "HALT");
    assert_memory(&t, &m, 4 * n + 1);
}

static void digest_of(memory *m, uint32_t d, uint32_t a, uint32_t n) {
    pr_m31 state[16] = {[8] = n};
    uint32_t k = 0;
    do {
        memset(state, 0, 8 * sizeof *state);
        for (uint32_t i = 0; i < 4 && k < n; i++, k++) {
            uint32_t word = *word_at(m, a + k);
            state[2 * i] = word % 65536, state[2 * i + 1] = word / 65536;
        }
        pr_poseidon2_permute(state);
    } while (k < n);
    for (k = 0; k < 8; k++) *word_at(m, d + k) = state[k];
}

/* Every length that ends differently, the digest over what was hashed too. */
static void hashes(void **state) {
    (void)state;
    uint64_t random = test_seed();
    for (uint32_t n = 0; n < 22; n++) {
        text t = {.n = 0};
        memory m = {.n = 0};
        uint32_t a = vm_random_word(&random), d = vm_random_word(&random), shift = (uint32_t)next_random(&random);
        if (n % 3 == 1) d = a + shift % 20 - 9;                   /* in each other's way */
        if (n % 3 == 2) a |= 0xfffe, d |= 0xfffffff8 | shift % 8; /* over the edges */
        if (is_near_outputs(a) || is_near_outputs(d)) continue;
        place_words(&t, &m, a, n, &random);
        say(&t, "LOADIMM r1, %u\nLOADIMM r2, %u\nLOADIMM r3, %u\nHASH r1, r2, r3\nHASH r1, r1, %u\nHALT", d, a, n, n);
        digest_of(&m, d, a, n);
        digest_of(&m, d, d, n);
        assert_memory(&t, &m, 3 * n + 4 + 2 * (4 * (n ? (n + 3) / 4 : 1) + 2));
    }
}

/* Blocks of which one ends where the next begins: other lengths and words of p or more give other digests. */
static void digests_differ(void **state) {
    (void)state;
    static const char *const words[] = {"0", "0x7fffffff", "0xffffffff", "0x10000", "1", "0xfffffffe"};
    uint32_t seen[24][8];
    size_t n_seen = 0;
    for (size_t k = 0; k < 6; k++)
        for (int n = 0; n < 4; n++) {
            text t = {.n = 0};
            say(&t, "LOADIMM r1, %s\nSTORE r1, r2\nLOADIMM r3, 100\nHASH r3, r2, %d\nHALT", words[k], n);
            pr_vm_program p = vm_assemble(t.at);
            pr_vm_machine m = vm_run(&p, NULL, 0, false);
            for (uint32_t i = 0; i < 8; i++) {
                seen[n_seen][i] = pr_vm_memory_peek(&m.memory, 100 + i);
                assert_true(seen[n_seen][i] < PR_P);
            }
            for (size_t other = 0; other < n_seen; other++) /* of no words, all are the same */
                assert_int_equal(!memcmp(seen[other], seen[n_seen], sizeof *seen), n == 0 && other % 4 == 0);
            n_seen++;
            pr_vm_machine_clear(&m);
            pr_vm_program_clear(&p);
        }
}

/* 16 blocks and 17, 16 hashes and 17. */
static void edge_sizes_of_hashes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t n_steps, log_rows, log_hashes;
    } sizes[] = {{"HASH r1, r2, 64\nHALT", 67, 4, 4},
                 {"HASH r1, r2, 65\nHALT", 71, 5, 4},
                 {"LOADIMM r3, 16\nn: HASH r1, r2, 0\nSUB r3, r3, 1\nJNZ r3, n\nHALT", 130, 4, 4},
                 {"LOADIMM r3, 17\nn: HASH r1, r2, 4\nSUB r3, r3, 1\nJNZ r3, n\nHALT", 138, 5, 5},
                 {"JMP on\nHASH r1, r2, r3\non: HALT", 2, 4, 4}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        vm_case c = vm_case_of_text(sizes[k].text, NULL, 0);
        vm_case_assert_holds(&c);
        assert_int_equal(c.statement.n_steps, sizes[k].n_steps);
        assert_int_equal(c.statement.log_rows[PR_VM_SPONGE], sizes[k].log_rows);
        assert_int_equal(c.statement.log_rows[PR_VM_DIGEST], sizes[k].log_hashes);
        vm_case_clear(&c);
    }
}

/* 1 step of MATMUL, 16 and 17, and a sum of as many as there can be; more steps than allowed. */
static void edge_sizes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t log_rows, n_steps;
    } sizes[] = {{"MATMUL r1, r2, r3, 1, 1, 1\nHALT", 4, 2},
                 {"MATMUL r1, r2, r3, 2, 4, 2\nHALT", 4, 17},
                 {"MATMUL r1, r2, r3, 1, 17, 1\nHALT", 5, 18},
                 {"MATMUL r1, r2, r3, 4, 1, 4\nNOP\nMATMUL r1, r2, r3, 1, 1, 1\nHALT", 5, 19},
                 {"MATMUL r1, r2, r3, 1, 1023, 1\nHALT", 10, 1024},
                 {"JMP on\nMATMUL r1, r2, r3, 2, 2, 2\non: HALT", 4, 2}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        vm_case c = vm_case_of_text(sizes[k].text, NULL, 0);
        vm_case_assert_holds(&c);
        assert_int_equal(c.statement.n_steps, sizes[k].n_steps);
        assert_int_equal(c.statement.log_rows[PR_VM_MAIN], PR_VM_MIN_LOG_ROWS);
        assert_int_equal(c.statement.log_rows[PR_VM_PRODUCT], sizes[k].log_rows);
        vm_case_clear(&c);
    }
}

static void too_many_steps(void **state) {
    (void)state;
    pr_vm_program p = vm_assemble("NOP\nMATMUL r1, r2, r3, 5, 6, 7\nHALT");
    for (uint32_t max_steps = 210; max_steps <= 212; max_steps++) {
        pr_vm_machine m;
        pr_error err = {0};
        assert_int_equal(pr_vm_machine_init(&m, &p, NULL, 0, NULL), PR_OK);
        assert_int_equal(pr_vm_machine_run(&m, max_steps, &err), max_steps == 212 ? PR_OK : PR_ERR_INPUT);
        if (max_steps == 210)
            assert_string_equal(err.text, "the program still runs after 210 steps, the most that are allowed");
        pr_vm_machine_clear(&m);
    }
    pr_vm_program_clear(&p);
    static const char *const texts[] = {"MATMUL r1, r2, r3, 1023, 1023, 1023\nHALT", "HASH r1, r2, 0xffffffff\nHALT",
                                        "HASH r1, r2, 0x1000000\nHALT"};
    for (int k = 0; k < 3; k++) {
        p = vm_assemble(texts[k]);
        pr_vm_machine m;
        assert_int_equal(pr_vm_machine_init(&m, &p, NULL, 0, NULL), PR_OK);
        assert_int_equal(pr_vm_machine_run(&m, PR_VM_MAX_STEPS, NULL), PR_ERR_INPUT);
        pr_vm_machine_clear(&m);
        pr_vm_program_clear(&p);
    }
}

/* The sizes that programs with these instructions have besides. */
static void public_data(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n_sizes;
    } all[] = {{"RELU r1, r2\nHALT", 9},
               {"MATMUL r1, r2, r3, 1, 2, 3\nHALT", 10},
               {"HALT\nRELU r1, r2\nMATMUL r1, r2, r3, 1, 2, 3\nHALT", 11},
               {"HASH r1, r2, 3\nHALT", 11},
               {"HALT\nRELU r1, r2\nHASH r1, r2, r3\nMATMUL r1, r2, r3, 1, 2, 3\nHALT", 13}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        vm_case c = vm_case_of_text(all[k].text, NULL, 0);
        pr_writer w;
        pr_writer_init(&w);
        pr_vm_public_write(&w, &c.statement);
        pr_job_instance *again;
        assert_int_equal(pr_instance_create_public(&again, &pr_job_vm, NULL, w.data, w.size, NULL), PR_OK);
        pr_hash x = pr_air_digest(c.air), y = pr_air_digest(pr_vm_job_air(again));
        assert_true(pr_hash_equal(&x, &y));
        pr_instance_destroy(&pr_job_vm, again);
        for (size_t size = w.size - all[k].n_sizes - 1; size < w.size; size++)
            assert_int_equal(pr_instance_create_public(&again, &pr_job_vm, NULL, w.data, size, NULL), PR_ERR_MALFORMED);
        for (size_t i = 1; i <= all[k].n_sizes; i++) {
            uint8_t kept = w.data[w.size - i];
            w.data[w.size - i] = i % 2 ? 3 : 25;
            assert_int_equal(pr_instance_create_public(&again, &pr_job_vm, NULL, w.data, w.size, NULL),
                             PR_ERR_MALFORMED);
            w.data[w.size - i] = kept;
        }
        pr_writer_clear(&w);
        vm_case_clear(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrices),   cmocka_unit_test(largest_sums),   cmocka_unit_test(relu),
        cmocka_unit_test(hashes),     cmocka_unit_test(digests_differ), cmocka_unit_test(edge_sizes_of_hashes),
        cmocka_unit_test(edge_sizes), cmocka_unit_test(too_many_steps), cmocka_unit_test(public_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
