#include "base/bytes.h"
#include "starkcurve/felt.h"
#include <string.h>

bool pr_felt_from_hex(pr_felt *out, const char *text) {
    char digits[65];
    uint8_t bytes[32];
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) text += 2;
    size_t n = strlen(text);
    if (n < 1 || n > 64) return false;
    memset(digits, '0', 64);
    memcpy(digits + 64 - n, text, n + 1);
    return pr_hex_decode(bytes, 32, digits) && pr_felt_from_bytes(out, bytes);
}

/* a = 10 a + digit; false when that is 2^256 or more. */
static bool append_digit(pr_u256 *a, uint64_t digit) {
    uint64_t carry = digit;
    for (int i = 0; i < 4; i++) {
        pr_u128 sum = (pr_u128)a->limb[i] * 10 + carry;
        a->limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    return carry == 0;
}

/* a = a / 10; the remainder. */
static unsigned take_digit(pr_u256 *a) {
    uint64_t rest = 0;
    for (int i = 3; i >= 0; i--) {
        pr_u128 part = (pr_u128)rest << 64 | a->limb[i];
        a->limb[i] = (uint64_t)(part / 10);
        rest = (uint64_t)(part % 10);
    }
    return (unsigned)rest;
}

bool pr_felt_from_decimal(pr_felt *out, const char *text) {
    pr_u256 a = {{0}};
    uint8_t bytes[32];
    if (!*text) return false;
    for (; *text; text++)
        if (*text < '0' || *text > '9' || !append_digit(&a, (uint64_t)(*text - '0'))) return false;
    pr_u256_to_bytes(bytes, &a);
    return pr_felt_from_bytes(out, bytes);
}

void pr_felt_to_hex(char out[67], pr_felt a) {
    uint8_t bytes[32];
    char digits[65];
    pr_felt_to_bytes(bytes, a);
    pr_hex_encode(digits, bytes, 32);
    const char *first = digits;
    while (first[0] == '0' && first[1]) first++;
    memcpy(out, "0x", 2);
    memcpy(out + 2, first, strlen(first) + 1);
}

void pr_felt_to_decimal(char out[78], pr_felt a) {
    uint8_t bytes[32];
    char digits[78];
    size_t at = sizeof digits - 1;
    pr_u256 rest;
    pr_felt_to_bytes(bytes, a);
    pr_u256_from_bytes(&rest, bytes);
    digits[at] = 0;
    do digits[--at] = (char)('0' + take_digit(&rest));
    while (!pr_u256_is_zero_mask(&rest));
    memcpy(out, digits + at, sizeof digits - at);
}
