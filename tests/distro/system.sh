# shellcheck shell=bash
# A Debian of another release or with another architecture's libraries, in a folder. For the scripts beside this file,
# which source it as their first act:
#
#     source "$(dirname "$0")/system.sh"
#     enter_system SUITE FOLDER [PACKAGE...]    needs root and debootstrap; FOLDER keeps the system for the next run
#     inside "COMMAND"                          in /src, which is a fresh clone of HEAD
#
# The packages come from the mirror that this machine's apt uses.
set -euo pipefail

fail() {
	printf '%s: %s\n' "$0" "$1" >&2
	exit 1
}

((EUID == 0)) || fail "debootstrap and chroot need root; run it as root"
# A mount namespace of its own: the mounts end with this process, also when it is killed.
if [[ -z ${ISSUER_DISTRO_UNSHARED:-} ]]; then
	ISSUER_DISTRO_UNSHARED=1 exec unshare --mount --propagation private "$0" "$@"
fi

enter_system() {
	local suite=$1 mirror source
	system=$2
	shift 2
	source=$(git -C "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" rev-parse --show-toplevel)
	if [[ ! -e $system/.ready ]]; then
		# shellcheck disable=SC1091,SC2016 # a file of the system's; a format of apt's
		mirror=$(. /etc/os-release && apt-get indextargets --format '$(REPO_URI)' "Codename: $VERSION_CODENAME" | sed 1q)
		[[ -n $mirror ]] || fail "apt names no mirror for this machine's own release; run apt-get update"
		rm -rf "$system"
		mkdir -p "$system"
		printf 'debootstrap %s into %s\n' "$suite" "$system"
		debootstrap --variant=minbase --include=ca-certificates,git "$suite" "$system" "$mirror" >"$system.log" 2>&1 ||
			fail "debootstrap failed; its end is: $(tail -n 3 "$system.log")"
		touch "$system/.ready"
	fi

	apt-config dump Acquire >"$system/etc/apt/apt.conf.d/90as-outside"
	cp /etc/resolv.conf "$system/etc/resolv.conf"
	mount -t proc proc "$system/proc"
	mount --rbind /dev "$system/dev"
	mount --rbind /sys "$system/sys"
	mount -t tmpfs tmpfs "$system/tmp"
	rm -rf "$system/src"
	git clone --quiet "$source" "$system/src"
}

# Runs a command, shows the end of its output, and fails with more of it.
inside() {
	printf '\n%s\n' "$1"
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		chroot "$system" sh -c "cd /src && $1" </dev/null >"$system.log" 2>&1 || {
		tail -n 60 "$system.log"
		fail "$1 failed; the whole output is in $system.log"
	}
	tail -n "${2:-6}" "$system.log"
}
