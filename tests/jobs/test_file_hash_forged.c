/* Every constraint of file_hash is needed and every one bites: for each there is a trace that breaks it alone, with the
 * digest that comes out of the lie as the claim. Without that constraint, the false claim would be proven. A constraint
 * that none of these lies breaks alone fails the last test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "file_hash/job.h"
#include "sponge_rows.h"

static const pr_job_type *const type = &pr_job_file_hash;

/* 50 bytes: the length and 17 elements, so three blocks, the last of two elements. */
enum { LENGTH = 50, ELEMENTS = 18, BLOCKS = 3, LOG_ROWS = 4, SEAM = 15 };

/* Two for each S-box, the length, six elements of the last block, the digest. */
enum { CONSTRAINTS = 2 * 142 + 1 + 6 + 8 };

static pr_m31 elements[ELEMENTS];
static bool is_needed[CONSTRAINTS];

static int choose_elements(void **state) {
    (void)state;
    uint64_t random = test_seed();
    elements[0] = LENGTH;
    for (int k = 1; k < ELEMENTS; k++) elements[k] = (pr_m31)next_random(&random) & 0xffffff;
    return 0;
}

enum { NONE = -1 };

/* Tells the lie and claims its digest, but for an element of it. expected NULL: nothing must be noticed. */
static void tell_claiming(lie told, int wrong_element, const char *expected) {
    pr_m31 digest[8];
    rows t = sponge_rows(digest, elements, ELEMENTS, LOG_ROWS, told);
    if (wrong_element != NONE) digest[wrong_element] = pr_m31_add(digest[wrong_element], 1);
    pr_writer w;
    pr_writer_init(&w);
    pr_write_u64(&w, LENGTH);
    for (int k = 0; k < 8; k++) pr_write_u32(&w, digest[k]);
    pr_job_instance *job = NULL;
    assert_int_equal(pr_instance_create_public(&job, type, NULL, w.data, w.size, NULL), PR_OK);
    uint32_t row = 0, first = 0, failures = count_failures(type->air(job), &t, &row, &first);
    if (!expected)
        assert_int_equal(failures, 0);
    else if (failures != 1)
        fail_msg("%s: %u constraints noticed", expected, failures);
    else {
        assert_string_equal(type->air(job)->components[0].constraints[first].name, expected);
        assert_int_equal(row, wrong_element != NONE ? BLOCKS - 1 : told.row);
        assert_int_equal(type->air(job)->components[0].n_constraints, CONSTRAINTS);
        is_needed[first] = true;
    }
    pr_instance_destroy(type, job);
    pr_writer_clear(&w);
    rows_destroy(&t);
}

static void tell(lie told, const char *expected) { tell_claiming(told, NONE, expected); }

static void the_truth_passes(void **state) {
    (void)state;
    tell((lie){.kind = NO_LIE}, NULL);
}

static void each_sbox_constraint(void **state) {
    (void)state;
    for (uint32_t sbox = 0; sbox < 142; sbox++) {
        char name[64];
        uint32_t row = sbox % BLOCKS; /* every block's row in turn */
        snprintf(name, sizeof name, "S-box %u: square", sbox);
        tell((lie){LIE_SQUARE, row, sbox}, name);
        snprintf(name, sizeof name, "S-box %u: fifth power", sbox);
        tell((lie){LIE_POWER, row, sbox}, name);
    }
}

/* On the seam row too: what it leaves is the state the first block starts from. */
static void the_seam(void **state) {
    (void)state;
    for (uint32_t sbox = 126; sbox < 142; sbox++) {
        char name[64];
        snprintf(name, sizeof name, "S-box %u: square", sbox);
        tell((lie){LIE_ALIVE, SEAM, sbox}, name);
        snprintf(name, sizeof name, "S-box %u: fifth power", sbox);
        tell((lie){LIE_POWER, SEAM, sbox}, name);
    }
}

static void the_length(void **state) {
    (void)state;
    tell((lie){LIE_ELEMENT, 0, 0}, "first element is the length");
}

static void the_end_of_the_last_block(void **state) {
    (void)state;
    for (uint32_t k = 2; k < 8; k++) {
        char name[64];
        snprintf(name, sizeof name, "last block keeps element %u", k);
        tell((lie){LIE_ELEMENT, BLOCKS - 1, k}, name);
    }
}

static void the_digest(void **state) {
    (void)state;
    for (int k = 0; k < 8; k++) {
        char name[64];
        snprintf(name, sizeof name, "digest element %d", k);
        tell_claiming((lie){.kind = NO_LIE}, k, name);
    }
}

/* The elements of the file are the prover's: other elements have another digest, and that is all. */
static void free_elements(void **state) {
    (void)state;
    for (uint32_t k = 1; k < 8; k++) tell((lie){LIE_ELEMENT, 0, k}, NULL);
    tell((lie){LIE_ELEMENT, 7, 3}, NULL); /* behind the blocks nothing is carried */
}

static void all_are_needed(void **state) {
    (void)state;
    for (int k = 0; k < CONSTRAINTS; k++)
        if (!is_needed[k]) fail_msg("constraint %d: nothing breaks it alone", k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_passes),
        cmocka_unit_test(each_sbox_constraint),
        cmocka_unit_test(the_seam),
        cmocka_unit_test(the_length),
        cmocka_unit_test(the_end_of_the_last_block),
        cmocka_unit_test(the_digest),
        cmocka_unit_test(free_elements),
        cmocka_unit_test(all_are_needed),
    };
    return cmocka_run_group_tests(tests, choose_elements, NULL);
}
