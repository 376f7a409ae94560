#!/usr/bin/env python3
"""The curve, slow and obvious, in Python's integers: recomputes what starkcurve_cases printed.

  starkcurve_cases [N] | python3 reference.py

A line is an operation, its operands and the results of the C code, in hex without 0x; "-" is infinity or "none".
Written from the definitions alone (affine formulas, pow, RFC 6979); shares nothing with the code it checks.
"""
import hashlib
import hmac
import sys

P = 2**251 + 17 * 2**192 + 1
N = 0x0800000000000010FFFFFFFFFFFFFFFFB781126DCAE7B2321E66A241ADC64D2F
BETA = 0x06F21413EFBE40DE150E596D72F7A8C5609AD26C15C915C1F4CDFCB99CEE9E89
G = (0x1EF15C18599971B7BECED415A40F0C7DEACFD9B0D1819E03D723D8BC943CFCA,
     0x5668060AA49730B7BE4801DF46EC62DE53ECD11ABE43A32873000C36E8DC1F)


def on_curve(p):
    return p is None or (p[1] ** 2 - p[0] ** 3 - p[0] - BETA) % P == 0


def add(p, q):
    if p is None:
        return q
    if q is None:
        return p
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = (3 * p[0] ** 2 + 1) * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope**2 - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def mul(k, p):
    r = None
    for bit in bin(k)[2:]:
        r = add(r, r)
        if bit == "1":
            r = add(r, p)
    return r


def is_square(a):
    return pow(a, (P - 1) // 2, P) in (0, 1)


def nonce(z, d, extra):
    def mac(key, *parts):
        return hmac.new(key, b"".join(parts), hashlib.sha256).digest()

    data = d.to_bytes(32, "big") + z.to_bytes(32, "big") + extra
    key, value = bytes(32), b"\1" * 32
    for tag in (b"\0", b"\1"):
        key = mac(key, value, tag, data)
        value = mac(key, value)
    while True:
        value = mac(key, value)
        k = int.from_bytes(value, "big") >> 4
        if 1 <= k < N:
            return k
        key = mac(key, value, b"\0")
        value = mac(key, value)


def sign(digest, d):
    z = digest % 2**251
    k = nonce(z, d, b"")
    r = mul(k, G)[0]
    s = pow(k, -1, N) * (z + r * d) % N
    return r, min(s, N - s)


def verify(x, digest, r, s):
    if not (x < P and 1 <= r < 2**251 and 1 <= s <= (N - 1) // 2):
        return False
    w = pow(s, -1, N)
    y2 = (x**3 + x + BETA) % P
    if w >= 2**251 or not is_square(y2):
        return False
    # some point with this x: over the field or not, its multiples' x coordinates are what matters; find y by search
    y = square_root(y2)
    a = mul(digest % 2**251 * w % N, G)
    b = mul(r * w % N, (x, y))
    sums = add(a, b), add(a, b and (b[0], -b[1] % P))
    return any(point is not None and point[0] == r for point in sums)


def square_root(a):
    """Cipolla: in the field with the square root of t^2 - a, where that is no square."""
    if a == 0:
        return 0
    t = 1
    while is_square((t * t - a) % P):
        if (t * t - a) % P == 0:
            return t
        t += 1
    w = (t * t - a) % P

    def product(u, v):
        return (u[0] * v[0] + u[1] * v[1] * w) % P, (u[0] * v[1] + u[1] * v[0]) % P

    result, base, e = (1, 0), (t, 1), (P + 1) // 2
    while e:
        if e & 1:
            result = product(result, base)
        base = product(base, base)
        e >>= 1
    return result[0]


def even_point(x):
    y = square_root((x**3 + x + BETA) % P)
    return x, y if y % 2 == 0 else P - y


def second_generator():
    counter = 0
    while True:
        data = b"proverun second generator v1\0" + bytes([counter])
        x = int.from_bytes(hashlib.blake2b(data, digest_size=32).digest(), "big") % 2**251
        if is_square((x**3 + x + BETA) % P):
            return even_point(x)
        counter += 1


def negative(p):
    return p and (p[0], -p[1] % P)


def subtract(p, q):
    return add(p, negative(q))


def challenge(domain, points):
    coordinates = [p or (0, 0) for p in points]
    data = domain + b"\0" + b"".join(x.to_bytes(32, "big") + y.to_bytes(32, "big") for x, y in coordinates)
    return int.from_bytes(hashlib.blake2b(data, digest_size=64).digest(), "big") % N


def knows(public, c1, c2, e, response_r, response_m):
    p, h = even_point(public), second_generator()
    t1 = subtract(mul(response_r, G), mul(e, c1))
    t2 = subtract(add(mul(response_r, p), mul(response_m, h)), mul(e, c2))
    return challenge(b"proverun count knowledge v1", [p, c1, c2, t1, t2]) == e


def opens(public, c1, c2, value, e, response):
    p = even_point(public)
    shared = subtract(c2, mul(value, second_generator()) if value else None)
    t1 = subtract(mul(response, G), mul(e, p))
    t2 = subtract(mul(response, c1), mul(e, shared))
    return challenge(b"proverun count opening v1", [p, c1, c2, shared, t1, t2]) == e


def point(text):
    if text == "-":
        return None
    x, y = (int(part, 16) for part in text.split(","))
    assert on_curve((x, y)) and x < P and y < P, "not on the curve: " + text
    return x, y


def number(text):
    return int(text, 16)


def even_root(a):
    if not is_square(a):
        return "-"
    r = square_root(a)
    return format(r if r % 2 == 0 else P - r, "x")


def inverse(a, m):
    return pow(a, -1, m) if a else 0


FIELD = {
    "felt_add": lambda a, b: (a + b) % P,
    "felt_sub": lambda a, b: (a - b) % P,
    "felt_mul": lambda a, b: a * b % P,
    "felt_inverse": lambda a: inverse(a, P),
    "scalar_add": lambda a, b: (a + b) % N,
    "scalar_sub": lambda a, b: (a - b) % N,
    "scalar_mul": lambda a, b: a * b % N,
    "scalar_inverse": lambda a: inverse(a, N),
    "scalar_wide": lambda a: a % N,
}


def check(name, words):
    if name in FIELD:
        *operands, result = map(number, words)
        return FIELD[name](*operands) == result
    if name == "felt_decimal":
        return int(words[1], 10) == number(words[0])
    if name == "felt_sqrt":
        return even_root(number(words[0])) == words[1]
    if name == "point_add":
        p, q, r = map(point, words)
        return add(p, q) == r
    if name == "point_mul":
        return mul(number(words[0]), point(words[1])) == point(words[2])
    if name == "sign":
        digest, d, r, s = map(number, words)
        return sign(digest, d) == (r, s)
    if name == "verify":
        return verify(*map(number, words[:4])) == bool(int(words[4]))
    if name == "second_generator":
        return second_generator() == point(words[0])
    if name == "count_knowledge":
        return knows(number(words[0]), *map(point, words[1:3]), *map(number, words[3:6])) == bool(int(words[6]))
    if name == "count_opening":
        return opens(number(words[0]), *map(point, words[1:3]), *map(number, words[3:6])) == bool(int(words[6]))
    raise ValueError("no operation " + name)


def check_constants():
    assert on_curve(G) and mul(N, G) is None and pow(3, P - 1, P) == 1
    assert pow(3, (P - 1) // 2, P) == P - 1


def main():
    check_constants()
    counts = {}
    for line in sys.stdin:
        name, *words = line.split()
        if name.startswith("PROVERUN_SEED"):
            print(line, end="")
            continue
        if not check(name, words):
            sys.exit("not what the reference says: " + line)
        counts[name] = counts.get(name, 0) + 1
    print(counts)
    missing = set(FIELD) | {"felt_decimal", "felt_sqrt", "point_add", "point_mul", "sign", "verify", "second_generator",
                                    "count_knowledge", "count_opening"}
    missing -= set(counts)
    if missing:
        sys.exit("no case of " + ", ".join(sorted(missing)))


main()
