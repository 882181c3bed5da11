#!/usr/bin/env bash
# Runs README's two commands on another release of Debian: a fresh clone of HEAD, in a system of its own in a folder.
#
#   tests/distro/debian.sh SUITE FOLDER       for example: trixie build/distro/trixie
#
# Needs root and debootstrap. The packages come from the mirror that this machine's apt uses. FOLDER keeps the system
# for the next run; the clone in it is made anew each time.
set -euo pipefail

suite=$1 root=$2
source=$(git -C "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" rev-parse --show-toplevel)

fail() {
	printf 'tests/distro/debian.sh: %s\n' "$1" >&2
	exit 1
}

((EUID == 0)) || fail "debootstrap and chroot need root; run it as root"
# A namespace of its own: the mounts below end with this process, also when it is killed.
if [[ -z ${ISSUER_DISTRO_UNSHARED:-} ]]; then
	ISSUER_DISTRO_UNSHARED=1 exec unshare --mount --propagation private "$0" "$@"
fi

if [[ ! -e $root/.ready ]]; then
	# shellcheck disable=SC1091,SC2016 # a file of the system's; a format of apt's
	mirror=$(. /etc/os-release && apt-get indextargets --format '$(REPO_URI)' "Codename: $VERSION_CODENAME" | sed 1q)
	[[ -n $mirror ]] || fail "apt names no mirror for this machine's own release; run apt-get update"
	rm -rf "$root"
	mkdir -p "$root"
	printf 'debootstrap %s into %s\n' "$suite" "$root"
	debootstrap --variant=minbase --include=ca-certificates,git "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
		fail "debootstrap failed; its end is: $(tail -n 3 "$root.log")"
	touch "$root/.ready"
fi

apt-config dump Acquire >"$root/etc/apt/apt.conf.d/90as-outside"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"

rm -rf "$root/src"
git clone --quiet "$source" "$root/src"
inside() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 chroot "$root" sh -c "cd /src && $1" </dev/null
}
for command in "./dev demo" "./dev test"; do
	printf '\n%s on %s\n' "$command" "$suite"
	inside "$command" >"$root.log" 2>&1 || {
		tail -n 60 "$root.log"
		fail "$command failed on $suite; the whole output is in $root.log"
	}
	tail -n 6 "$root.log"
done
