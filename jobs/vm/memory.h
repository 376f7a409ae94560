/* The machine's memory: 2^32 words that are zero until they are written; only words that were touched take room. */
#ifndef PR_JOBS_VM_MEMORY_H
#define PR_JOBS_VM_MEMORY_H
#include "base/error.h"

typedef struct pr_vm_word {
    uint32_t address, first, value; /* first: when the machine starts */
    uint32_t touched;               /* timestamp of the last access; 0: none yet */
} pr_vm_word;

typedef struct pr_vm_memory {
    pr_vm_word *words; /* [n], in the order in which they were touched first; owned */
    uint32_t n, capacity;
    uint32_t *places; /* [2 * capacity], a hash table of index + 1; owned */
} pr_vm_memory;

void pr_vm_memory_clear(pr_vm_memory *memory);
/* The word at an address, which is there from then on; valid until the next call. NULL: out of memory, or 2^24 words
 * are there already. */
pr_vm_word *pr_vm_memory_touch(pr_vm_memory *memory, uint32_t address);
/* The value at an address, touching nothing. */
uint32_t pr_vm_memory_peek(const pr_vm_memory *memory, uint32_t address);
/* Puts the words into the order of their addresses; nothing may be touched afterwards. */
void pr_vm_memory_sort(pr_vm_memory *memory);
#endif
