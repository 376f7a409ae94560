/* Every constraint and every lookup of poseidon2_merkle is needed: for each there is a trace that it alone refuses. The
 * trace is written by the book, one compression after the other and children first, with one lie in it; everything that
 * follows from the lie is computed honestly, and the root that comes out is the claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "poseidon2/poseidon2.h"
#include "poseidon2_merkle/job.h"
#include "soundness.h"

static const pr_job_type *const type = &pr_job_poseidon2_merkle;

/* 69 values: five leaves, the last of five values. Nodes 1 .. 4 have children, 5 .. 9 are leaves; rows 10 .. 15 are
 * behind the tree. */
enum { VALUES = 69, LEAVES = 5, NODES = 10, ROWS = 16, SBOXES = 142, LAST_ROUND = 126 };

typedef enum lie_kind {
    NO_LIE,
    LIE_INPUT,  /* an element of a compression's input is one more */
    LIE_SQUARE, /* an S-box's square is */
    LIE_POWER,  /* its fifth power is */
    LIE_DIGEST, /* an element of the digest is */
    LIE_SWAPPED /* nodes 2 and 3 take each other's children */
} lie_kind;

typedef struct lie {
    lie_kind kind;
    uint32_t node, index; /* of the element or S-box */
} lie;

static pr_m31 values[16 * LEAVES]; /* behind the 69 zeros */

typedef struct writer {
    pr_m31 **columns;
    uint32_t row, sbox;
    lie told;
    bool here; /* the lie is about this node */
} writer;

/* Columns as README.md of the job type lists them. */
static pr_m31 write_sbox(writer *w, pr_m31 x) {
    bool lies = w->here && w->told.index == w->sbox;
    uint32_t at = w->sbox < LAST_ROUND ? 24 + 2 * w->sbox : 276 + w->sbox - LAST_ROUND;
    pr_m31 square = pr_m31_square(x);
    if (lies && w->told.kind == LIE_SQUARE) square = pr_m31_add(square, 1);
    pr_m31 power = pr_m31_mul(pr_m31_square(square), x);
    if (lies && w->told.kind == LIE_POWER) power = pr_m31_add(power, 1);
    w->columns[at][w->row] = square;
    if (w->sbox++ < LAST_ROUND) w->columns[at + 1][w->row] = power;
    return power;
}

static void full_rounds(writer *w, pr_m31 state[16], const pr_m31 constants[4][16]) {
    for (int round = 0; round < 4; round++) {
        for (int k = 0; k < 16; k++) state[k] = write_sbox(w, pr_m31_add(state[k], constants[round][k]));
        pr_poseidon2_external_matrix(state);
    }
}

/* Of node `node`: what its row says, with the lie if it is about this node. */
static void write_compression(traces *t, pr_m31 digest[8], const pr_m31 input[16], uint32_t node, lie told) {
    writer w = {t->columns[0], node, 0, told, told.node == node};
    pr_m31 state[16], given[8];
    memcpy(state, input, sizeof state);
    if (w.here && told.kind == LIE_INPUT) state[told.index] = pr_m31_add(state[told.index], 1);
    memcpy(given, state, sizeof given);
    for (int k = 0; k < 16; k++) w.columns[k][w.row] = state[k];
    pr_poseidon2_external_matrix(state);
    full_rounds(&w, state, pr_poseidon2_external_initial);
    for (int round = 0; round < 14; round++) {
        state[0] = write_sbox(&w, pr_m31_add(state[0], pr_poseidon2_internal[round]));
        pr_poseidon2_internal_matrix(state);
    }
    full_rounds(&w, state, pr_poseidon2_external_final);
    for (uint32_t k = 0; k < 8; k++) {
        digest[k] = pr_m31_add(state[k], given[k]);
        if (w.here && told.kind == LIE_DIGEST && told.index == k) digest[k] = pr_m31_add(digest[k], 1);
        w.columns[16 + k][w.row] = digest[k];
    }
}

static void write_tree(traces *t, pr_m31 root[8], lie told) {
    static const pr_m31 zeros[16];
    pr_m31 digests[ROWS][8], input[16];
    for (uint32_t node = ROWS - 1; node > 0; node--) {
        uint32_t from = told.kind == LIE_SWAPPED && (node == 2 || node == 3) ? 5 - node : node;
        if (node < LEAVES) memcpy(input, digests[2 * from], sizeof input);
        const pr_m31 *given = node >= NODES ? zeros : node < LEAVES ? input : values + 16 * (node - LEAVES);
        write_compression(t, digests[node], given, node, told);
    }
    memset(input, 0, sizeof input);
    input[0] = VALUES;
    input[1] = 0x6d726b6c;
    memcpy(input + 8, digests[1], sizeof digests[1]);
    write_compression(t, root, input, 0, told);
}

static pr_job_instance *claim(const pr_m31 root[8]) {
    pr_writer w;
    pr_writer_init(&w);
    pr_write_u64(&w, VALUES);
    for (int k = 0; k < 8; k++) pr_write_u32(&w, root[k]);
    return claim_public(type, &w);
}

typedef struct suite {
    pr_job_instance *job; /* claims the honest root */
    traces honest, forged;
    needs needed;
    uint64_t random;
} suite;

static int begin(void **state) {
    static suite s;
    pr_m31 root[8], none[8] = {0};
    s.random = test_seed();
    for (int k = 0; k < VALUES; k++) values[k] = random_m31(&s.random);
    pr_job_instance *shape = claim(none);
    traces t = traces_zero(type->air(shape));
    write_tree(&t, root, (lie){NO_LIE, 0, 0});
    s.job = claim(root);
    t.air = type->air(s.job);
    pr_instance_destroy(type, shape);
    s.honest = t;
    s.forged = traces_zero(t.air);
    s.needed = needs_create(t.air, &s.honest);
    *state = &s;
    return 0;
}

static int end(void **state) {
    suite *s = *state;
    needs_destroy(&s->needed);
    traces_destroy(&s->honest);
    traces_destroy(&s->forged);
    pr_instance_destroy(type, s->job);
    return 0;
}

static culprits tell(suite *s, lie told) {
    pr_m31 root[8];
    write_tree(&s->forged, root, told);
    culprits found = find_culprits(type->air(s->job), &s->honest, &s->forged, "root");
    needs_note(&s->needed, &found);
    return found;
}

/* One constraint or lookup notices, and no other. */
static void tell_alone(suite *s, lie_kind kind, uint32_t node, uint32_t index) {
    culprits found = tell(s, (lie){kind, node, index});
    if (found.n != 1) fail_msg("kind %d, node %u, index %u: %u notice", (int)kind, node, index, found.n);
}

static void the_truth_holds(void **state) {
    suite *s = *state;
    pr_statement st = plain_statement(type->air(s->job));
    assert_traces_hold(&st, &s->honest);
    pr_statement_clear(&st);
}

static void each_sbox_and_digest(void **state) {
    suite *s = *state;
    for (uint32_t sbox = 0; sbox < SBOXES; sbox++) {
        tell_alone(s, LIE_SQUARE, sbox % NODES, sbox);
        if (sbox < LAST_ROUND) tell_alone(s, LIE_POWER, sbox % NODES, sbox);
    }
    for (uint32_t k = 0; k < 8; k++) tell_alone(s, LIE_DIGEST, k % NODES, k);
}

static void the_length_and_the_top(void **state) {
    for (uint32_t k = 0; k < 16; k++) tell_alone(*state, LIE_INPUT, 0, k);
}

static void what_is_behind(void **state) {
    for (uint32_t k = 0; k < 16; k++) tell_alone(*state, LIE_INPUT, NODES + k % (ROWS - NODES), k);
    for (uint32_t k = VALUES % 16; k < 16; k++) tell_alone(*state, LIE_INPUT, NODES - 1, k);
}

/* A node's input is the digests of its children, in their order, and of no other node's. */
static void the_links(void **state) {
    for (uint32_t node = 1; node < LEAVES; node++)
        for (uint32_t k = 0; k < 16; k++) tell_alone(*state, LIE_INPUT, node, k);
    assert_true(tell(*state, (lie){LIE_SWAPPED, 0, 0}).n > 0);
}

/* The values are the prover's: others have another root, and that is all. */
static void free_values(void **state) {
    suite *s = *state;
    for (uint32_t k = 0; k < VALUES; k++) assert_false(tell(s, (lie){LIE_INPUT, LEAVES + k / 16, k % 16}).is_noticed);
}

/* Of a tree of other values, a claim that is wrong in one element. */
static void the_root(void **state) {
    suite *s = *state;
    for (uint32_t k = 0; k < 8; k++) {
        pr_m31 root[8];
        write_tree(&s->forged, root, (lie){LIE_INPUT, LEAVES, 0});
        root[k] = pr_m31_add(root[k], 1);
        pr_job_instance *job = claim(root);
        culprits found = find_culprits(type->air(job), &s->honest, &s->forged, NULL);
        assert_int_equal(found.n, 1);
        needs_note(&s->needed, &found);
        pr_instance_destroy(type, job);
    }
}

static void all_are_needed(void **state) {
    suite *s = *state;
    const uint32_t busy[1] = {LEAVES};
    assert_int_equal(needs_print_missing(&s->needed), 0);
    assert_every_column_is_noticed(type->air(s->job), &s->honest, &s->random, 4, busy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_holds),
        cmocka_unit_test(each_sbox_and_digest),
        cmocka_unit_test(the_length_and_the_top),
        cmocka_unit_test(what_is_behind),
        cmocka_unit_test(the_links),
        cmocka_unit_test(free_values),
        cmocka_unit_test(the_root),
        cmocka_unit_test(all_are_needed),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
