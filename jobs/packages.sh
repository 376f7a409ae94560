# Sourced by jobs/demo.sh and tests/run.sh: the Debian packages the program needs, and how to get them.
build_packages="build-essential cmake pkg-config libopenmpi-dev openmpi-bin libhdf5-dev libyaml-dev libhwloc-dev libzstd-dev libsodium-dev libjansson-dev"
test_packages="libcmocka-dev hdf5-tools python3 python3-h5py"

# ensure_packages yes|no PACKAGE ...: installs what is missing (yes), or fails naming it (no).
ensure_packages() {
    may_install=$1
    shift
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$may_install" = no ]; then
        echo "missing packages:$missing" >&2
        echo "install them with: apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    echo "installing:$missing"
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
