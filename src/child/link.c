#include "child/link.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PASSED 4 /* room to see, and close, descriptors too many */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

typedef union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(MAX_PASSED * sizeof(int))];
} control;

static void attach(struct msghdr *message, control *room, int passed) {
    memset(room, 0, sizeof *room);
    message->msg_control = room->bytes;
    message->msg_controllen = CMSG_SPACE(sizeof(int));
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &passed, sizeof passed);
}

static pr_child_link_result send_packet(int socket, const struct msghdr *message, int flags, pr_error *err) {
    for (;;) {
        if (sendmsg(socket, message, flags | MSG_NOSIGNAL) >= 0) return PR_CHILD_LINK_DONE;
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return PR_CHILD_LINK_WOULD_WAIT;
        if (errno == EPIPE || errno == ECONNRESET) return PR_CHILD_LINK_CLOSED;
        (void)pr_fail(err, PR_ERR_BACKEND, "a frame cannot be sent: %s", strerror(errno));
        return PR_CHILD_LINK_BROKEN;
    }
}

pr_child_link_result pr_child_link_send(int socket, const pr_child_frame *frame, int passed, pr_child_wait wait,
                                        pr_error *err) {
    pr_writer bytes;
    control room;
    struct msghdr message = {0};
    pr_child_link_result result = PR_CHILD_LINK_BROKEN;
    pr_writer_init(&bytes);
    pr_child_frame_encode(&bytes, frame);
    struct iovec part = {bytes.data, bytes.size};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (passed >= 0) attach(&message, &room, passed);
    if (bytes.failed)
        (void)pr_fail(err, PR_ERR_MEMORY, "out of memory for a frame");
    else
        result = send_packet(socket, &message, wait == PR_CHILD_WAIT ? 0 : MSG_DONTWAIT, err);
    pr_writer_clear(&bytes);
    return result;
}

/* The first descriptor that came along; the others are closed. */
static size_t take_passed(struct msghdr *message, int *passed) {
    size_t n = 0;
    *passed = -1;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++, n++) {
            int fd;
            memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
            if (n == 0)
                *passed = fd;
            else
                close(fd);
        }
    }
    return n;
}

/* How many descriptors a frame brings along. */
static size_t expected_passed(const pr_child_frame *f) {
    if (f->type == PR_CHILD_FRAME_CONFIG) return 1;
    if (f->type == PR_CHILD_FRAME_MANIFEST) return f->as.manifest.size > 0;
    return f->type == PR_CHILD_FRAME_ANSWER && f->as.answer.size > 0;
}

static pr_child_link_result decode(pr_child_frame *frame, const uint8_t *data, size_t size, int flags, size_t n_passed,
                                   pr_error *err) {
    if (flags & (MSG_TRUNC | MSG_CTRUNC)) {
        (void)pr_fail(err, PR_ERR_MALFORMED, "a packet that is longer than any frame");
        return PR_CHILD_LINK_BROKEN;
    }
    if (pr_child_frame_decode(frame, data, size, err) != PR_OK) return PR_CHILD_LINK_BROKEN;
    if (n_passed == expected_passed(frame)) return PR_CHILD_LINK_DONE;
    (void)pr_fail(err, PR_ERR_MALFORMED, "a %s frame with %zu descriptors", pr_child_frame_name(frame->type), n_passed);
    return PR_CHILD_LINK_BROKEN;
}

/* Where the other side has gone with something unread the system says so first, once; what it had sent comes after. */
static ssize_t receive_packet(int socket, struct msghdr *message, int flags) {
    bool reset = false;
    for (;;) {
        ssize_t n = recvmsg(socket, message, MSG_CMSG_CLOEXEC | flags);
        if (n >= 0 || (errno != EINTR && (errno != ECONNRESET || reset))) return n;
        reset |= errno == ECONNRESET;
    }
}

pr_child_link_result pr_child_link_receive(int socket, pr_child_frame *frame, int *passed, pr_child_wait wait,
                                           pr_error *err) {
    uint8_t data[PR_CHILD_FRAME_MAX];
    control room;
    struct iovec part = {data, sizeof data};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes};
    *passed = -1;
    ssize_t n = receive_packet(socket, &message, wait == PR_CHILD_WAIT ? 0 : MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return PR_CHILD_LINK_WOULD_WAIT;
    if (n < 0 && errno != ECONNRESET) {
        (void)pr_fail(err, PR_ERR_BACKEND, "a frame cannot be received: %s", strerror(errno));
        return PR_CHILD_LINK_BROKEN;
    }
    if (n <= 0) return PR_CHILD_LINK_CLOSED; /* no frame is empty */
    size_t n_passed = take_passed(&message, passed);
    pr_child_link_result result = decode(frame, data, (size_t)n, message.msg_flags, n_passed, err);
    if (result != PR_CHILD_LINK_DONE && *passed >= 0) {
        close(*passed);
        *passed = -1;
    }
    return result;
}

pr_status pr_child_sealed_create(int *fd, const void *data, size_t size, pr_error *err) {
    *fd = memfd_create("proverun", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd >= 0 && pr_file_write_all(*fd, data, size) && fcntl(*fd, F_ADD_SEALS, SEALS) == 0) return PR_OK;
    pr_status status = pr_fail(err, PR_ERR_MEMORY, "no shared memory of %zu bytes: %s", size, strerror(errno));
    if (*fd >= 0) close(*fd);
    *fd = -1;
    return status;
}

pr_status pr_child_sealed_map(const uint8_t **data, int fd, size_t size, pr_error *err) {
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS)
        return pr_fail(err, PR_ERR_MALFORMED, "a descriptor that is no sealed memory");
    if (fstat(fd, &st) != 0 || st.st_size < 0 || (uint64_t)st.st_size != size)
        return pr_fail(err, PR_ERR_MALFORMED, "shared memory of %lld bytes where %zu were said", (long long)st.st_size,
                       size);
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) return pr_fail(err, PR_ERR_MEMORY, "no memory to map %zu bytes", size);
    *data = map;
    return PR_OK;
}
