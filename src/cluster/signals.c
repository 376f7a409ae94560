#include "cluster/signals.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked, status_wanted;

static void on_signal(int number) {
    if (number == SIGUSR2) {
        status_wanted = 1;
    } else if (number == SIGUSR1) {
        if (asked == PR_ASK_NONE) asked = PR_ASK_DRAIN;
    } else {
        if (asked == PR_ASK_STOP) _exit(75);
        asked = PR_ASK_STOP;
    }
}

void pr_signals_watch(int rank) {
    static const int watched[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = rank == 0 ? on_signal : SIG_IGN;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < sizeof watched / sizeof watched[0]; i++) sigaction(watched[i], &action, NULL);
}

pr_ask pr_signals_asked(void) { return (pr_ask)asked; }

bool pr_signals_take_status(void) {
    if (!status_wanted) return false;
    status_wanted = 0;
    return true;
}
