#include "starkcurve/curve.h"
#include <pthread.h>
#include <sodium.h>

static const pr_felt beta = {{PR_CURVE_BETA}}, beta_3 = {{PR_CURVE_BETA_3}};

pr_affine pr_curve_generator(void) { return (pr_affine){{{PR_CURVE_GENERATOR_X}}, {{PR_CURVE_GENERATOR_Y}}}; }

static pr_felt right_side(pr_felt x) {
    pr_felt cube = pr_felt_mul(pr_felt_square(x), x);
    return pr_felt_add(pr_felt_add(cube, x), beta);
}

bool pr_affine_is_on_curve(const pr_affine *a) { return pr_felt_equal(pr_felt_square(a->y), right_side(a->x)); }

bool pr_affine_from_x_public(pr_affine *out, pr_felt x) {
    pr_felt y;
    if (!pr_felt_sqrt_public(&y, right_side(x))) return false;
    *out = (pr_affine){x, y};
    return true;
}

bool pr_affine_from_x_bytes_public(pr_affine *out, const uint8_t x[32]) {
    pr_felt felt;
    return pr_felt_from_bytes(&felt, x) && pr_affine_from_x_public(out, felt);
}

void pr_affine_to_bytes(uint8_t bytes[64], const pr_affine *a) {
    pr_felt_to_bytes(bytes, a->x);
    pr_felt_to_bytes(bytes + 32, a->y);
}

bool pr_affine_from_bytes(pr_affine *out, const uint8_t bytes[64]) {
    pr_affine a;
    if (!pr_felt_from_bytes(&a.x, bytes) || !pr_felt_from_bytes(&a.y, bytes + 32)) return false;
    if (!pr_affine_is_on_curve(&a)) return false;
    *out = a;
    return true;
}

pr_curve_point pr_curve_point_infinity(void) { return (pr_curve_point){PR_FELT_ZERO, PR_FELT_ONE, PR_FELT_ZERO}; }
pr_curve_point pr_curve_point_from_affine(const pr_affine *a) { return (pr_curve_point){a->x, a->y, PR_FELT_ONE}; }
bool pr_curve_point_is_infinity(const pr_curve_point *p) { return pr_felt_is_zero(p->z); }
pr_curve_point pr_curve_point_neg(const pr_curve_point *p) { return (pr_curve_point){p->x, pr_felt_neg(p->y), p->z}; }

bool pr_curve_point_to_affine(pr_affine *out, const pr_curve_point *p) {
    if (pr_curve_point_is_infinity(p)) return false;
    pr_felt inverse = pr_felt_inverse(p->z);
    *out = (pr_affine){pr_felt_mul(p->x, inverse), pr_felt_mul(p->y, inverse)};
    return true;
}

static uint64_t equal_mask(pr_felt a, pr_felt b) {
    pr_felt difference = pr_felt_sub(a, b);
    return pr_u256_is_zero_mask(&difference.mont);
}

/* Infinity is (0 : y : 0): beside a finite point the first products are both zero, but the second are 0 and y z'. */
bool pr_curve_point_equal(const pr_curve_point *p, const pr_curve_point *q) {
    uint64_t same_x = equal_mask(pr_felt_mul(p->x, q->z), pr_felt_mul(q->x, p->z));
    uint64_t same_y = equal_mask(pr_felt_mul(p->y, q->z), pr_felt_mul(q->y, p->z));
    return (same_x & same_y) != 0;
}

/* (a + b) (a' + b') - a a' - b b' = a b' + b a' */
static pr_felt cross(pr_felt a, pr_felt b, pr_felt a2, pr_felt b2, pr_felt aa, pr_felt bb) {
    pr_felt product = pr_felt_mul(pr_felt_add(a, b), pr_felt_add(a2, b2));
    return pr_felt_sub(product, pr_felt_add(aa, bb));
}

pr_curve_point pr_curve_point_add(const pr_curve_point *p, const pr_curve_point *q) {
    pr_felt xx = pr_felt_mul(p->x, q->x), yy = pr_felt_mul(p->y, q->y), zz = pr_felt_mul(p->z, q->z);
    pr_felt xy = cross(p->x, p->y, q->x, q->y, xx, yy);
    pr_felt xz = cross(p->x, p->z, q->x, q->z, xx, zz);
    pr_felt yz = cross(p->y, p->z, q->y, q->z, yy, zz);
    pr_felt s = pr_felt_add(xz, pr_felt_mul(beta_3, zz));
    pr_felt minus = pr_felt_sub(yy, s), plus = pr_felt_add(yy, s);
    pr_felt u = pr_felt_add(pr_felt_add(pr_felt_double(xx), xx), zz);
    pr_felt v = pr_felt_add(pr_felt_mul(beta_3, xz), pr_felt_sub(xx, zz));
    return (pr_curve_point){pr_felt_sub(pr_felt_mul(xy, minus), pr_felt_mul(yz, v)),
                            pr_felt_add(pr_felt_mul(minus, plus), pr_felt_mul(u, v)),
                            pr_felt_add(pr_felt_mul(yz, plus), pr_felt_mul(xy, u))};
}

/* k = sum of d_i 2^(w i) with odd d_i between -2^w and 2^w, for odd k and a width w that divides 252: with
 * K = (k + 2^252 - 1) / 2, d_i = 2 K_i - (2^w - 1) where K_i are the digits of K to the base 2^w, since twice the sum
 * of all is 2 K - (2^252 - 1). An even k becomes n - k, which is odd. */
enum { DIGITS_BITS = 252, WINDOW_BITS = 4, WINDOW_COLUMNS = 1 << (WINDOW_BITS - 1) };
_Static_assert(PR_COMB_ROWS *PR_COMB_BITS == DIGITS_BITS, "the rows of a comb are the digits of every scalar");

typedef struct digits {
    pr_u256 value;        /* K */
    uint64_t is_negative; /* all ones: the product's sign changes */
} digits;

static digits recode(pr_scalar k) {
    pr_scalar opposite = {{{0}}};
    digits d = {k.value, pr_mask_hide((k.value.limb[0] & 1) - 1)};
    (void)pr_u256_sub(&opposite.value, &PR_ORDER_MODULUS.m, &k.value);
    pr_u256_move_if(&d.value, &opposite.value, d.is_negative);
    for (int i = 0; i < 4; i++) d.value.limb[i] = d.value.limb[i] >> 1 | (i < 3 ? d.value.limb[i + 1] << 63 : 0);
    d.value.limb[3] |= (uint64_t)1 << (DIGITS_BITS - 1) % 64;
    sodium_memzero(&opposite, sizeof opposite);
    return d;
}

/* The column |d_i| / 2 and the sign of digit i. */
static unsigned digit_column(const digits *d, int i, int width, uint64_t *is_negative) {
    uint64_t k = pr_u256_bits(&d->value, width * i, width);
    *is_negative = pr_mask_hide((k >> (width - 1)) - 1);
    return (unsigned)((k ^ *is_negative) & (((uint64_t)1 << (width - 1)) - 1));
}

static void apply_sign(pr_felt *y, uint64_t is_negative) { pr_felt_move_if(y, pr_felt_neg(*y), is_negative); }

/* row[column], the whole row being read. */
static pr_curve_point read_column(const pr_affine row[PR_COMB_COLUMNS], unsigned column) {
    pr_affine r = {PR_FELT_ZERO, PR_FELT_ZERO};
    for (unsigned j = 0; j < PR_COMB_COLUMNS; j++) {
        uint64_t hit = pr_mask_zero(column ^ j);
        pr_u256_or_if(&r.x.mont, &row[j].x.mont, hit);
        pr_u256_or_if(&r.y.mont, &row[j].y.mont, hit);
    }
    return pr_curve_point_from_affine(&r);
}

pr_curve_point pr_comb_mul(const pr_comb *comb, pr_scalar k) {
    digits d = recode(k);
    pr_curve_point r = pr_curve_point_infinity();
    for (int i = 0; i < PR_COMB_ROWS; i++) {
        uint64_t is_negative;
        unsigned column = digit_column(&d, i, PR_COMB_BITS, &is_negative);
        pr_curve_point term = read_column(comb->multiple[i], column);
        apply_sign(&term.y, is_negative);
        r = pr_curve_point_add(&r, &term);
    }
    apply_sign(&r.y, d.is_negative);
    sodium_memzero(&d, sizeof d);
    return r;
}

/* odd[j] = (2 j + 1) p; returns 2 p */
static pr_curve_point odd_multiples(pr_curve_point *odd, int n, const pr_curve_point *p) {
    pr_curve_point twice = pr_curve_point_add(p, p);
    odd[0] = *p;
    for (int j = 1; j < n; j++) odd[j] = pr_curve_point_add(&odd[j - 1], &twice);
    return twice;
}

pr_curve_point pr_curve_point_mul(const pr_affine *base, pr_scalar k) {
    pr_curve_point odd[WINDOW_COLUMNS], start = pr_curve_point_from_affine(base), r = pr_curve_point_infinity();
    digits d = recode(k);
    odd_multiples(odd, WINDOW_COLUMNS, &start);
    for (int i = DIGITS_BITS / WINDOW_BITS - 1; i >= 0; i--) {
        uint64_t is_negative;
        unsigned column = digit_column(&d, i, WINDOW_BITS, &is_negative);
        pr_curve_point term = odd[0];
        for (unsigned j = 1; j < WINDOW_COLUMNS; j++) {
            uint64_t hit = pr_mask_zero(column ^ j);
            pr_felt_move_if(&term.x, odd[j].x, hit);
            pr_felt_move_if(&term.y, odd[j].y, hit);
            pr_felt_move_if(&term.z, odd[j].z, hit);
        }
        apply_sign(&term.y, is_negative);
        for (int k2 = 0; k2 < WINDOW_BITS; k2++) r = pr_curve_point_add(&r, &r);
        r = pr_curve_point_add(&r, &term);
    }
    apply_sign(&r.y, d.is_negative);
    sodium_memzero(&d, sizeof d);
    sodium_memzero(odd, sizeof odd);
    return r;
}

/* *row = (2 j + 1) start for all j, over one inverse; returns 2^PR_COMB_BITS start */
static pr_curve_point fill_row(pr_affine row[PR_COMB_COLUMNS], const pr_curve_point *start) {
    pr_curve_point odd[PR_COMB_COLUMNS], next = odd_multiples(odd, PR_COMB_COLUMNS, start);
    pr_felt z[PR_COMB_COLUMNS], inverse[PR_COMB_COLUMNS];
    for (int j = 0; j < PR_COMB_COLUMNS; j++) z[j] = odd[j].z;
    pr_felt_batch_inverse(inverse, z, PR_COMB_COLUMNS);
    for (int j = 0; j < PR_COMB_COLUMNS; j++)
        row[j] = (pr_affine){pr_felt_mul(odd[j].x, inverse[j]), pr_felt_mul(odd[j].y, inverse[j])};
    for (int k = 1; k < PR_COMB_BITS; k++) next = pr_curve_point_add(&next, &next);
    return next;
}

void pr_comb_init(pr_comb *comb, const pr_affine *base) {
    pr_curve_point start = pr_curve_point_from_affine(base);
    for (int i = 0; i < PR_COMB_ROWS; i++) start = fill_row(comb->multiple[i], &start);
}

static pr_comb generator_comb;
static void make_generator_comb(void) {
    pr_affine g = pr_curve_generator();
    pr_comb_init(&generator_comb, &g);
}

const pr_comb *pr_comb_generator(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_generator_comb);
    return &generator_comb;
}

pr_curve_point pr_curve_point_mul_generator(pr_scalar k) { return pr_comb_mul(pr_comb_generator(), k); }
