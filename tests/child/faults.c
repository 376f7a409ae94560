#include "faults.h"
#include "child/link.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const names[PR_FAULT_COUNT] = {
    "none",       "kill",    "abort",     "exit",         "hang",       "freeze",  "grandchild", "close",
    "eat-memory", "rubbish", "truncated", "length",       "long",       "foreign", "ready",      "unbegun",
    "surplus",    "gate",    "other-job", "short-memory", "unsealed",   "pipe",    "no-memory",  "bad-record",
    "no-proof",   "twice",   "last-word", "wrong-proof",  "other-hash", "refused", "deaf"};
const char *pr_test_fault_name(pr_test_fault fault) { return fault < PR_FAULT_COUNT ? names[fault] : "unknown"; }

/* "3.0:kill", "3.*:kill", "3+.*:kill", "*.*:kill": whether it means this attempt. */
static bool means(const char *entry, uint32_t job, uint32_t attempt) {
    char *end = (char *)(uintptr_t)entry + 1;
    unsigned long first = *entry == '*' ? 0 : strtoul(entry, &end, 10);
    bool is_range = *entry == '*' || *end == '+';
    if (*end == '+') end++;
    if (is_range ? job < first : job != first) return false;
    if (*end != '.') return false;
    return end[1] == '*' || strtoul(end + 1, &end, 10) == attempt;
}

/* The first one listed among the faults from `low` to `high` - 1; none: PR_FAULT_NONE. */
static pr_test_fault from_environment(uint32_t job, uint32_t attempt, pr_test_fault low, pr_test_fault high) {
    const char *list = getenv("PROVERUN_TEST_FAULTS");
    char copy[4096], *rest = copy, *entry;
    snprintf(copy, sizeof copy, "%s", list ? list : "");
    while ((entry = strsep(&rest, ","))) {
        const char *name = strchr(entry, ':');
        for (size_t i = low; name && i < high; i++)
            if (strcmp(name + 1, names[i]) == 0 && means(entry, job, attempt)) return (pr_test_fault)i;
    }
    return PR_FAULT_NONE;
}

typedef enum moment { IN_THE_MIDDLE, AT_THE_ANSWER } moment;

static pr_test_fault fault_of(moment when, uint32_t job, uint32_t attempt, uint64_t fault) {
    if (fault && fault < PR_FAULT_COUNT) return (pr_test_fault)fault;
    return when == IN_THE_MIDDLE ? from_environment(job, attempt, PR_FAULT_NONE, PR_FAULT_OTHER_JOB)
                                 : from_environment(job, attempt, PR_FAULT_OTHER_JOB, PR_FAULT_COUNT);
}

static void send_raw(int socket, const void *data, size_t size, int passed) {
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {(void *)(uintptr_t)data, size};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        m.msg_control = control;
        m.msg_controllen = sizeof control;
        struct cmsghdr *head = CMSG_FIRSTHDR(&m);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &passed, sizeof passed);
    }
    if (sendmsg(socket, &m, MSG_NOSIGNAL) < 0) perror("test fault: sendmsg");
}

typedef enum damage { WHOLE, HALF, LENGTH } damage;

static void send_damaged(int socket, const pr_child_frame *frame, damage how, int passed) {
    pr_writer w;
    pr_writer_init(&w);
    pr_child_frame_encode(&w, frame);
    if (how == LENGTH) w.data[8] = (uint8_t)(w.data[8] + 5);
    send_raw(socket, w.data, how == HALF ? w.size / 2 : w.size, passed);
    pr_writer_clear(&w);
}

static void eat_memory(void) {
    for (volatile char *p; (p = malloc(1 << 20));)
        for (size_t i = 0; i < 1 << 20; i += 4096) p[i] = 1;
    abort();
}

static void leave_grandchild(void) {
    if (fork() == 0)
        for (;;) pause();
    kill(getpid(), SIGKILL);
}

static void wait_at_gate(uint32_t job) {
    const char *gate = getenv("PROVERUN_TEST_GATE");
    char mark[512], fresh[512];
    if (!gate) abort();
    snprintf(mark, sizeof mark, "%s.%ld", gate, (long)getpid());
    snprintf(fresh, sizeof fresh, "%s-%ld", gate, (long)getpid()); /* a mark is never seen without its number */
    int fd = open(fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || dprintf(fd, "%u\n", job) < 0 || close(fd) != 0 || rename(fresh, mark) != 0) abort();
    while (access(gate, F_OK) != 0 && access(mark, F_OK) == 0) usleep(2000);
    unlink(mark);
}

static void misbehave(int socket, uint32_t job, uint32_t attempt, pr_test_fault fault) {
    static const uint8_t rubbish[70000] = {1, 2, 3};
    const pr_child_frame unbegun = {.type = PR_CHILD_FRAME_ANSWER,
                                    .as.answer = {.job = job, .attempt = attempt, .status = PR_ERR_INTERRUPTED}};
    const pr_child_frame stop = {.type = PR_CHILD_FRAME_STOP};
    const pr_child_frame ready = {.type = PR_CHILD_FRAME_READY, .as.ready = {.generation = 1, .n_jobs = 1}};
    switch (fault) {
    case PR_FAULT_KILL:
        kill(getpid(), SIGKILL);
        break;
    case PR_FAULT_ABORT:
        abort();
    case PR_FAULT_EXIT:
        _exit(3);
    case PR_FAULT_HANG:
        for (;;) pause();
    case PR_FAULT_FREEZE:
        raise(SIGSTOP);
        break;
    case PR_FAULT_GRANDCHILD:
        leave_grandchild();
        break;
    case PR_FAULT_CLOSE:
        close(socket);
        for (;;) pause();
    case PR_FAULT_EAT_MEMORY:
        eat_memory();
        break;
    case PR_FAULT_RUBBISH:
        send_raw(socket, rubbish, 300, -1);
        break;
    case PR_FAULT_TRUNCATED:
        send_damaged(socket, &ready, HALF, -1);
        break;
    case PR_FAULT_LENGTH:
        send_damaged(socket, &ready, LENGTH, -1);
        break;
    case PR_FAULT_LONG:
        send_raw(socket, rubbish, sizeof rubbish, -1);
        break;
    case PR_FAULT_FOREIGN:
        send_damaged(socket, &stop, WHOLE, -1);
        break;
    case PR_FAULT_READY:
        send_damaged(socket, &ready, WHOLE, -1);
        break;
    case PR_FAULT_UNBEGUN:
        send_damaged(socket, &unbegun, WHOLE, -1);
        break;
    case PR_FAULT_SURPLUS:
        send_damaged(socket, &ready, WHOLE, STDERR_FILENO);
        break;
    case PR_FAULT_GATE:
        wait_at_gate(job);
        break;
    default:
        break;
    }
}

static void stage(int socket, uint32_t job, uint32_t attempt, uint64_t fault, uint32_t stage) {
    if (stage == PR_WORK_STAGE_PROVER + PR_STAGE_QUOTIENTS)
        misbehave(socket, job, attempt, fault_of(IN_THE_MIDDLE, job, attempt, fault));
}

static int unsealed(const pr_writer *w) {
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || write(fd, w->data, w->size) != (ssize_t)w->size) abort();
    return fd;
}

static int sealed(const void *data, size_t size) {
    int fd;
    if (pr_child_sealed_create(&fd, data, size, NULL) != PR_OK) abort();
    return fd;
}

/* An answer with everything right but the one thing. */
static void lie(int socket, pr_child_answer a, pr_test_fault fault, const pr_record *record) {
    pr_child_frame f = {.type = PR_CHILD_FRAME_ANSWER};
    pr_record empty = *record;
    pr_writer w;
    int pipes[2] = {-1, -1}, fd = -1;
    pr_writer_init(&w);
    empty.row.proof_compressed_bytes = 0;
    pr_record_encode(&w, fault == PR_FAULT_NO_PROOF ? &empty : record);
    a.size = w.size;
    if (fault == PR_FAULT_OTHER_JOB) a.job++;
    if (fault == PR_FAULT_BAD_RECORD) memset(w.data, 0xff, w.size);
    if (fault == PR_FAULT_UNSEALED)
        fd = unsealed(&w);
    else if (fault == PR_FAULT_PIPE && pipe(pipes) == 0)
        fd = pipes[0];
    else if (fault != PR_FAULT_NO_MEMORY)
        fd = sealed(w.data, fault == PR_FAULT_SHORT_MEMORY ? w.size / 2 : w.size);
    f.as.answer = a;
    send_damaged(socket, &f, WHOLE, fd);
    pr_writer_clear(&w);
    for (;;) pause(); /* the supervisor ends this */
}

static void refuse(pr_status *status, pr_record *record) {
    *status = PR_ERR_BACKEND;
    record->row.state = PR_STATE_PROVEN;
    record->row.proof_compressed_bytes = record->row.public_bytes = 0;
    free(record->proof);
    record->proof = NULL;
}

static void send_record(int socket, pr_child_answer a, const pr_record *record) {
    pr_child_frame f = {.type = PR_CHILD_FRAME_ANSWER, .as.answer = a};
    pr_writer w;
    pr_writer_init(&w);
    pr_record_encode(&w, record);
    f.as.answer.size = w.size;
    send_damaged(socket, &f, WHOLE, sealed(w.data, w.size));
    pr_writer_clear(&w);
}

static void answer(int socket, uint32_t job, uint32_t attempt, uint64_t task_fault, pr_status *status,
                   pr_record *record) {
    pr_test_fault fault = fault_of(AT_THE_ANSWER, job, attempt, task_fault);
    pr_child_answer a = {.job = job, .attempt = attempt, .status = PR_OK};
    if (*status != PR_OK) return;
    if (fault >= PR_FAULT_OTHER_JOB && fault <= PR_FAULT_NO_PROOF) lie(socket, a, fault, record);
    if (fault == PR_FAULT_WRONG_PROOF) record->proof[record->row.proof_compressed_bytes / 2] ^= 1;
    if (fault == PR_FAULT_OTHER_HASH) record->row.proof_hash[0] = record->row.proof_hash[0] == '0' ? '1' : '0';
    if (fault == PR_FAULT_REFUSED || fault == PR_FAULT_DEAF) refuse(status, record);
    a.status = (uint32_t)*status;
    if (fault == PR_FAULT_TWICE || fault == PR_FAULT_LAST_WORD || fault == PR_FAULT_DEAF)
        send_record(socket, a, record);
    if (fault == PR_FAULT_LAST_WORD) kill(getpid(), SIGKILL);
    while (fault == PR_FAULT_DEAF) pause();
}

static bool lacks_device(void) { return getenv("PROVERUN_TEST_NO_DEVICE") != NULL; }

const pr_child_faults pr_test_faults = {NULL, stage, answer, lacks_device};
