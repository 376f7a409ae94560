#include "data_pipeline/programs.h"
#include <string.h>
#include "vm/assemble.h"

/* Each program is HEAD, what is done with a value in r3, LOOP, and its outputs. r1: the value's place less 1, r2:
 * values left, r10 and up: what has been gathered. Registers start as zero. */
#define HEAD                                                                                                           \
    "        LOADIMM r1, INPUT\n"                                                                                      \
    "        LOAD    r2, r1\n"                                                                                         \
    "        JZ      r2, done\n"                                                                                       \
    "next:   LOAD    r3, r1, 1\n"
#define LOOP                                                                                                           \
    "loop:   ADD     r1, r1, 1\n"                                                                                      \
    "        SUB     r2, r2, 1\n"                                                                                      \
    "        JNZ     r2, next\n"                                                                                       \
    "done:   LOADIMM r4, OUTPUT\n"
#define ONE_OUTPUT                                                                                                     \
    "        LOADIMM r5, 1\n"                                                                                          \
    "        STORE   r5, r4\n"                                                                                         \
    "        STORE   r10, r4, 1\n"                                                                                     \
    "        HALT\n"

static const struct {
    const char *operation, *text;
} programs[] = {
    /* the sum's low and high word */
    {"sum", HEAD "        ADD     r10, r10, r3\n"
                 "        LT      r5, r10, r3     ; a carry\n"
                 "        ADD     r11, r11, r5\n" LOOP "        LOADIMM r5, 2\n"
                 "        STORE   r5, r4\n"
                 "        STORE   r10, r4, 1\n"
                 "        STORE   r11, r4, 2\n"
                 "        HALT\n"},
    /* the smallest, 2^32 - 1 of no values */
    {"min", "        LOADIMM r10, 0xffffffff\n" HEAD "        LT      r5, r3, r10\n"
            "        JZ      r5, loop\n"
            "        ADD     r10, r3, 0\n" LOOP ONE_OUTPUT},
    /* the largest, 0 of no values */
    {"max", HEAD "        GT      r5, r3, r10\n"
                 "        JZ      r5, loop\n"
                 "        ADD     r10, r3, 0\n" LOOP ONE_OUTPUT},
    {"count", HEAD "        LT      r5, r3, FROM\n"
                   "        GT      r6, r3, TO\n"
                   "        OR      r5, r5, r6\n"
                   "        XOR     r5, r5, 1\n"
                   "        ADD     r10, r10, r5\n" LOOP ONE_OUTPUT},
    /* how many are in no bin, then each bin; they are counted where they are put out */
    {"histogram", HEAD "        LT      r5, r3, FROM\n"
                       "        JNZ     r5, outside\n"
                       "        SUB     r3, r3, FROM\n"
                       "        DIV     r3, r3, WIDTH\n"
                       "        LT      r5, r3, BINS\n"
                       "        JZ      r5, outside\n"
                       "        LOAD    r6, r3, OUTPUT+2\n"
                       "        ADD     r6, r6, 1\n"
                       "        STORE   r6, r3, OUTPUT+2\n"
                       "        JMP     loop\n"
                       "outside:ADD     r10, r10, 1\n" LOOP "        LOADIMM r5, BINS+1\n"
                       "        STORE   r5, r4\n"
                       "        STORE   r10, r4, 1\n"
                       "        HALT\n"},
};
enum { N_PROGRAMS = sizeof programs / sizeof *programs };

pr_status pr_pipeline_program(pr_vm_program *out, const pr_pipeline *p, pr_error *err) {
    size_t k = 0;
    while (k < N_PROGRAMS && strcmp(programs[k].operation, p->operation) != 0) k++;
    if (k == N_PROGRAMS)
        return pr_fail(err, PR_ERR_USAGE, "data_pipeline: no operation '%s'; allowed: sum, min, max, count, histogram",
                       p->operation);
    pr_writer text;
    pr_writer_init(&text);
    pr_write_format(&text, "        .equ FROM, %u\n        .equ TO, %u\n", p->from, p->to);
    pr_write_format(&text, "        .equ WIDTH, %u\n        .equ BINS, %u\n%s", p->width, p->bins, programs[k].text);
    pr_status status = text.failed ? pr_fail(err, PR_ERR_MEMORY, "out of memory for a program")
                                   : pr_vm_assemble(out, (const char *)text.data, text.size, p->operation, err);
    pr_writer_clear(&text);
    return status;
}
