#include "vm/blocks.h"

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
