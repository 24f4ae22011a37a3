#!/usr/bin/env bash
# Proves that the frozen app runs where there is no Python; docs/desktop.md.
#
#   build/prove-frozen.sh SUITE [DIST]
#
# SUITE    a Debian suite, bookworm for one; no older than the system that the app was made on
# DIST     the folder FleetDesk that `python3 build/dev.py frozen` made; dist/FleetDesk unless given
#
# Needs root and debootstrap. In a new Debian with the packages of docs/desktop.md and nothing else
# the app answers every question on a small city and opens its window. MIRROR names another mirror.
# An app of more than 750 MB is refused.
set -eu

suite=${1:?Say which Debian suite, for example: build/prove-frozen.sh bookworm}
checkout=$(cd "$(dirname "$0")/.." && pwd)
dist=$(cd "${2:-$checkout/dist/FleetDesk}" && pwd)

# In a mount namespace of its own, so that every mount ends with this script, however it ends.
if [ -z "${IN_NAMESPACE:-}" ]; then
    exec env IN_NAMESPACE=1 unshare --mount --propagation private bash "$0" "$suite" "$dist"
fi

qt=libglib2.0-0,libegl1,libgl1,libfontconfig1,libdbus-1-3,libxkbcommon0
maps=libnss3,libasound2,libxcomposite1,libxdamage1,libxrandr2,libxtst6,libxkbfile1
root=$(mktemp -d)
# Lazily, for what the window started may take a moment longer to end than the app.
clean_up() {
    umount --lazy "$root/proc" "$root/sys" "$root/dev/shm" "$root/srv" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap clean_up EXIT
trap "exit 143" INT TERM

debootstrap --variant=minbase --include="$qt,$maps" "$suite" "$root" ${MIRROR:+"$MIRROR"} >/dev/null
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mkdir -p "$root/dev/shm"
mount -t tmpfs tmpfs "$root/dev/shm"
mount --bind -o ro "$dist" "$root/srv"
echo "Python there: $(chroot "$root" sh -c 'command -v python3 || echo none')"
size=$(($(du -sb "$dist" | cut -f1) / 1000000))
echo "The app: $size MB"
[ "$size" -lt 750 ] || { echo "That is more than the 750 MB that it may have."; exit 1; }
chroot "$root" env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 QT_QPA_PLATFORM=offscreen \
    sh -c 'cd /tmp && /srv/fleetdesk --selftest'
