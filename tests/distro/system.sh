# shellcheck shell=bash
# A Debian of another release or with another architecture's libraries, in a folder. For the scripts beside this file,
# which source it as their first act:
#
#     source "$(dirname "$0")/system.sh"
#     enter_system SUITE FOLDER       needs root and debootstrap; FOLDER keeps the system for the next run
#     inside "COMMAND" [LINES]        in /src, which is a fresh clone of HEAD; shows the last LINES (6) of the output
#
# The packages come from the mirror that this machine's apt uses. Where this machine has ccache, the system gets it too,
# with a cache of its own beside FOLDER, which outlives both.
set -euo pipefail

fail() {
	printf '%s: %s\n' "$0" "$1" >&2
	exit 1
}

((EUID == 0)) || fail "debootstrap and chroot need root; run it as root"
command -v debootstrap >/dev/null || fail "there is no debootstrap; apt-get install debootstrap"
# A mount namespace of its own: the mounts end with this process, also when it is killed.
if [[ -z ${ISSUER_DISTRO_UNSHARED:-} ]]; then
	refusal=$(unshare --mount --propagation private true 2>&1) ||
		fail "root may not mount here (${refusal:-unshare failed}), and debootstrap and chroot need it; run it on a virtual machine, or in a container with CAP_SYS_ADMIN"
	ISSUER_DISTRO_UNSHARED=1 exec unshare --mount --propagation private "$0" "$@"
fi

# Makes a minimal Debian in $system. A mirror that fails is asked three times in all; packages that have arrived stay.
bootstrap() {
	local suite=$1 mirror packages attempt
	# shellcheck disable=SC1091,SC2016 # a file of the system's; a format of apt's
	mirror=$(. /etc/os-release && apt-get indextargets --format '$(REPO_URI)' "Codename: $VERSION_CODENAME" | sed 1q)
	[[ -n $mirror ]] || fail "apt names no mirror for this machine's own release; run apt-get update"
	packages=$(dirname "$system")/packages-$suite
	mkdir -p "$packages"
	for attempt in 1 2 3; do
		umount -R "$system/proc" "$system/sys" 2>/dev/null || true # left by an attempt that failed
		rm -rf "$system"
		printf 'debootstrap %s into %s\n' "$suite" "$system"
		if debootstrap --variant=minbase --include=ca-certificates,git --cache-dir="$packages" "$suite" "$system" "$mirror" \
			>"$system.log" 2>&1; then
			touch "$system/.ready"
			return
		fi
		printf 'attempt %s of 3 failed: %s\n' "$attempt" "$(tail -n 1 "$system.log")" >&2
	done
	fail "debootstrap cannot make a system of $suite from $mirror; the whole output is in $system.log"
}

enter_system() {
	local suite=$1 source cache
	mkdir -p "$2"
	system=$(readlink -f "$2")
	source=$(git -C "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" rev-parse --show-toplevel)
	[[ -e $system/.ready ]] || bootstrap "$suite"

	{ apt-config dump Acquire && printf 'Acquire::Retries "5";\n'; } >"$system/etc/apt/apt.conf.d/90as-outside"
	cp /etc/resolv.conf "$system/etc/resolv.conf"
	{ mount -t proc proc "$system/proc" && mount --rbind /dev "$system/dev"; } ||
		fail "cannot mount /proc and /dev in $system; run it on a virtual machine, or in a container with CAP_SYS_ADMIN"
	if command -v ccache >/dev/null; then
		cache=$(dirname "$system")/ccache-$suite
		mkdir -p "$cache" "$system/var/cache/ccache"
		mount --bind "$cache" "$system/var/cache/ccache"
	fi
	rm -rf "$system/src"
	git clone --quiet "$source" "$system/src"
	[[ -z ${cache:-} ]] || inside "command -v ccache || (apt-get update -qq && apt-get install -y -qq --no-install-recommends ccache)" 1
}

# Runs a command, tells how long it took and the end of its output, or fails with more of it.
inside() {
	local began=$SECONDS
	printf '\n%s\n' "$1"
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		CCACHE_DIR=/var/cache/ccache CCACHE_SLOPPINESS=pch_defines,time_macros \
		chroot "$system" sh -c "cd /src && $1" </dev/null >"$system.log" 2>&1 || {
		tail -n 60 "$system.log"
		fail "$1 failed; the whole output is in $system.log"
	}
	tail -n "${2:-6}" "$system.log"
	printf 'after %d:%02d\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60))
}
