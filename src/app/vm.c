#include "app/app.h"
#include "gadgets/numbers.h"
#include "vm/assemble.h"
#include "vm/machine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arguments {
    const char *verb, *program, *input, *input_file, *output;
    uint64_t max_steps;
    bool trace;
} arguments;

/* ---- asm, disasm ---- */

static pr_status write_result(const pr_writer *w, const char *path, pr_error *err) {
    if (w->failed) return pr_fail(err, PR_ERR_MEMORY, "out of memory for the program");
    if (path) return pr_file_write_atomic(path, w->data, w->size, 0644, err);
    if (fwrite(w->data, 1, w->size, stdout) == w->size && !fflush(stdout)) return PR_OK;
    return pr_fail(err, PR_ERR_IO, "standard output: cannot write");
}

static pr_status assemble(const arguments *a, const pr_vm_program *program, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_write_bytes(&w, PR_VM_MAGIC, strlen(PR_VM_MAGIC));
    pr_vm_program_write(&w, program);
    pr_status status = write_result(&w, a->output, err);
    pr_writer_clear(&w);
    return status;
}

static pr_status disassemble(const arguments *a, const pr_vm_program *program, pr_error *err) {
    pr_writer w;
    pr_writer_init(&w);
    pr_vm_disassemble(&w, program);
    pr_status status = write_result(&w, a->output, err);
    pr_writer_clear(&w);
    return status;
}

/* ---- run ---- */

static pr_status read_inputs(uint32_t **words, size_t *n, const arguments *a, pr_error *err) {
    *words = NULL;
    *n = 0;
    if (a->input && a->input_file) return pr_fail(err, PR_ERR_USAGE, "--input and --input-file exclude each other");
    if (a->input) return pr_numbers_parse(words, n, PR_NUMBER_WORD, a->input, strlen(a->input), "--input", err);
    return a->input_file ? pr_numbers_load(words, n, PR_NUMBER_WORD, a->input_file, PR_VM_MAX_FILE, err) : PR_OK;
}

/* First step, instruction, and the registers that it changed. */
static void print_step(const pr_vm_machine *m, const pr_vm_program *program, uint32_t number, uint32_t pc,
                       const uint32_t *before) {
    pr_writer w;
    pr_writer_init(&w);
    pr_vm_write_instruction(&w, &program->instructions[pc]);
    pr_write_u8(&w, 0);
    printf("%8u  %5u  %-28s", number, pc, w.failed ? "" : (const char *)w.data);
    for (int k = 0; k < PR_VM_REGISTERS; k++)
        if (m->registers[k] != before[k]) printf(" r%d=0x%x", k, m->registers[k]);
    puts("");
    pr_writer_clear(&w);
}

static pr_status run_traced(pr_vm_machine *m, const pr_vm_program *program, uint32_t max_steps, pr_error *err) {
    uint32_t before[PR_VM_REGISTERS];
    m->max_steps = max_steps;
    while (m->end == PR_VM_RUNNING) {
        uint32_t pc = m->pc, n = m->n_steps;
        memcpy(before, m->registers, sizeof before);
        pr_status status = pr_vm_machine_step(m, err);
        if (m->n_steps > n) print_step(m, program, n + 1, pc, before);
        if (status != PR_OK) return status;
    }
    return PR_OK;
}

static pr_status print_end(const pr_vm_machine *m, pr_error *err) {
    uint32_t *outputs = NULL, n = 0;
    PR_TRY(pr_vm_machine_outputs(&outputs, &n, m, err));
    printf("end: %s\nsteps: %u\noutputs:", pr_vm_end_name(m->end), m->n_steps);
    for (uint32_t k = 0; k < n; k++) printf(" %u", outputs[k]);
    puts("");
    free(outputs);
    return PR_OK;
}

static pr_status execute(const arguments *a, const pr_vm_program *program, pr_error *err) {
    pr_vm_machine m = {0};
    uint32_t *inputs = NULL;
    size_t n = 0;
    PR_TRY(read_inputs(&inputs, &n, a, err));
    pr_status status = pr_vm_machine_init(&m, program, inputs, n, err);
    free(inputs);
    if (status != PR_OK) return status;
    status = a->trace ? run_traced(&m, program, (uint32_t)a->max_steps, err)
                      : pr_vm_machine_run(&m, (uint32_t)a->max_steps, err);
    if (status == PR_OK) status = print_end(&m, err);
    pr_vm_machine_clear(&m);
    return status;
}

/* ---- command line ---- */

typedef pr_status verb_function(const arguments *a, const pr_vm_program *program, pr_error *err);

static verb_function *find_verb(const char *name) {
    static const struct {
        const char *name;
        verb_function *function;
    } verbs[] = {{"run", execute}, {"asm", assemble}, {"disasm", disassemble}};
    for (size_t k = 0; k < sizeof verbs / sizeof *verbs; k++)
        if (!strcmp(verbs[k].name, name)) return verbs[k].function;
    return NULL;
}

static pr_status read_arguments(arguments *a, int argc, char **argv, pr_error *err) {
    static const struct option options[] = {{"input", 1, 0, 'i'}, {"input-file", 1, 0, 'f'}, {"max-steps", 1, 0, 'm'},
                                            {"trace", 0, 0, 't'}, {"output", 1, 0, 'o'},     {0, 0, 0, 0}};
    int o;
    optind = 0;
    while ((o = pr_app_option(argc, argv, ":", options, err)) != -1) {
        if (o == 'i')
            a->input = optarg;
        else if (o == 'f')
            a->input_file = optarg;
        else if (o == 'm')
            PR_TRY(pr_app_number(&a->max_steps, "--max-steps", optarg, 1, PR_VM_MAX_STEPS, err));
        else if (o == 't')
            a->trace = true;
        else if (o == 'o')
            a->output = optarg;
        else
            return PR_ERR_USAGE;
    }
    if (optind + 2 != argc)
        return pr_fail(err, PR_ERR_USAGE, "vm needs run, asm or disasm, and a program; see proverun vm --help");
    a->verb = argv[optind];
    a->program = argv[optind + 1];
    return PR_OK;
}

static pr_status run(int argc, char **argv, pr_error *err) {
    arguments a = {.max_steps = PR_VM_MAX_STEPS};
    PR_TRY(read_arguments(&a, argc, argv, err));
    verb_function *verb = find_verb(a.verb);
    if (!verb) return pr_fail(err, PR_ERR_USAGE, "vm has no '%s'; allowed: run, asm, disasm", a.verb);
    pr_vm_program program;
    PR_TRY(pr_vm_program_load(&program, a.program, err));
    pr_status status = verb(&a, &program, err);
    pr_vm_program_clear(&program);
    return status;
}

int pr_app_vm(int argc, char **argv) {
    pr_error err = {0};
    if (run(argc, argv, &err) == PR_OK) return 0;
    return err.status == PR_ERR_MALFORMED ? pr_app_fail_reading(&err) : pr_app_fail(&err);
}
