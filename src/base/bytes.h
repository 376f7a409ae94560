/* Bounded reading and writing of little-endian bytes.
 * A reader that runs short sets failed and returns zeros from then on: check once, at the end.
 * A writer grows its own heap buffer; on exhaustion it sets failed. */
#ifndef PR_BASE_BYTES_H
#define PR_BASE_BYTES_H
#include "base/error.h"

typedef struct pr_reader {
    const uint8_t *data;
    size_t size, at;
    bool failed;
} pr_reader;

void pr_reader_init(pr_reader *r, const void *data, size_t size);
uint8_t pr_read_u8(pr_reader *r);
uint16_t pr_read_u16(pr_reader *r);
uint32_t pr_read_u32(pr_reader *r);
uint64_t pr_read_u64(pr_reader *r);
void pr_read_bytes(pr_reader *r, void *out, size_t n);
const uint8_t *pr_read_borrow(pr_reader *r, size_t n); /* NULL when short */
bool pr_reader_done(const pr_reader *r);               /* not failed and nothing left */

typedef struct pr_writer {
    uint8_t *data; /* owned; pr_writer_clear frees it */
    size_t size, capacity;
    bool failed;
} pr_writer;

void pr_writer_init(pr_writer *w);
void pr_writer_clear(pr_writer *w);
void pr_write_u8(pr_writer *w, uint8_t v);
void pr_write_u16(pr_writer *w, uint16_t v);
void pr_write_u32(pr_writer *w, uint32_t v);
void pr_write_u64(pr_writer *w, uint64_t v);
void pr_write_bytes(pr_writer *w, const void *data, size_t n);
void pr_write_var(pr_writer *w, const void *data, size_t n); /* u64 length, then the bytes */
void pr_write_text(pr_writer *w, const char *text);          /* pr_write_var of a C string */
/* A JSON string with its quotes. Bytes that are not ASCII pass as they are: texts are UTF-8. */
void pr_write_json_text(pr_writer *w, const char *text);
void pr_write_format(pr_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lower-case hex. out has room for 2 * n + 1. */
void pr_hex_encode(char *out, const uint8_t *data, size_t n);
/* Exactly 2 * n hex digits, either case; false otherwise. */
bool pr_hex_decode(uint8_t *out, size_t n, const char *text);

/* Whole file into heap memory (*data, caller frees; one 0 byte follows the size bytes). max_bytes bounds it. */
PR_MUST_CHECK pr_status pr_file_read(uint8_t **data, size_t *size, const char *path, size_t max_bytes, pr_error *err);
/* Writes a temporary beside path, fsyncs, renames, fsyncs the directory. mode e.g. 0644. A device or a pipe at path is
 * written to instead; a symbolic link stays, and what it points to is replaced. */
PR_MUST_CHECK pr_status pr_file_write_atomic(const char *path, const void *data, size_t size, unsigned mode,
                                             pr_error *err);
/* In as many pieces as the system takes it in. False: errno says why, and part of it may be written. */
PR_MUST_CHECK bool pr_file_write_all(int fd, const void *data, size_t size);
/* fsync of the folder that path lies in, so that a file that was made or renamed there is found after a loss of power.
 * PR_OK also where the file system does not sync folders. */
PR_MUST_CHECK pr_status pr_file_sync_folder(const char *path, pr_error *err);
/* mkdir -p, each new folder synced into the one above it. _above: all but the last part of path, a file to be made. */
PR_MUST_CHECK pr_status pr_file_make_folders(const char *path, pr_error *err);
PR_MUST_CHECK pr_status pr_file_make_folders_above(const char *path, pr_error *err);
/* The last part of path: what stands before it is the folder, with its slash, or nothing. */
const char *pr_file_name(const char *path);
/* "a, b, c"; names: NULL-terminated. What does not fit is cut off. */
void pr_list_names(char *out, size_t size, const char *const *names);
#endif
