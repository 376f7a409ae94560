/* Inverses of public values: division steps of D. Bernstein, B.-Y. Yang, "Fast constant-time gcd computation and
 * modular inversion", CHES 2019, but skipping even values at once, so in a time that depends on the value. BATCH steps
 * only look at the lowest limb; what they did to it is a 2 x 2 matrix, which is then applied to the whole numbers. */
#include "starkcurve/limbs.h"

enum { BATCH = 62, LIMBS = 5 };
typedef __int128 i128;

/* Two's complement in limbs of BATCH bits; the highest has the sign. */
typedef struct wide {
    int64_t limb[LIMBS];
} wide;

/* 2^BATCH (f', g') = (u v; q r) (f, g) */
typedef struct matrix {
    int64_t u, v, q, r;
} matrix;

static wide wide_from(const pr_u256 *a) {
    const uint64_t mask = ((uint64_t)1 << BATCH) - 1, *l = a->limb;
    return (wide){{(int64_t)(l[0] & mask), (int64_t)((l[0] >> 62 | l[1] << 2) & mask),
                   (int64_t)((l[1] >> 60 | l[2] << 4) & mask), (int64_t)((l[2] >> 58 | l[3] << 6) & mask),
                   (int64_t)(l[3] >> 56)}};
}

static bool wide_is_zero(const wide *a) {
    int64_t any = 0;
    for (int i = 0; i < LIMBS; i++) any |= a->limb[i];
    return any == 0;
}

static int64_t divide_steps(int64_t delta, uint64_t f, uint64_t g, matrix *t) {
    uint64_t u = 1, v = 0, q = 0, r = 1; /* signed, modulo 2^64: their sizes stay at or below 2^BATCH */
    int left = BATCH;
    for (;;) {
        int zeros = __builtin_ctzll(g | (uint64_t)1 << left);
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        delta += zeros;
        left -= zeros;
        if (!left) break;
        if (delta > 0) {
            uint64_t old_f = f, old_u = u, old_v = v;
            delta = -delta;
            f = g, u = q, v = r;
            g = 0 - old_f, q = 0 - old_u, r = 0 - old_v;
        }
        g += f;
        q += u;
        r += v;
    }
    *t = (matrix){(int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r};
    return delta;
}

static void apply(wide *f, wide *g, const matrix *t) {
    const int64_t mask = (int64_t)(((uint64_t)1 << BATCH) - 1);
    i128 cf = 0, cg = 0;
    for (int i = 0; i < LIMBS; i++) {
        int64_t fi = f->limb[i], gi = g->limb[i];
        cf += (i128)t->u * fi + (i128)t->v * gi;
        cg += (i128)t->q * fi + (i128)t->r * gi;
        if (i) {
            f->limb[i - 1] = (int64_t)cf & mask;
            g->limb[i - 1] = (int64_t)cg & mask;
        }
        cf >>= BATCH;
        cg >>= BATCH;
    }
    f->limb[LIMBS - 1] = (int64_t)cf;
    g->limb[LIMBS - 1] = (int64_t)cg;
}

/* a factor / R mod m, for a factor below 2^63 in size */
static pr_u256 scale(const pr_u256 *a, int64_t factor, const pr_modulus *m) {
    pr_u256 size = {{factor < 0 ? 0 - (uint64_t)factor : (uint64_t)factor, 0, 0, 0}};
    size = pr_mod_multiply(&size, a, m);
    const pr_u256 zero = {{0}};
    return factor < 0 ? pr_mod_sub(&zero, &size, m) : size;
}

static pr_u256 combine(const pr_u256 *d, int64_t u, const pr_u256 *e, int64_t v, const pr_modulus *m) {
    pr_u256 left = scale(d, u, m), right = scale(e, v, m);
    return pr_mod_add(&left, &right, m);
}

/* f = d a and g = e a modulo m hold throughout, but for a factor R / 2^BATCH a batch that is taken out at the end. */
pr_u256 pr_mod_inverse_public(const pr_u256 *a, const pr_modulus *m) {
    wide f = wide_from(&m->m), g = wide_from(a);
    pr_u256 d = {{0}}, e = {{1, 0, 0, 0}}, factor = {{0, 0, 0, (uint64_t)1 << (256 - BATCH - 192)}};
    int64_t delta = 1;
    matrix t;
    int batches = 0;
    for (; !wide_is_zero(&g); batches++) {
        delta = divide_steps(delta, (uint64_t)f.limb[0] | (uint64_t)f.limb[1] << BATCH,
                             (uint64_t)g.limb[0] | (uint64_t)g.limb[1] << BATCH, &t);
        apply(&f, &g, &t);
        pr_u256 next = combine(&d, t.u, &e, t.v, m);
        e = combine(&d, t.q, &e, t.r, m);
        d = next;
    }
    factor = pr_mod_multiply(&factor, &m->square, m); /* R / 2^BATCH in Montgomery form: times R */
    for (; batches > 0; batches--) d = pr_mod_multiply(&d, &factor, m);
    const pr_u256 zero = {{0}};
    return f.limb[LIMBS - 1] < 0 ? pr_mod_sub(&zero, &d, m) : d;
}
