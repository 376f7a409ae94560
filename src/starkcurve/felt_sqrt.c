/* Square roots. p - 1 = 2^192 * odd, which is the worst case for Tonelli and Shanks (192^2 / 4 squarings on average),
 * so the discrete logarithm in the subgroup of order 2^192 is taken WINDOW bits at a time with tables: S. Pohlig, M.
 * Hellman, IEEE Trans. Inf. Theory 24 (1978); D. Bernstein, "Faster square roots in annoying finite fields" (2001). */
#include "starkcurve/felt.h"
#include <pthread.h>

enum { TWO_ADICITY = 192, WINDOW = 6, N_WINDOWS = TWO_ADICITY / WINDOW, SIZE = 1 << WINDOW };

/* g = 3^odd generates the subgroup: 3 generates the whole group (FIELD_GEN in pedersen_params.json of cairo-lang). */
static struct tables {
    pr_felt inverse_power[N_WINDOWS][SIZE]; /* [m][v]: g^(-v 2^(WINDOW m)) */
    pr_felt root_of_unity[SIZE];            /* [v]: g^(v 2^(192 - WINDOW)) */
} tables;

/* a^((odd - 1) / 2); odd = 2^59 + 17 */
static pr_felt power_of_half_odd(pr_felt a) {
    pr_felt r = a, a8 = PR_FELT_ONE;
    for (int i = 0; i < 58; i++) {
        if (i == 3) a8 = r;
        r = pr_felt_square(r);
    }
    return pr_felt_mul(r, a8);
}

static void make_powers(pr_felt out[SIZE], pr_felt base) {
    out[0] = PR_FELT_ONE;
    for (int v = 1; v < SIZE; v++) out[v] = pr_felt_mul(out[v - 1], base);
}

static void make_tables(void) {
    pr_felt three = pr_felt_from_u64(3), half = power_of_half_odd(three);
    pr_felt g = pr_felt_mul(pr_felt_square(half), three), step = pr_felt_inverse_public(g);
    for (int m = 0; m < N_WINDOWS; m++) {
        make_powers(tables.inverse_power[m], step);
        if (m + 1 == N_WINDOWS) break;
        for (int k = 0; k < WINDOW; k++) step = pr_felt_square(step);
    }
    make_powers(tables.root_of_unity, pr_felt_inverse_public(step));
}

static unsigned find_root_of_unity(pr_felt h) {
    unsigned v = 0;
    while (v < SIZE && !pr_felt_equal(tables.root_of_unity[v], h)) v++;
    return v & (SIZE - 1);
}

/* e with t = g^e, in windows, lowest first. False as soon as e proves odd. */
static bool take_logarithm(unsigned e[N_WINDOWS], pr_felt t) {
    pr_felt power[N_WINDOWS]; /* [i]: t^(2^(192 - WINDOW (i + 1))) */
    for (int i = N_WINDOWS - 1; i >= 0; i--) {
        power[i] = t;
        for (int k = 0; k < WINDOW; k++) t = pr_felt_square(t);
    }
    for (int i = 0; i < N_WINDOWS; i++) {
        pr_felt h = power[i]; /* less what is known: g^(-e_j 2^(WINDOW j)), to the same power of two */
        for (int j = 0; j < i; j++) h = pr_felt_mul(h, tables.inverse_power[j + N_WINDOWS - 1 - i][e[j]]);
        e[i] = find_root_of_unity(h);
        if (i == 0 && (e[0] & 1)) return false;
    }
    return true;
}

/* With w = a^((odd - 1) / 2): a w = a^((odd + 1) / 2), whose square is a * a^odd, and a^odd = g^e. */
bool pr_felt_sqrt_public(pr_felt *root, pr_felt a) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    unsigned e[N_WINDOWS];
    pthread_once(&once, make_tables);
    if (pr_felt_is_zero(a)) return *root = a, true;
    pr_felt w = power_of_half_odd(a), r = pr_felt_mul(a, w);
    if (!take_logarithm(e, pr_felt_mul(r, w))) return false;
    for (int i = 0; i < N_WINDOWS; i++) {
        unsigned carry = i + 1 < N_WINDOWS ? e[i + 1] & 1 : 0;
        r = pr_felt_mul(r, tables.inverse_power[i][e[i] >> 1 | carry << (WINDOW - 1)]);
    }
    *root = pr_felt_is_odd(r) ? pr_felt_neg(r) : r;
    return true;
}
