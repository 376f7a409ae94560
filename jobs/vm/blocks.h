/* Instructions that work on blocks of memory, in more than one step. Each addresses memory modulo 2^32.
 *
 * MATMUL rd, ra, rb, M, K, N: the words at rd become the product of the M x K matrix at ra and the K x N matrix at rb,
 * row by row, modulo 2^32. A word is written as soon as its sum is complete, and is read as written from then on. It
 * takes M K N steps: number (i N + j) K + k reads the first matrix at (i, k), at time 4 s, the second at (k, j), at 4 s
 * + 1, and, where k is the last, writes (i, j), at 4 s + 2.
 *
 * HASH rd, ra, n: the eight words from rd on become the Poseidon2 digest of the n words from ra on. A sponge in
 * overwrite mode: the state starts as zeros but for element 8, which is n; each block of 4 words overwrites elements 0
 * .. 7 with the LO and HI of each, zeros behind the last word, and is followed by a permutation; no words are one block
 * of zeros. The digest is elements 0 .. 7, each below p. It takes 4 steps a block and 2: block k is read at time 4 (s +
 * 4 k), the digest is written, when all is read, at 4 (s + 4 blocks). */
#ifndef PR_JOBS_VM_BLOCKS_H
#define PR_JOBS_VM_BLOCKS_H
#include "vm/machine.h"

/* What the files of the interpreter share. Both: false when out of memory. */
bool pr_vm_reserve(void **items, size_t *capacity, size_t n, size_t size); /* room for one more of n items */
/* Writes *value, or reads it into there; recorded if the machine records. */
bool pr_vm_access_word(pr_vm_machine *m, uint32_t timestamp, uint32_t address, bool write, uint32_t *value);

/* step: with a, s and old as the registers are; step->next is set. false: out of memory. */
bool pr_vm_multiply(pr_vm_machine *m, const pr_vm_line *line, const pr_vm_step *step);
bool pr_vm_hash_words(pr_vm_machine *m, const pr_vm_step *step, uint32_t n);
#endif
