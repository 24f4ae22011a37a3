#!/usr/bin/env bash
# Proves that a machine with only git and python3 can run `demo` and `test`; docs/empty-machine.md.
#
#   build/prove-empty-machine.sh SUITE [RESULTS]
#
# SUITE    a Debian suite: bookworm (Python 3.11) or trixie (Python 3.13)
# RESULTS  a folder for the logs; ./empty-machine-SUITE unless given
#
# Needs root, debootstrap and git. Proves the last commit of this checkout. MIRROR names another
# Debian mirror, CA_BUNDLE a certificate file for a network that needs its own, KEEP=1 keeps the roots,
# PART=root or PART=user proves for one of the two only.
set -eu

suite=${1:?Say which Debian suite, for example: build/prove-empty-machine.sh bookworm}
checkout=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${2:-empty-machine-$suite}"
results=$(cd "${2:-empty-machine-$suite}" && pwd)

# In a mount namespace of its own, so that every mount ends with this script, however it ends.
if [ -z "${IN_NAMESPACE:-}" ]; then
    exec env IN_NAMESPACE=1 unshare --mount --propagation private bash "$0" "$suite" "$results"
fi

roots=$(mktemp -d)
# Unmounting complains of the roots not reached; a file system still mounted is not removed.
clean_up() {
    umount "$roots"/*/proc "$roots"/*/dev/shm 2>/dev/null || true
    rm -rf --one-file-system "$roots"
}
[ -n "${KEEP:-}" ] || trap clean_up EXIT
failures=0

main() {
    echo "== An empty Debian $suite: minbase, git and python3, nothing else"
    debootstrap --variant=minbase --include=git,python3 "$suite" "$roots/empty" \
        ${MIRROR:+"$MIRROR"} >"$results/debootstrap.log" 2>&1
    git -C "$checkout" bundle create "$roots/empty/srv/fleetdesk.bundle" HEAD 2>/dev/null
    cp /etc/resolv.conf /etc/hosts "$roots/empty/etc/"
    # Where an administrator puts a company's own; it counts once ca-certificates is installed.
    [ -z "${CA_BUNDLE:-}" ] || install -D -m 644 "$CA_BUNDLE" \
        "$roots/empty/usr/local/share/ca-certificates/network.crt"
    chroot "$roots/empty" sh -c '. /etc/os-release; echo "$PRETTY_NAME"; python3 --version; git --version
        dpkg-query -f "." -W | wc -c | sed "s/$/ packages/"
        python3 -m ensurepip --version 2>&1 | tail -1; python3 -m pip --version 2>&1 | tail -1
        ls /etc/ssl/certs/ca-certificates.crt 2>&1; ls /usr/lib/*/libEGL.so.1 2>&1' || true
    [ "${PART:-both}" = user ] || as_root
    [ "${PART:-both}" = root ] || as_a_user_without_sudo
    echo "== $suite: $failures failed"
    exit "$((failures > 0))"
}

# Root may install what is missing, so both commands do everything themselves.
as_root() {
    new_root root root
    expect 0 root root demo "/srv/fleet desk" python3 build/dev.py demo
    expect 0 root root demo-again "/srv/fleet desk" python3 build/dev.py demo
    expect 0 root root test "/srv/fleet desk" python3 build/dev.py test
    expect 0 root root test-again / python3 "/srv/fleet desk/build/dev.py" test
    expect 0 root root demo-after-test "/srv/fleet desk" python3 build/dev.py demo
}

# A user without sudo, and here even without a home, is told the one line; root pastes just that.
as_a_user_without_sudo() {
    new_root user planner
    expect 1 user planner told-the-line "/srv/fleet desk" python3 build/dev.py test
    line=$(grep "^su -c " "$results/user-told-the-line.log" || true)
    echo "         $line"
    expect 0 user root pasted-the-line / sh -c "${line:-false}"
    expect 0 user planner test "/srv/fleet desk" python3 build/dev.py test
    expect 0 user planner demo "/srv/fleet desk" python3 build/dev.py demo
}

# new_root NAME OWNER: a copy of the empty root in which OWNER has cloned the repository.
new_root() {
    cp -a "$roots/empty" "$roots/$1"
    mount -t proc proc "$roots/$1/proc"
    mkdir -p "$roots/$1/dev/shm"
    mount -t tmpfs -o mode=1777 tmpfs "$roots/$1/dev/shm"
    [ "$2" = root ] || chroot "$roots/$1" useradd --no-create-home "$2"
    mkdir "$roots/$1/srv/fleet desk"
    chroot "$roots/$1" chown "$2" "/srv/fleet desk"
    inside "$1" "$2" "/srv/fleet desk" git -c advice.detachedHead=false -c init.defaultBranch=main \
        clone --quiet /srv/fleetdesk.bundle .
}

# inside ROOT USER FOLDER COMMAND...: run it with nothing of this machine's environment but what
# reaches a network: proxies and package mirrors.
inside() {
    local root=$1 user=$2 folder=$3 home=/nonexistent name
    shift 3
    [ "$user" != root ] || home=/root
    local pass=(PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME="$home")
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY \
        PIP_INDEX_URL PIP_DEFAULT_TIMEOUT UV_DEFAULT_INDEX UV_HTTP_TIMEOUT; do
        [ -z "${!name:-}" ] || pass+=("$name=${!name}")
    done
    env -i "${pass[@]}" chroot --userspec="$user" "$roots/$root" \
        /bin/sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
}

# expect CODE ROOT USER NAME FOLDER COMMAND...: run it inside, keep the log, say how it went.
expect() {
    local wanted=$1 root=$2 user=$3 name=$4 code=0 outcome=ok started took
    shift 4
    local log="$results/$root-$name.log"
    started=$(date +%s.%N)
    inside "$root" "$user" "$@" >"$log" 2>&1 </dev/null || code=$?
    took=$(date +%s.%N | awk -v started="$started" '{printf "%.1f", $1 - started}')
    if [ "$code" != "$wanted" ]; then
        outcome="FAILED, see $log"
        failures=$((failures + 1))
    fi
    printf '%-8s %-16s exit %-3s %7s s  %s\n' "$user" "$name" "$code" "$took" "$outcome"
}

main
