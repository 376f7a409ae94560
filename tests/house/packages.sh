#!/bin/sh
# What jobs/packages.sh installs, and how, with a dpkg-query and an apt-get that stand in.
#   packages.sh ROOT
set -u
. "$1/jobs/packages.sh"
D=$(mktemp -d) || exit 2
trap 'rm -rf "$D"' EXIT
FAILED=0
fail() {
    echo "FAILED: $*"
    FAILED=1
}
script() { # NAME: a program whose text is read
    { echo '#!/bin/sh' && cat; } >"$D/$1"
    chmod +x "$D/$1"
}
script dpkg-query <<S
for last; do :; done
grep -qx "\$last" "$D/installed" && echo 'install ok installed'
S
script apt-get <<S
echo "\$DEBIAN_FRONTEND \$*" >>"$D/log"
case \$* in *' update') [ ! -e "$D/offline" ] ;; *) [ ! -e "$D/refuses" ] ;; esac
S
script id <<S
cat "$D/uid"
S
need() { # INSTALL PACKAGE...: exit code
    : >"$D/log"
    (PATH=$D:$PATH && pr_need_packages "$@" 2>"$D/err")
}
says() { grep -qF -e "$1" "$D/err" || fail "no '$1' in $(cat "$D/err")"; }
asked() { [ "$(sed 's/-o [^ ]* //g' "$D/log")" = "$1" ] || fail "asked for: $(cat "$D/log")"; }

echo 0 >"$D/uid"
printf 'here\n' >"$D/installed"
need yes here && [ ! -s "$D/log" ] || fail "what is there is asked for: $(cat "$D/log")"
need yes here gone lost || fail "exit code $?"
says 'installing Debian packages: gone lost'
asked 'noninteractive -q update
noninteractive -q install -y --no-install-recommends gone lost'
[ "$(grep -c 'Retries=3 .*Lock::Timeout=' "$D/log")" = 2 ] || fail "a source that stumbles is not asked again: $(cat "$D/log")"

# ---- a list that is not renewed is no end; what is not installed is one; lists are renewed once ----
: >"$D/offline"
need yes gone || fail "without new lists: exit code $?"
says 'not renewed'
asked 'noninteractive -q update
noninteractive -q install -y --no-install-recommends gone'
: >"$D/refuses"
need yes gone && fail "not installed, and no failure"
rm "$D/offline" "$D/refuses"
two() { pr_need_packages yes gone && pr_need_packages yes lost; }
: >"$D/log"
(PATH=$D:$PATH && two 2>"$D/err") || fail "twice: exit code $?"
asked 'noninteractive -q update
noninteractive -q install -y --no-install-recommends gone
noninteractive -q install -y --no-install-recommends lost'

# ---- who may not install ----
need no gone && fail "missing, and no failure"
says 'missing Debian packages: gone'
asked ''
echo 1000 >"$D/uid"
for program in grep cat; do ln -s "$(command -v $program)" "$D/$program"; done
: >"$D/log"
(PATH=$D && pr_need_packages yes gone 2>"$D/err") && fail "neither root nor sudo, and no failure"
says 'neither root nor sudo'
asked ''
exit $FAILED
