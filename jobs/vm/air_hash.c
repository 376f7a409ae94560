/* HASH: a row a block in the sponge, a row a hash where the digest is written. */
#include <stdio.h>
#include "gadgets/poseidon2_air.h"
#include "vm/parts.h"

/* ---- addresses: base + place, LO and HI, where above carries into HI and around leaves it. LO has 16 bits, for no
 * other word is in memory. ---- */

static void address_of(pr_vm_parts *p, pr_expr out[2], const pr_expr base[2], int place, pr_expr above,
                       pr_expr around) {
    pr_air_builder *b = p->b;
    pr_expr low = pr_add(b, base[0], pr_const(b, place));
    out[0] = pr_sub(b, low, pr_vm_times(p, 65536, above));
    out[1] = pr_sub(b, pr_add(b, base[1], above), pr_vm_times(p, 65536, around));
}

/* Both carries are 0 or 1, and 0 where there is no address. */
static void constrain_carries(pr_vm_parts *p, int place, pr_expr is_there, pr_expr above, pr_expr around) {
    pr_air_builder *b = p->b;
    pr_expr is_absent = pr_sub(b, p->one, is_there);
    char name[64];
    snprintf(name, sizeof name, "address %d carries 0 or 1", place);
    pr_vm_boolean(p, name, above);
    snprintf(name, sizeof name, "address %d goes around 0 or 1 times", place);
    pr_vm_boolean(p, name, around);
    snprintf(name, sizeof name, "address %d carries only where it is", place);
    pr_air_constrain(b, name, pr_mul(b, is_absent, above));
    snprintf(name, sizeof name, "address %d goes around only where it is", place);
    pr_air_constrain(b, name, pr_mul(b, is_absent, around));
}

/* ---- the sponge ---- */

typedef struct sponge {
    pr_air_builder *b;
    pr_expr x[PR_VM_H_PLAIN], before[PR_VM_H_MASKED]; /* this row, the row before */
    pr_expr goes_on;                                  /* 1: with the same HASH as the row before */
    uint32_t sbox;                                    /* the next one's number */
} sponge;

/* That live is 0 or 1, and 1 in first and last blocks, follows from these and from which words are there. */
static void constrain_rows(pr_vm_parts *p, const sponge *s) {
    pr_air_builder *b = p->b;
    const pr_expr *x = s->x, *before = s->before;
    pr_expr live = x[PR_VM_H_LIVE];
    pr_vm_boolean(p, "first is 0 or 1", x[PR_VM_H_FIRST]);
    pr_vm_boolean(p, "last is 0 or 1", x[PR_VM_H_LAST]);
    pr_expr open = pr_sub(b, before[PR_VM_H_LIVE], before[PR_VM_H_LAST]);
    pr_air_constrain(b, "other blocks follow one that is not the last", pr_mul(b, s->goes_on, pr_sub(b, p->one, open)));
    for (int k = PR_VM_H_NEXT; k < PR_VM_H_ADDRESS; k++) {
        char name[32];
        snprintf(name, sizeof name, "column %d stays", k);
        pr_air_constrain(b, name, pr_mul(b, s->goes_on, pr_sub(b, x[k], before[k])));
    }
    pr_expr then = pr_add(b, before[PR_VM_H_TIME], pr_const(b, 4 * PR_VM_TICKS)), address[2];
    pr_air_constrain(b, "time goes on", pr_mul(b, s->goes_on, pr_sub(b, x[PR_VM_H_TIME], then)));
    address_of(p, address, &before[PR_VM_H_ADDRESS], 4, before[PR_VM_H_ABOVE_NEXT], before[PR_VM_H_AROUND_NEXT]);
    for (int k = 0; k < 2; k++)
        pr_air_constrain(b, k ? "the next address, high half" : "the next address, low half",
                         pr_mul(b, s->goes_on, pr_sub(b, x[PR_VM_H_ADDRESS + k], address[k])));
    pr_expr left = pr_sub(b, before[PR_VM_H_LEFT], pr_const(b, 4));
    pr_air_constrain(b, "words left", pr_mul(b, s->goes_on, pr_sub(b, x[PR_VM_H_LEFT], left)));
    constrain_carries(p, 4, pr_sub(b, live, x[PR_VM_H_LAST]), x[PR_VM_H_ABOVE_NEXT], x[PR_VM_H_AROUND_NEXT]);
}

/* Which words a block has: all four unless it is the last, and one at least unless it is the first, which makes the
 * last block the one in which the words end. */
static void constrain_words(pr_vm_parts *p, const sponge *s) {
    pr_air_builder *b = p->b;
    const pr_expr *x = s->x, *present = &s->x[PR_VM_H_PRESENT];
    pr_expr count = present[0], open = pr_sub(b, x[PR_VM_H_LIVE], x[PR_VM_H_LAST]);
    for (int k = 0; k < 4; k++) {
        char name[48];
        snprintf(name, sizeof name, "word %d is there or not", k);
        pr_vm_boolean(p, name, present[k]);
        snprintf(name, sizeof name, "word %d follows what is there", k);
        pr_air_constrain(b, name, pr_mul(b, present[k], pr_sub(b, p->one, k ? present[k - 1] : x[PR_VM_H_LIVE])));
        if (k) count = pr_add(b, count, present[k]);
        pr_expr is_absent = pr_sub(b, p->one, present[k]);
        for (int i = 2 * k; i < 2 * k + 2; i++) {
            snprintf(name, sizeof name, "element %d is zero without its word", i);
            pr_air_constrain(b, name, pr_mul(b, is_absent, x[PR_VM_H_BLOCK + i]));
        }
        if (k) constrain_carries(p, k, present[k], x[PR_VM_H_ABOVE + k - 1], x[PR_VM_H_AROUND + k - 1]);
    }
    pr_air_constrain(b, "a block that goes on has a word", pr_mul(b, s->goes_on, pr_sub(b, p->one, present[0])));
    pr_air_constrain(b, "only the last block lacks words", pr_mul(b, open, pr_sub(b, p->one, present[3])));
    pr_air_constrain(b, "the words end in the last block",
                     pr_mul(b, x[PR_VM_H_LAST], pr_sub(b, x[PR_VM_H_LEFT], count)));
}

/* The fifth power of x, by way of its square, each a column. */
static pr_expr sbox(void *context, pr_expr x) {
    sponge *s = context;
    pr_air_builder *b = s->b;
    bool last = s->sbox >= PR_POSEIDON2_LAST_ROUND;
    pr_expr square = pr_air_add_column(b, 0);
    pr_expr power = last ? s->x[PR_VM_H_POWERS + s->sbox - PR_POSEIDON2_LAST_ROUND] : pr_air_add_column(b, 0);
    char name[48];
    snprintf(name, sizeof name, "S-box %u: square", s->sbox);
    pr_air_constrain(b, name, pr_sub(b, square, pr_mul(b, x, x)));
    snprintf(name, sizeof name, "S-box %u: fifth power", s->sbox);
    pr_air_constrain(b, name, pr_sub(b, power, pr_mul(b, pr_mul(b, square, square), x)));
    s->sbox++;
    return power;
}

/* The capacity is what the block before left, of the first block the number of words and zeros. */
static void constrain_state(pr_vm_parts *p, sponge *s) {
    pr_air_builder *b = p->b;
    pr_expr left[16], state[16];
    pr_poseidon2_air_external_matrix(b, left, &s->before[PR_VM_H_POWERS], PR_POSEIDON2_RATE, PR_POSEIDON2_WIDTH);
    for (int k = 0; k < 16; k++) state[k] = s->x[k < 8 ? PR_VM_H_BLOCK + k : PR_VM_H_CAPACITY + k - 8];
    for (int k = 8; k < 16; k++) {
        char name[32];
        snprintf(name, sizeof name, "element %d", k);
        pr_expr was = pr_mul(b, s->goes_on, left[k]);
        if (k == 8) was = pr_add(b, was, pr_mul(b, s->x[PR_VM_H_FIRST], s->x[PR_VM_H_LEFT]));
        pr_air_constrain(b, name, pr_sub(b, state[k], was));
    }
    pr_poseidon2_air_permute(b, state, sbox, s);
}

static void look_up_sponge(pr_vm_parts *p, const sponge *s) {
    pr_air_builder *b = p->b;
    const pr_expr *x = s->x, *address = &s->x[PR_VM_H_ADDRESS];
    pr_expr first = x[PR_VM_H_FIRST], zero = pr_const(b, 0), n_hi = x[PR_VM_H_N_HI];
    pr_expr n_lo = pr_sub(b, x[PR_VM_H_LEFT], pr_vm_times(p, 65536, n_hi)), then = x[PR_VM_H_TIME];
    const pr_expr hash[] = {then, x[PR_VM_H_NEXT], address[0], address[1], n_lo, n_hi, x[PR_VM_H_D], x[PR_VM_H_D + 1]};
    const pr_expr byte[] = {n_hi, zero};
    pr_vm_take(p, PR_VM_R_HASH, first, hash, 8);
    pr_vm_take(p, PR_VM_R_PAIR, first, byte, 2);
    for (int k = 0; k < 4; k++) {
        pr_expr at[2] = {address[0], address[1]};
        if (k) address_of(p, at, address, k, x[PR_VM_H_ABOVE + k - 1], x[PR_VM_H_AROUND + k - 1]);
        const pr_expr *word = &x[PR_VM_H_BLOCK + 2 * k];
        const pr_expr access[] = {x[PR_VM_H_TIME], zero, at[0], at[1], word[0], word[1]};
        pr_vm_put(p, PR_VM_R_ACCESS, x[PR_VM_H_PRESENT + k], access, 6);
    }
    pr_expr digest[12] = {pr_add(b, then, pr_const(b, 4 * PR_VM_TICKS)), x[PR_VM_H_NEXT], x[PR_VM_H_D],
                          x[PR_VM_H_D + 1]};
    pr_expr out[16];
    pr_poseidon2_air_external_matrix(b, out, &x[PR_VM_H_POWERS], 0, PR_POSEIDON2_RATE);
    for (int k = 0; k < 8; k++) digest[4 + k] = out[k];
    pr_vm_put(p, PR_VM_R_DIGEST, x[PR_VM_H_LAST], digest, 12);
}

void pr_vm_air_sponge(pr_vm_parts *p) {
    sponge s = {.b = p->b};
    pr_vm_begin_masked(p, PR_VM_SPONGE, "hash", s.x, s.before, PR_VM_H_MASKED, PR_VM_H_PLAIN);
    pr_air_builder *b = p->b;
    s.goes_on = pr_sub(b, s.x[PR_VM_H_LIVE], s.x[PR_VM_H_FIRST]);
    pr_vm_blank(p, s.x[PR_VM_H_LIVE], s.x, PR_VM_H_TIME, PR_VM_H_LAST - PR_VM_H_TIME);
    pr_vm_blank(p, s.x[PR_VM_H_FIRST], s.x, PR_VM_H_N_HI, 1);
    constrain_rows(p, &s);
    constrain_words(p, &s);
    constrain_state(p, &s);
    look_up_sponge(p, &s);
    pr_air_declare_derived(b, PR_VM_H_PAIRS);
}

/* ---- the digest ---- */

/* Word k is an element below p: HI has 15 bits, and not all bits of it and of LO are 1. */
static pr_expr constrain_element(pr_vm_parts *p, const pr_expr *x, int k) {
    pr_air_builder *b = p->b;
    pr_expr live = x[PR_VM_Z_LIVE], low = x[PR_VM_Z_WORDS + 2 * k], high = x[PR_VM_Z_WORDS + 2 * k + 1];
    pr_expr lack = pr_sub(b, pr_const(b, 0x7fff + 0xffff), pr_add(b, low, high));
    char name[32];
    snprintf(name, sizeof name, "word %d is below p", k);
    pr_air_constrain(b, name, pr_sub(b, pr_mul(b, lack, x[PR_VM_Z_INVERSE + k]), live));
    pr_vm_range(p, PR_VM_R_RANGE16, live, low);
    pr_vm_range(p, PR_VM_R_RANGE16, live, high);
    pr_vm_range(p, PR_VM_R_RANGE16, live, pr_vm_times(p, 2, high));
    return pr_add(b, low, pr_vm_times(p, 65536, high));
}

void pr_vm_air_digest(pr_vm_parts *p) {
    pr_air_builder *b = p->b;
    pr_expr x[PR_VM_Z_COLUMNS];
    pr_vm_begin(p, PR_VM_DIGEST, "digest", x, PR_VM_Z_COLUMNS);
    pr_expr live = x[PR_VM_Z_LIVE], time = x[PR_VM_Z_TIME], next = x[PR_VM_Z_NEXT];
    pr_expr digest[12] = {time, next, x[PR_VM_Z_D], x[PR_VM_Z_D + 1]};
    const pr_expr state[] = {pr_add(b, time, pr_const(b, 2 * PR_VM_TICKS)), next};
    pr_vm_boolean(p, "live is 0 or 1", live);
    pr_vm_blank(p, live, x, PR_VM_Z_TIME, PR_VM_Z_INVERSE - PR_VM_Z_TIME);
    for (int k = 0; k < 8; k++) {
        pr_expr at[2] = {x[PR_VM_Z_D], x[PR_VM_Z_D + 1]};
        digest[4 + k] = constrain_element(p, x, k);
        if (k) {
            pr_expr above = x[PR_VM_Z_ABOVE + k - 1], around = x[PR_VM_Z_AROUND + k - 1];
            constrain_carries(p, k, live, above, around);
            address_of(p, at, &x[PR_VM_Z_D], k, above, around);
        }
        const pr_expr *word = &x[PR_VM_Z_WORDS + 2 * k];
        const pr_expr access[] = {time, p->one, at[0], at[1], word[0], word[1]};
        pr_vm_put(p, PR_VM_R_ACCESS, live, access, 6);
    }
    pr_vm_take(p, PR_VM_R_DIGEST, live, digest, 12);
    pr_vm_put(p, PR_VM_R_STATE, live, state, 2);
}
