#include "vm/blocks.h"
#include <string.h>
#include "poseidon2/poseidon2.h"

static bool record_matmul(pr_vm_machine *m, const pr_vm_matmul *matmul) {
    if (!m->records) return true;
    if (!pr_vm_reserve((void **)&m->matmuls, &m->matmuls_capacity, m->n_matmuls, sizeof *matmul)) return false;
    m->matmuls[m->n_matmuls++] = *matmul;
    return true;
}

static bool record_product(pr_vm_machine *m, const pr_vm_product *product) {
    if (!m->records) return true;
    if (!pr_vm_reserve((void **)&m->products, &m->products_capacity, m->n_products, sizeof *product)) return false;
    m->products[m->n_products++] = *product;
    return true;
}

/* One word of the result. now: the timestamp of its first step. */
static bool multiply_row(pr_vm_machine *m, const pr_vm_matmul *x, uint32_t i, uint32_t j, uint32_t now) {
    uint32_t sum = 0;
    for (uint32_t k = 0; k < x->inner; k++, now += PR_VM_TICKS) {
        pr_vm_product product = {.matmul = (uint32_t)m->n_matmuls - 1};
        if (!pr_vm_access_word(m, now, x->a + i * x->inner + k, false, &product.x) ||
            !pr_vm_access_word(m, now + 1, x->b + k * x->columns + j, false, &product.y))
            return false;
        product.sum = sum += product.x * product.y;
        if (!record_product(m, &product)) return false;
    }
    return pr_vm_access_word(m, now - PR_VM_TICKS + 2, x->d + i * x->columns + j, true, &sum);
}

bool pr_vm_multiply(pr_vm_machine *m, const pr_vm_line *line, const pr_vm_step *step) {
    pr_vm_matmul x = {.timestamp = PR_VM_TICKS * step->number,
                      .next = step->next,
                      .a = step->a,
                      .b = step->s,
                      .d = step->old,
                      .rows = (uint16_t)line->imm,
                      .inner = (uint16_t)(line->imm >> 16),
                      .columns = line->target,
                      .first = (uint32_t)m->n_products};
    if (!record_matmul(m, &x)) return false;
    uint32_t now = x.timestamp;
    for (uint32_t i = 0; i < x.rows; i++)
        for (uint32_t j = 0; j < x.columns; j++, now += PR_VM_TICKS * x.inner)
            if (!multiply_row(m, &x, i, j, now)) return false;
    return true;
}

static bool record_block(pr_vm_machine *m, const pr_vm_block *block) {
    if (!m->records) return true;
    if (!pr_vm_reserve((void **)&m->blocks, &m->blocks_capacity, m->n_blocks, sizeof *block)) return false;
    m->blocks[m->n_blocks++] = *block;
    return true;
}

static bool record_hash(pr_vm_machine *m, const pr_vm_hash *hash) {
    if (!m->records) return true;
    if (!pr_vm_reserve((void **)&m->hashes, &m->hashes_capacity, m->n_hashes, sizeof *hash)) return false;
    m->hashes[m->n_hashes++] = *hash;
    return true;
}

/* Block number k. */
static bool absorb(pr_vm_machine *m, const pr_vm_hash *x, uint32_t k, pr_m31 state[16]) {
    pr_vm_block block = {.hash = (uint32_t)m->n_hashes};
    uint32_t now = x->timestamp + 4 * PR_VM_TICKS * k;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t place = 4 * k + i;
        if (place < x->n && !pr_vm_access_word(m, now, x->a + place, false, &block.words[i])) return false;
        state[2 * i] = block.words[i] & 0xffff, state[2 * i + 1] = block.words[i] >> 16;
    }
    memcpy(block.capacity, state + 8, sizeof block.capacity);
    pr_poseidon2_permute(state);
    return record_block(m, &block);
}

bool pr_vm_hash_words(pr_vm_machine *m, const pr_vm_step *step, uint32_t n) {
    pr_vm_hash x = {.timestamp = PR_VM_TICKS * step->number,
                    .next = step->next,
                    .a = step->a,
                    .d = step->old,
                    .n = n,
                    .first = (uint32_t)m->n_blocks};
    pr_m31 state[16] = {[8] = n};
    uint32_t n_blocks = pr_vm_hash_blocks(n);
    for (uint32_t k = 0; k < n_blocks; k++)
        if (!absorb(m, &x, k, state)) return false;
    memcpy(x.digest, state, sizeof x.digest);
    uint32_t now = x.timestamp + 4 * PR_VM_TICKS * n_blocks;
    for (uint32_t k = 0; k < 8; k++)
        if (!pr_vm_access_word(m, now, x.d + k, true, &x.digest[k])) return false;
    return record_hash(m, &x);
}
