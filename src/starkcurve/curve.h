/* Points of the curve y^2 = x^3 + x + beta (constants.h), whose order n is prime.
 *
 * Secret paths use one formula for every addition, doubling included, that has no exception on a curve of odd order,
 * and tables that are read whole; their time depends on nothing. Public paths (`public` in the name) use Jacobian
 * coordinates, branches and direct look-ups, and are faster. Any thread.
 *
 *   pr_curve_point p = pr_curve_point_mul_generator(secret);
 *   pr_affine a;
 *   if (!pr_curve_point_to_affine(&a, &p)) ...;     // infinity */
#ifndef PR_STARKCURVE_CURVE_H
#define PR_STARKCURVE_CURVE_H
#include "starkcurve/felt.h"
#include "starkcurve/scalar.h"

typedef struct pr_affine { /* never infinity */
    pr_felt x, y;
} pr_affine;

/* Homogeneous: (X / Z, Y / Z); infinity is (0 : 1 : 0), and only infinity has Z = 0. */
typedef struct pr_curve_point {
    pr_felt x, y, z;
} pr_curve_point;

pr_affine pr_curve_generator(void);
bool pr_affine_is_on_curve(const pr_affine *a);
/* The point with this x and an even y. False when there is none. Public. */
PR_MUST_CHECK bool pr_affine_from_x_public(pr_affine *out, pr_felt x);
/* The same for 32 bytes, big-endian: what a public key is. False also when they are not below p. */
PR_MUST_CHECK bool pr_affine_from_x_bytes_public(pr_affine *out, const uint8_t x[32]);
/* 64 bytes: x, y, each big-endian. From: false when a coordinate is not below p or the point is not on the curve. */
void pr_affine_to_bytes(uint8_t bytes[64], const pr_affine *a);
PR_MUST_CHECK bool pr_affine_from_bytes(pr_affine *out, const uint8_t bytes[64]);

pr_curve_point pr_curve_point_infinity(void);
pr_curve_point pr_curve_point_from_affine(const pr_affine *a);
/* False, and nothing written, for infinity. One inverse. */
PR_MUST_CHECK bool pr_curve_point_to_affine(pr_affine *out, const pr_curve_point *p);
bool pr_curve_point_is_infinity(const pr_curve_point *p);
bool pr_curve_point_equal(const pr_curve_point *p, const pr_curve_point *q);

/* J. Renes, C. Costello, L. Batina, "Complete addition formulas for prime order elliptic curves", EUROCRYPT 2016,
 * algorithm 1 with a = 1: any two points, equal, opposite or infinity. 14 multiplications. */
pr_curve_point pr_curve_point_add(const pr_curve_point *p, const pr_curve_point *q);
pr_curve_point pr_curve_point_neg(const pr_curve_point *p);
pr_curve_point pr_curve_point_mul_generator(pr_scalar k);              /* k may be secret */
pr_curve_point pr_curve_point_mul(const pr_affine *base, pr_scalar k); /* both may be secret */

/* Multiples of a point, so that its products need no doubling: [i][j] = (2 j + 1) 64^i P. 84 KiB. Wider digits would
 * need fewer additions, but tables that no longer stay in the caches, and that secret paths have to read whole. */
enum { PR_COMB_BITS = 6, PR_COMB_ROWS = 42, PR_COMB_COLUMNS = 1 << (PR_COMB_BITS - 1) };
typedef struct pr_comb {
    pr_affine multiple[PR_COMB_ROWS][PR_COMB_COLUMNS];
} pr_comb;
void pr_comb_init(pr_comb *comb, const pr_affine *base);      /* 24,000 multiplications */
const pr_comb *pr_comb_generator(void);                       /* made at first use */
pr_curve_point pr_comb_mul(const pr_comb *comb, pr_scalar k); /* k may be secret */

/* Jacobian: (X / Z^2, Y / Z^3); infinity has Z = 0. For public values alone. */
typedef struct pr_jacobian {
    pr_felt x, y, z;
} pr_jacobian;
pr_jacobian pr_jacobian_double_public(const pr_jacobian *p);
pr_jacobian pr_jacobian_add_public(const pr_jacobian *p, const pr_jacobian *q);
pr_jacobian pr_jacobian_add_affine_public(const pr_jacobian *p, const pr_affine *q);
pr_jacobian pr_jacobian_neg_public(const pr_jacobian *p);
pr_jacobian pr_jacobian_mul_public(const pr_affine *base, pr_scalar k);
pr_jacobian pr_jacobian_mul_comb_public(const pr_comb *comb, pr_scalar k);
/* Whether p has this x; never for infinity. No inverse. */
bool pr_jacobian_has_x_public(const pr_jacobian *p, pr_felt x);
pr_curve_point pr_curve_point_from_jacobian_public(const pr_jacobian *p);
#endif
