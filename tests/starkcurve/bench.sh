#!/bin/sh
# bench.sh PROVERUN: felt252 is at least 25 times as fast as a schoolbook product with long division, and ahead of OpenSSL's
# Montgomery multiplication where that was built in: the best of three lines, for other programs disturb.
set -eu
lines=$("$1" bench field --repeat 3 | grep '"bench":"felt252"')
echo "$lines"
best() { # KEY sort-options
    key=$1
    shift
    echo "$lines" | sed "s/.*\"$key\":\([^,}]*\).*/\1/" | sort "$@" | head -n 1
}
awk -v t="$(best times -rg)" 'BEGIN { exit !(t >= 25) }' || { echo "times: $(best times -rg), wanted 25" >&2 && exit 1; }
theirs=$(best openssl_montgomery_ns -g)
[ "$theirs" != null ] || { echo "built without libcrypto: not compared" && exit 0; }
awk -v a="$(best mul_ns -g)" -v b="$theirs" 'BEGIN { exit !(a < b) }' || { echo "OpenSSL is faster" >&2 && exit 1; }
