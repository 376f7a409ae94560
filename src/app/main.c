#include "app/app.h"
#include "base/log.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"run", pr_app_run, "prove the jobs of a manifest, on all ranks of an mpirun or srun"},
    {"show", pr_app_show, "print the tables of a results file"},
    {"rerun", pr_app_rerun, "prove the jobs of a results file again"},
    {"status", pr_app_status, "tell how a run stands: jobs, rate, ranks"},
    {"journal", pr_app_journal, "look at the journal of a run, or check it"},
    {"repair", pr_app_repair, "make a results file again from its journal"},
    {"merge", pr_app_merge, "make one results file from several"},
    {"prove", pr_app_prove, "prove one case file"},
    {"verify", pr_app_verify, "verify one proof, or every proof of a results file"},
    {"audit", pr_app_audit, "verify a results file and tell which validators signed wrongly"},
    {"prove-inclusion", pr_app_prove_inclusion, "show that an outcome is one of a run's"},
    {"verify-inclusion", pr_app_verify_inclusion, "check what prove-inclusion has written"},
    {"check", pr_app_check, "run a trace through its constraints and name the first that fails"},
    {"plan", pr_app_plan, "predict memory, sizes, times and votes before any work"},
    {"air", pr_app_air, "print the AIR of a job type as a case file, or as a program"},
    {"bench", pr_app_bench, "measure; JSON lines"},
    {"vm", pr_app_vm, "run, assemble and disassemble programs for the Obelysk VM"},
    {"keygen", pr_app_keygen, "make a key file and print its public key"},
    {"decrypt", pr_app_decrypt, "open the encrypted outputs of a results file"},
    {"topo", pr_app_topo, "show where ranks run: GPU, cores, memory, and why"},
    {"simulate", pr_app_simulate, "ask how a batch would go on up to 10,000 ranks"},
    {"version", pr_app_version, "versions, backends, processor features"},
};

static void print_help(FILE *out) {
    fputs("proverun - batch runner for STARK proving jobs\n\n"
          "Usage: proverun COMMAND [ARGUMENTS]\n\nCommands:\n",
          out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`proverun COMMAND --help` explains a command.\n\n"
          "Exit codes: 0 all proven (or accepted), 1 some failed or were rejected, 2 usage, manifest or unreadable "
          "input,\n"
          "70 internal error, 74 input/output error, 75 interrupted and resumable.\n"
          "PROVERUN_CPU=scalar|avx2|avx512 in the environment lowers the instruction set that is used.\n",
          out);
}

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, name)) return &commands[i];
    return NULL;
}

static int unknown_command(const char *name) {
    fprintf(stderr, "proverun: no command '%s'; allowed:", name);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) fprintf(stderr, " %s", commands[i].name);
    fputs("\n", stderr);
    return 2;
}

static bool asks_for_help(const char *word) { return !strcmp(word, "--help") || !strcmp(word, "-h"); }

static int print_command_help(const char *name) {
    for (const pr_app_help_text *h = pr_app_help_texts; h->name && pr_app_is_first_rank(); h++)
        if (!strcmp(h->name, name)) fputs(h->text, stdout);
    return 0;
}

static int run_command(int argc, char **argv) {
    if (!strcmp(argv[1], "child")) return pr_app_child(argc - 1, argv + 1); /* internal: not listed */
    const struct command *command = find_command(strcmp(argv[1], "--version") ? argv[1] : "version");
    if (!command) return unknown_command(argv[1]);
    for (int i = 2; i < argc && strcmp(argv[i], "--"); i++)
        if (asks_for_help(argv[i])) return print_command_help(command->name);
    return command->run(argc - 1, argv + 1);
}

/* `proverun help [COMMAND]` */
static int help(int argc, char **argv) {
    if (argc == 3 && !find_command(argv[2])) return unknown_command(argv[2]);
    if (argc == 3) return print_command_help(argv[2]);
    print_help(stdout);
    return 0;
}

int main(int argc, char **argv) {
    pr_log_init(PR_LOG_TEXT, PR_LOG_INFO, -1);
    signal(SIGXFSZ, SIG_IGN); /* a file beyond its limit is an error of writing, like a full disk */
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    bool wants_help = asks_for_help(argv[1]) || !strcmp(argv[1], "help");
    return pr_app_flush(wants_help ? help(argc, argv) : run_command(argc, argv));
}
