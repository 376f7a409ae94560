/* The assembler's names. */
#ifndef PR_JOBS_VM_SYMBOLS_H
#define PR_JOBS_VM_SYMBOLS_H
#include "base/error.h"

typedef struct pr_vm_symbol {
    const char *name; /* borrowed from the text; not terminated */
    size_t length;
    uint32_t value;
} pr_vm_symbol;

typedef struct pr_vm_symbols {
    pr_vm_symbol *items; /* [capacity], a hash table with open addressing; an empty place has no name */
    size_t n, capacity;
} pr_vm_symbols;

void pr_vm_symbols_clear(pr_vm_symbols *symbols);
const pr_vm_symbol *pr_vm_symbols_find(const pr_vm_symbols *symbols, const char *name, size_t length);
/* The name must be new. PR_ERR_MEMORY. */
PR_MUST_CHECK pr_status pr_vm_symbols_add(pr_vm_symbols *symbols, const char *name, size_t length, uint32_t value,
                                          pr_error *err);
#endif
