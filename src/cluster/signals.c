#include "cluster/signals.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

static void on_signal(int number) {
    if (asked) _exit(75);
    asked = number == SIGUSR1 ? PR_STOP_DRAIN : PR_STOP_SOON;
}

void pr_signals_watch(int rank) {
    static const int watched[] = {SIGUSR1, SIGTERM, SIGINT};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = rank == 0 ? on_signal : SIG_IGN;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < sizeof watched / sizeof watched[0]; i++) sigaction(watched[i], &action, NULL);
}

pr_stop pr_signals_stop(void) { return (pr_stop)asked; }
