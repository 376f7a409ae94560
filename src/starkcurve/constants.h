/* The curve y^2 = x^3 + x + beta over the field of p = 2^251 + 17 * 2^192 + 1 elements, of prime order n.
 * Source: StarkWare, "STARK curve" (docs.starkware.co/starkex/crypto/stark-curve.html), and FIELD_PRIME, ALPHA, BETA,
 * EC_ORDER, EC_GEN of pedersen_params.json in cairo-lang. Beta there is
 * 0x06f21413efbe40de150e596d72f7a8c5609ad26c15c915c1f4cdfcb99cee9e89, the generator
 * (0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca,
 *  0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1f).
 * Here field elements are times 2^256 mod p. tests/starkcurve/reference.py checks them all.
 *
 * With PR_STARKCURVE_TINY, the name of a header with other constants, the module is compiled over a curve of 89 points,
 * for exhaustive tests. */
#ifndef PR_STARKCURVE_CONSTANTS_H
#define PR_STARKCURVE_CONSTANTS_H
#include "starkcurve/limbs.h"

#ifdef PR_STARKCURVE_TINY
#include PR_STARKCURVE_TINY
#else
static const pr_modulus PR_FIELD_MODULUS = {
    {{1, 0, 0, 0x0800000000000011}},
    0xffffffffffffffff,
    {{0xffffffffffffffe1, 0xffffffffffffffff, 0xffffffffffffffff, 0x07fffffffffffdf0}},
    {{0xfffffd737e000401, 0x00000001330fffff, 0xffffffffff6f8000, 0x07ffd4ab5e008810}}};

static const pr_modulus PR_ORDER_MODULUS = {
    {{0x1e66a241adc64d2f, 0xb781126dcae7b232, 0xffffffffffffffff, 0x0800000000000010}},
    0xbb6b3c4ce8bde631,
    {{0x51925a0bf4fca74f, 0xc75ec4b46df16bee, 0x0000000000000008, 0x07fffffffffffdf1}},
    {{0x6021b3f1ea1c688d, 0x509cf64d14ce60b9, 0xbaf0ab4cf78bbabb, 0x07d9e57c2333766e}}};

#define PR_CURVE_BETA                                                                                                  \
    { 0x359ddd67b59a21ca, 0x6725f2237aab9006, 0xab8a1e002a41f947, 0x013931651774247f }
#define PR_CURVE_BETA_3                                                                                                \
    { 0xa0d9983720ce655e, 0x3571d66a7002b012, 0x029e5a007ec5ebd6, 0x03ab942f465c6d7f }
#define PR_CURVE_GENERATOR_X                                                                                           \
    { 0xc9019623cf0273dd, 0x51a9bf65d4403dea, 0x0429bf5184041c7b, 0x033840300bf6cec1 }
#define PR_CURVE_GENERATOR_Y                                                                                           \
    { 0x569d0da34235308a, 0x0939e3442869bbe7, 0xfbd89a97cf4b33ad, 0x05a0e71610f55329 }
#endif
#endif
