/* Runs that are honest but for one lie: what follows from it is computed as the machine would, so that one constraint,
 * or one relation, is left alone to notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "poseidon2/poseidon2.h"
#include "vm/blocks.h"
#include "vm_case.h"

typedef enum lie {
    NO_LIE,
    RESULT_LOW, /* of the function: a wrong half */
    RESULT_HIGH,
    NEXT,        /* another pc */
    WRITTEN_LOW, /* another word into rd */
    WRITTEN_HIGH,
    STALE_A, /* rs1 as it was before it was last written */
    STALE_S,
    STALE_OLD,
    STALE_VALUE_OF_A,   /* the same, but with the time of the last access */
    STALE_MEMORY,       /* the word as it was before it was last written */
    STALE_MEMORY_VALUE, /* the same, taking out what is there now */
    STORED_LOW,         /* another word into memory */
    STORED_HIGH,
    ADDRESS, /* another word is written */
    TRAP,    /* where there is no division by zero */
    LIES
} lie;

/* What a register or a word was when it was written before the last time. */
typedef struct past {
    uint32_t value, touched;
} past;

typedef struct liar {
    pr_vm_machine m;
    past registers[PR_VM_REGISTERS];
    past word; /* of the one address that a program here writes twice */
} liar;

static uint32_t read_register(liar *l, uint8_t number, uint32_t now, bool stale, uint32_t *touched) {
    uint32_t value = l->m.registers[number];
    *touched = l->m.touched[number];
    if (stale) value = l->registers[number].value, *touched = l->registers[number].touched;
    l->m.touched[number] = now;
    return value;
}

static void access_memory(liar *l, const pr_vm_line *line, pr_vm_step *step, lie told) {
    bool writes = pr_vm_line_has(line, PR_VM_F_STORE) || pr_vm_line_has(line, PR_VM_F_CALL);
    if (!pr_vm_line_uses_memory(line)) return;
    pr_vm_word *word = pr_vm_memory_touch(&l->m.memory, pr_vm_line_has(line, PR_VM_F_RET) ? step->a : step->c);
    assert_non_null(word);
    pr_vm_access access = {.timestamp = 4 * (l->m.n_steps + 1),
                           .address = word->address,
                           .old = word->value,
                           .touched = word->touched,
                           .write = writes};
    if (told == STALE_MEMORY) access.old = l->word.value, access.touched = l->word.touched;
    access.value = pr_vm_line_has(line, PR_VM_F_STORE)  ? step->s
                   : pr_vm_line_has(line, PR_VM_F_CALL) ? l->m.pc + 1
                                                        : access.old;
    if (told == STALE_MEMORY_VALUE) access.value = l->word.value;
    if (told == STORED_LOW) access.value ^= 1;
    if (told == STORED_HIGH) access.value ^= 0x10000;
    if (writes) l->word = (past){access.old, access.touched};
    step->m = word->value = access.value;
    word->touched = access.timestamp;
    assert_true(l->m.n_accesses < l->m.accesses_capacity);
    l->m.accesses[l->m.n_accesses++] = access;
}

static uint32_t next_pc(const pr_vm_line *line, const pr_vm_step *step) {
    if (step->trap) return PR_VM_END_PC + PR_VM_DIVISION_BY_ZERO;
    if (pr_vm_line_has(line, PR_VM_F_HALT)) return PR_VM_END_PC + PR_VM_HALTED;
    if (pr_vm_line_has(line, PR_VM_F_RET)) return step->m;
    if (pr_vm_line_has(line, PR_VM_F_JUMP)) return line->target;
    if (pr_vm_line_has(line, PR_VM_F_JZ) && step->c) return line->target;
    if (pr_vm_line_has(line, PR_VM_F_JNZ) && !step->c) return line->target;
    return step->pc + 1u;
}

static uint32_t written(const pr_vm_line *line, const pr_vm_step *step) {
    if (step->trap) return step->old;
    if (pr_vm_line_has(line, PR_VM_F_RESULT)) return step->c;
    if (pr_vm_line_has(line, PR_VM_F_LOAD)) return step->m;
    return pr_vm_line_has(line, PR_VM_F_CONSTANT) ? line->imm : step->old;
}

/* Of one step: its last three accesses read x and y and write the sum. */
static void multiply(liar *l, const pr_vm_line *line, const pr_vm_step *step, lie told) {
    pr_vm_machine *m = &l->m;
    assert_true(pr_vm_multiply(m, line, step));
    pr_vm_access *x = &m->accesses[m->n_accesses - 3], *y = x + 1, *sum = x + 2;
    pr_vm_product *product = &m->products[m->n_products - 1];
    pr_vm_word *word = pr_vm_memory_touch(&m->memory, sum->address);
    assert_non_null(word);
    if (told == STALE_MEMORY) y->old = l->word.value, y->touched = l->word.touched;
    if (told == STALE_MEMORY || told == STALE_MEMORY_VALUE) product->y = y->value = l->word.value;
    pr_vm_memory_touch(&m->memory, y->address)->value = y->value;
    product->sum = product->x * product->y;
    if (told == RESULT_LOW) product->sum ^= 1;
    if (told == RESULT_HIGH) product->sum ^= 0x10000;
    sum->value = product->sum;
    if (told == STORED_LOW) sum->value ^= 1;
    if (told == STORED_HIGH) sum->value ^= 0x10000;
    if (told == ADDRESS) sum->address ^= 1;
    if (told == ADDRESS) assert_non_null(word = pr_vm_memory_touch(&m->memory, sum->address));
    word->value = sum->value, word->touched = sum->timestamp;
}

/* Of one block of one word: its last nine accesses read the word and write the digest. */
static void hash(liar *l, const pr_vm_step *step, uint32_t n, lie told) {
    pr_vm_machine *m = &l->m;
    assert_true(pr_vm_hash_words(m, step, n));
    pr_vm_access *word = &m->accesses[m->n_accesses - 9], *digest = word + 1;
    pr_vm_hash *x = &m->hashes[m->n_hashes - 1];
    pr_vm_block *block = &m->blocks[m->n_blocks - 1];
    if (told == STALE_MEMORY) word->old = l->word.value, word->touched = l->word.touched;
    if (told == STALE_MEMORY || told == STALE_MEMORY_VALUE) block->words[0] = word->value = l->word.value;
    pr_vm_memory_touch(&m->memory, word->address)->value = word->value;
    pr_m31 state[16] = {block->words[0] & 0xffff, block->words[0] >> 16, [8] = n};
    pr_poseidon2_permute(state);
    memcpy(x->digest, state, sizeof x->digest);
    if (told == RESULT_LOW) x->digest[3] ^= 1;
    if (told == RESULT_HIGH) x->digest[3] ^= 0x10000;
    if (told == ADDRESS) digest[3].address += 16;
    for (int k = 0; k < 8; k++) {
        digest[k].value = x->digest[k];
        if (k == 3 && told == STORED_LOW) digest[k].value ^= 1;
        if (k == 3 && told == STORED_HIGH) digest[k].value ^= 0x10000;
        pr_vm_word *at = pr_vm_memory_touch(&m->memory, digest[k].address);
        assert_non_null(at);
        at->value = digest[k].value, at->touched = digest[k].timestamp;
    }
}

static void lying_step(liar *l, lie told) {
    pr_vm_machine *m = &l->m;
    const pr_vm_line *line = &m->lines[m->pc];
    uint32_t now = 4 * (m->n_steps + 1);
    pr_vm_step step = {.number = m->n_steps + 1, .pc = (uint16_t)m->pc};
    step.a = read_register(l, line->rs1, now, told == STALE_A, &step.a_touched);
    if (told == STALE_VALUE_OF_A) step.a = l->registers[line->rs1].value;
    step.s = read_register(l, line->rs2, now + 1, told == STALE_S, &step.s_touched);
    step.old = read_register(l, line->rd, now + 2, told == STALE_OLD, &step.d_touched);
    uint32_t b = pr_vm_line_has(line, PR_VM_F_IMMEDIATE) ? line->imm : step.s;
    step.trap = told == TRAP || (pr_vm_line_has(line, PR_VM_F_DIVIDE) && b == 0);
    step.c = step.trap ? 0 : pr_vm_alu_run(line->alu, step.a, b);
    if (told == RESULT_LOW && line->alu) step.c ^= 1;
    if (told == RESULT_HIGH && line->alu) step.c ^= 0x10000;
    access_memory(l, line, &step, told);
    uint32_t n_steps = (uint32_t)pr_vm_line_steps(line, b);
    step.written = written(line, &step);
    if (told == WRITTEN_LOW) step.written ^= 1;
    if (told == WRITTEN_HIGH) step.written ^= 0x10000;
    step.next = next_pc(line, &step);
    if (told == NEXT) step.next = step.next >= m->n_lines ? step.pc + 1u : step.next + 1;
    if (pr_vm_line_has(line, PR_VM_F_MATMUL)) multiply(l, line, &step, told);
    if (pr_vm_line_has(line, PR_VM_F_HASH)) hash(l, &step, b, told);
    if (step.written != m->registers[line->rd]) l->registers[line->rd] = (past){step.old, step.d_touched};
    m->registers[line->rd] = step.written;
    m->pc = step.next;
    assert_true(m->n_rows < m->steps_capacity);
    m->steps[m->n_rows++] = step;
    m->n_steps += n_steps;
    if (m->pc >= PR_VM_END_PC) m->end = (pr_vm_end)(m->pc - PR_VM_END_PC);
}

/* Runs the text, telling the lie in step `at` (from 0). */
static vm_case tell(const char *text, uint32_t at, lie told) {
    pr_vm_program p = vm_assemble(text);
    liar l = {0};
    assert_int_equal(pr_vm_machine_init(&l.m, &p, NULL, 0, NULL), PR_OK);
    l.m.records = true;
    l.m.steps_capacity = l.m.accesses_capacity = 256;
    l.m.steps = calloc(256, sizeof *l.m.steps);
    l.m.accesses = calloc(256, sizeof *l.m.accesses);
    assert_true(l.m.steps && l.m.accesses);
    while (l.m.end == PR_VM_RUNNING) {
        assert_true(l.m.pc < l.m.n_lines);
        lying_step(&l, l.m.n_steps == at ? told : NO_LIE);
    }
    return vm_case_take(&p, &l.m, NULL, 0);
}

/* Every register that a test step reads was written twice, and so was the word at 100. */
#define BEFORE                                                                                                         \
    "LOADIMM r0, 5\nLOADIMM r0, 6\nLOADIMM sp, 77\nLOADIMM sp, 100\nLOADIMM r1, 0x12345678\nLOADIMM r1, 0x87654321\n"  \
    "LOADIMM r2, 3\nLOADIMM r2, 0x6789\nLOADIMM r3, 8\nLOADIMM r3, 9\nLOADIMM r5, 100\nLOADIMM r6, 27\n"               \
    "STORE r6, r5\nLOADIMM r6, 28\nSTORE r6, r5\n"
#define AFTER "\nNOP\nNOP\nHALT\nHALT"
enum { STEP = 15 };

typedef struct opcode_case {
    const char *name, *text;
    bool has_function, has_memory;
} opcode_case;

#define BINARY(op)                                                                                                     \
    {#op, BEFORE #op " r3, r1, r2" AFTER, true, false}, { #op, BEFORE #op " r3, r1, 0x6789" AFTER, true, false }
static const opcode_case opcode_cases[] = {
    BINARY(ADD),
    BINARY(SUB),
    BINARY(MUL),
    BINARY(DIV),
    BINARY(MOD),
    BINARY(AND),
    BINARY(OR),
    BINARY(XOR),
    BINARY(SHL),
    BINARY(SHR),
    BINARY(EQ),
    BINARY(LT),
    BINARY(GT),
    {"EQ", BEFORE "EQ r3, r1, 0x87654321" AFTER, true, false},
    {"NOT", BEFORE "NOT r3, r1" AFTER, true, false},
    {"RELU", BEFORE "RELU r3, r1" AFTER, true, false},
    {"RELU", BEFORE "RELU r3, r2" AFTER, true, false},
    {"MATMUL", BEFORE "MATMUL r3, r2, r5, 1, 1, 1" AFTER, true, true},
    {"HASH", BEFORE "HASH r3, r5, 1" AFTER, true, true},
    {"LOADIMM", BEFORE "LOADIMM r3, 0x1234567" AFTER, false, false},
    {"LOAD", BEFORE "LOAD r3, r5" AFTER, true, true},
    {"STORE", BEFORE "STORE r2, r5" AFTER, true, true},
    {"NOP", BEFORE "NOP" AFTER, false, false},
    {"HALT", BEFORE "HALT" AFTER, false, false},
    {"JMP", BEFORE "JMP 17" AFTER, false, false},
    {"JZ", BEFORE "JZ r1, 17" AFTER, true, false},
    {"JNZ", BEFORE "JNZ r1, 17" AFTER, true, false},
    {"CALL", BEFORE "CALL 17" AFTER, true, true},
    {"RET", BEFORE "RET" AFTER "\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nNOP\nHALT\nHALT", true, true},
};
enum { N_CASES = sizeof opcode_cases / sizeof *opcode_cases };

static const char *failing(const vm_case *c, const pr_check_report *report) {
    return report->constraint_failed ? c->air->components[report->component].constraints[report->constraint].name : "";
}

/* One constraint alone notices, in one row, and every relation is in balance. */
static void noticed_by(const opcode_case *o, lie told, const char *expected) {
    vm_case c = tell(o->text, STEP, told);
    pr_check_report report = vm_case_check(&c);
    if (report.n_failures != 1 || report.n_unbalanced || strcmp(failing(&c, &report), expected) != 0)
        fail_msg("%s, lie %d: %llu failures, %llu tuples, first: '%s', not '%s'", o->name, told,
                 (unsigned long long)report.n_failures, (unsigned long long)report.n_unbalanced, failing(&c, &report),
                 expected);
    vm_case_clear(&c);
}

/* No constraint notices: a relation does. */
static void noticed_by_relation(const opcode_case *o, lie told) {
    vm_case c = tell(o->text, STEP, told);
    pr_check_report report = vm_case_check(&c);
    if (report.n_failures || !report.n_unbalanced)
        fail_msg("%s, lie %d: %llu failures, %llu tuples, first: '%s'", o->name, told,
                 (unsigned long long)report.n_failures, (unsigned long long)report.n_unbalanced, failing(&c, &report));
    vm_case_clear(&c);
}

static void the_truth_passes(void **state) {
    (void)state;
    for (int k = 0; k < N_CASES; k++) {
        vm_case c = tell(opcode_cases[k].text, STEP, NO_LIE);
        vm_case_assert_holds(&c);
        vm_case_clear(&c);
    }
}

/* What stands against a wrong half of a function's result; NULL: the tuple that nobody puts in. */
static const char *against_result(const opcode_case *o, lie told) {
    static const struct {
        const char *name, *low, *high;
    } all[] = {
        {"ADD", "low half", "high half"},
        {"SUB", "low half", "high half"},
        {"LOAD", "low half", "high half"},
        {"STORE", "low half", "high half"},
        {"CALL", "low half", "high half"},
        {"RET", "low half", "high half"},
        {"MUL", "low half", "high half"},
        {"SHL", "low half", "high half"},
        {"LT", "high half", NULL},
        {"GT", "high half", NULL},
        {"AND", NULL, NULL},
        {"OR", NULL, NULL},
        {"XOR", NULL, NULL},
        {"NOT", NULL, NULL},
        {"RELU", NULL, NULL},
        {"HASH", NULL, NULL},
        {"MATMUL", "sum, low half", "sum, high half"},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (!strcmp(all[k].name, o->name)) return told == RESULT_LOW ? all[k].low : all[k].high;
    return "";
}

static void wrong_results(void **state) {
    (void)state;
    for (int k = 0; k < N_CASES; k++)
        for (lie told = RESULT_LOW; told <= RESULT_HIGH; told++) {
            const opcode_case *o = &opcode_cases[k];
            if (!o->has_function) continue;
            const char *expected = against_result(o, told);
            if (expected && *expected) {
                noticed_by(o, told, expected);
                continue;
            }
            vm_case c = tell(o->text, STEP, told);
            pr_check_report report = vm_case_check(&c);
            assert_false(report.ok);
            if (!expected && !report.n_unbalanced) fail_msg("%s: no relation notices", o->name);
            vm_case_clear(&c);
        }
}

static void wrong_next_pc(void **state) {
    (void)state;
    for (int k = 0; k < N_CASES; k++) noticed_by(&opcode_cases[k], NEXT, "the next pc");
}

static void wrong_register(void **state) {
    (void)state;
    for (int k = 0; k < N_CASES; k++) {
        noticed_by(&opcode_cases[k], WRITTEN_LOW, "what rd becomes, low half");
        noticed_by(&opcode_cases[k], WRITTEN_HIGH, "what rd becomes, high half");
    }
}

static void stale_registers(void **state) {
    (void)state;
    for (int k = 0; k < N_CASES; k++) {
        const opcode_case *o = &opcode_cases[k];
        noticed_by_relation(o, STALE_A);
        noticed_by_relation(o, STALE_VALUE_OF_A);
        noticed_by_relation(o, STALE_S);
        noticed_by_relation(o, STALE_OLD);
    }
}

static void stale_memory(void **state) {
    (void)state;
    for (int k = 0; k < N_CASES; k++) {
        const opcode_case *o = &opcode_cases[k];
        bool reads = !strcmp(o->name, "LOAD") || !strcmp(o->name, "RET") || !strcmp(o->name, "MATMUL") ||
                     !strcmp(o->name, "HASH");
        if (o->has_memory && strcmp(o->name, "CALL") != 0) noticed_by_relation(o, STALE_MEMORY);
        if (reads) noticed_by(o, STALE_MEMORY_VALUE, "a read changes nothing, low half");
    }
}

static void wrong_words_stored(void **state) {
    (void)state;
    const opcode_case store = {"STORE", BEFORE "STORE r2, r5" AFTER, true, true};
    const opcode_case call = {"CALL", BEFORE "CALL 17" AFTER, true, true};
    const opcode_case matmul = {"MATMUL", BEFORE "MATMUL r3, r5, r5, 1, 1, 1" AFTER, true, true};
    noticed_by_relation(&matmul, STORED_LOW);
    noticed_by_relation(&matmul, STORED_HIGH);
    noticed_by_relation(&matmul, ADDRESS);
    const opcode_case hash = {"HASH", BEFORE "HASH r3, r5, 1" AFTER, true, true};
    noticed_by_relation(&hash, STORED_LOW);
    noticed_by_relation(&hash, STORED_HIGH);
    noticed_by_relation(&hash, ADDRESS);
    noticed_by(&store, STORED_LOW, "STORE writes s, low half");
    noticed_by(&store, STORED_HIGH, "STORE writes s, high half");
    noticed_by(&call, STORED_LOW, "CALL writes the next address, low half");
    noticed_by(&call, STORED_HIGH, "CALL writes the next address, high half");
}

/* RET to a word above 16 bits whose low half is an address. */
static void a_long_way_back(void **state) {
    (void)state;
    pr_vm_program p = vm_assemble("LOADIMM r1, 0x10004\nSTORE r1, r2\nNOP\nRET\nHALT");
    pr_vm_machine m;
    assert_int_equal(pr_vm_machine_init(&m, &p, NULL, 0, NULL), PR_OK);
    m.records = true;
    for (int k = 0; k < 3; k++) assert_int_equal(pr_vm_machine_step(&m, NULL), PR_OK);
    assert_int_equal(pr_vm_machine_step(&m, NULL), PR_ERR_INPUT);
    m.steps[3].next = m.pc = 4;
    assert_int_equal(pr_vm_machine_step(&m, NULL), PR_OK);
    assert_int_equal(m.end, PR_VM_HALTED);
    vm_case c = vm_case_take(&p, &m, NULL, 0);
    pr_check_report report = vm_case_check(&c);
    assert_int_equal(report.n_failures, 1);
    assert_int_equal(report.n_unbalanced, 0);
    assert_string_equal(failing(&c, &report), "RET reads an address");
    vm_case_clear(&c);
}

/* A trap where b is not zero or nothing is divided, and no trap where b is zero. */
static void traps(void **state) {
    (void)state;
    const opcode_case low = {"DIV", BEFORE "DIV r3, r1, 5" AFTER, true, false};
    const opcode_case high = {"MOD", BEFORE "MOD r3, r1, 0x70000" AFTER, true, false};
    const opcode_case other = {"ADD", BEFORE "ADD r3, r1, 0" AFTER, true, false};
    noticed_by(&low, TRAP, "a trap divides by zero, low half");
    noticed_by(&high, TRAP, "a trap divides by zero, high half");
    noticed_by(&other, TRAP, "only a division traps");
    static const char *const texts[] = {"LOADIMM r1, 5\nDIV r3, r1, r2\nHALT", "LOADIMM r1, 5\nMOD r3, r1, 0\nHALT"};
    for (int k = 0; k < 2; k++) {
        vm_case c = vm_case_of_text(texts[k], NULL, 0);
        vm_case_assert_holds(&c);
        assert_int_equal(c.statement.end, PR_VM_DIVISION_BY_ZERO);
        assert_int_equal(c.statement.n_steps, 2);
        vm_case_clear(&c);
    }
}

/* Claims that differ from what ran: the end, the steps, an output, an input, the program's data. */
static void wrong_claims(void **state) {
    (void)state;
    static const uint32_t inputs[] = {4, 5};
    for (int k = 0; k < 7; k++) {
        vm_case c = vm_case_of_text("LOADIMM r1, INPUT\nLOAD r2, r1, 1\nLOADIMM r3, OUTPUT\nSTORE r2, r3, 1\n"
                                    "LOADIMM r4, 1\nSTORE r4, r3\nHALT\n.word 7",
                                    inputs, 2);
        pr_vm_public *s = &c.statement;
        if (k == 1) s->end = PR_VM_DIVISION_BY_ZERO;
        if (k == 2) s->n_steps++;
        if (k == 3) s->outputs[0]++;
        if (k == 4) s->inputs[1] ^= 0x10000; /* one that the program does not read */
        if (k == 5) s->program.data[0]++;
        if (k == 6) s->n_outputs = 0;
        pr_statement_clear(&c.st);
        c.st = plain_statement(c.air);
        assert_int_equal(pr_vm_public_terms(&c.st, s, NULL), PR_OK);
        pr_check_report report = vm_case_check(&c);
        assert_int_equal(report.n_failures, 0);
        assert_int_equal(report.ok, k == 0);
        if (k == 6) s->n_outputs = 1;
        vm_case_clear(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_passes), cmocka_unit_test(wrong_results),      cmocka_unit_test(wrong_next_pc),
        cmocka_unit_test(wrong_register),   cmocka_unit_test(stale_registers),    cmocka_unit_test(stale_memory),
        cmocka_unit_test(a_long_way_back),  cmocka_unit_test(wrong_words_stored), cmocka_unit_test(traps),
        cmocka_unit_test(wrong_claims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
