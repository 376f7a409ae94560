#include "gadgets/poseidon2_air.h"
#include "poseidon2/poseidon2.h"

/* pr_poseidon2_m4, the same sums */
static void matrix4(pr_air_builder *b, pr_expr *x) {
    pr_expr a = pr_add(b, x[0], x[1]), c = pr_add(b, x[2], x[3]), sum = pr_add(b, a, c);
    pr_expr s1 = pr_add(b, sum, x[1]), s3 = pr_add(b, sum, x[3]);
    pr_expr y1 = pr_add(b, s1, pr_add(b, x[2], x[2])), y3 = pr_add(b, s3, pr_add(b, x[0], x[0]));
    x[0] = pr_add(b, s1, a), x[1] = y1, x[2] = pr_add(b, s3, c), x[3] = y3;
}

void pr_poseidon2_air_external_matrix(pr_air_builder *b, pr_expr out[16], const pr_expr in[16], int first, int end) {
    pr_expr x[16];
    for (int k = 0; k < 16; k++) x[k] = in[k];
    for (int group = 0; group < 16; group += 4) matrix4(b, x + group);
    for (int k = 0; k < 4; k++) {
        pr_expr sum = pr_add(b, pr_add(b, x[k], x[k + 4]), pr_add(b, x[k + 8], x[k + 12]));
        for (int i = k; i < 16; i += 4)
            if (i >= first && i < end) out[i] = pr_add(b, x[i], sum);
    }
}

static void internal_matrix(pr_air_builder *b, pr_expr state[16]) {
    pr_expr sum = state[0];
    for (int k = 1; k < 16; k++) sum = pr_add(b, sum, state[k]);
    state[0] = pr_sub(b, sum, pr_add(b, state[0], state[0]));
    for (int k = 1; k < 16; k++) {
        pr_expr factor = pr_const(b, 1u << pr_poseidon2_internal_shifts[k - 1]);
        state[k] = pr_add(b, sum, pr_mul(b, factor, state[k]));
    }
}

typedef struct walk {
    pr_air_builder *b;
    pr_poseidon2_air_sbox *sbox;
    void *context;
} walk;

static pr_expr substitute(const walk *w, pr_expr x, pr_m31 constant) {
    return w->sbox(w->context, pr_add(w->b, x, pr_const(w->b, constant)));
}

/* Ends with the S-boxes. */
static void full_round(const walk *w, pr_expr state[16], const pr_m31 constants[16]) {
    for (int k = 0; k < 16; k++) state[k] = substitute(w, state[k], constants[k]);
}

void pr_poseidon2_air_permute(pr_air_builder *b, pr_expr state[16], pr_poseidon2_air_sbox *sbox, void *context) {
    walk w = {b, sbox, context};
    pr_poseidon2_air_external_matrix(b, state, state, 0, 16);
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++) {
        full_round(&w, state, pr_poseidon2_external_initial[round]);
        pr_poseidon2_air_external_matrix(b, state, state, 0, 16);
    }
    for (int round = 0; round < PR_POSEIDON2_PARTIAL_ROUNDS; round++) {
        state[0] = substitute(&w, state[0], pr_poseidon2_internal[round]);
        internal_matrix(b, state);
    }
    for (int round = 0; round < PR_POSEIDON2_FULL_ROUNDS; round++) {
        if (round > 0) pr_poseidon2_air_external_matrix(b, state, state, 0, 16);
        full_round(&w, state, pr_poseidon2_external_final[round]);
    }
}
