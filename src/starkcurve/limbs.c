#include "starkcurve/limbs.h"

void pr_u256_from_bytes(pr_u256 *out, const uint8_t bytes[32]) {
    for (int i = 0; i < 4; i++) {
        uint64_t limb = 0;
        for (int j = 0; j < 8; j++) limb = limb << 8 | bytes[8 * (3 - i) + j];
        out->limb[i] = limb;
    }
}

void pr_u256_to_bytes(uint8_t bytes[32], const pr_u256 *a) {
    for (int i = 0; i < 32; i++) bytes[31 - i] = (uint8_t)(a->limb[i / 8] >> (8 * (i % 8)));
}

pr_u256 pr_mod_power(const pr_u256 *base, const pr_u256 *exponent, const pr_modulus *m) {
    pr_u256 powers[16] = {m->one, *base};
    for (int i = 2; i < 16; i++) powers[i] = pr_mod_multiply(&powers[i - 1], base, m);
    pr_u256 r = m->one;
    for (int i = 63; i >= 0; i--) {
        for (int k = 0; k < 4; k++) r = pr_mod_multiply(&r, &r, m);
        r = pr_mod_multiply(&r, &powers[exponent->limb[i / 16] >> (4 * (i % 16)) & 15], m);
    }
    return r;
}
