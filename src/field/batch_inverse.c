/* Montgomery's trick: out[i] holds the product of all before i, then, backwards, the inverse. */
#include "field/qm31.h"

void pr_m31_batch_inverse(pr_m31 *out, const pr_m31 *in, size_t n) {
    pr_m31 product = 1;
    for (size_t i = 0; i < n; i++) {
        out[i] = product;
        product = pr_m31_mul(product, in[i]);
    }
    pr_m31 inverse = pr_m31_inverse(product);
    for (size_t i = n; i-- > 0;) {
        out[i] = pr_m31_mul(out[i], inverse);
        inverse = pr_m31_mul(inverse, in[i]);
    }
}

void pr_cm31_batch_inverse(pr_cm31 *out, const pr_cm31 *in, size_t n) {
    pr_cm31 product = {1, 0};
    for (size_t i = 0; i < n; i++) {
        out[i] = product;
        product = pr_cm31_mul(product, in[i]);
    }
    pr_cm31 inverse = pr_cm31_inverse(product);
    for (size_t i = n; i-- > 0;) {
        out[i] = pr_cm31_mul(out[i], inverse);
        inverse = pr_cm31_mul(inverse, in[i]);
    }
}

void pr_qm31_batch_inverse(pr_qm31 *out, const pr_qm31 *in, size_t n) {
    pr_qm31 product = PR_QM31_ONE;
    for (size_t i = 0; i < n; i++) {
        out[i] = product;
        product = pr_qm31_mul(product, in[i]);
    }
    pr_qm31 inverse = pr_qm31_inverse(product);
    for (size_t i = n; i-- > 0;) {
        out[i] = pr_qm31_mul(out[i], inverse);
        inverse = pr_qm31_mul(inverse, in[i]);
    }
}
