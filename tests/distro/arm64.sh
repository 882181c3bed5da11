#!/usr/bin/env bash
# Builds for arm64 with Debian's cross compiler, runs the unit tests and the simulator under qemu's emulation of that
# processor, and makes the packages. Tests that start programs of this project are left out, and named: without the
# kernel's help an emulated program starts none of its own processor.
#
#   tests/distro/arm64.sh FOLDER              for example: build/distro/arm64
# shellcheck source=tests/distro/system.sh
source "$(dirname "$0")/system.sh"

tools="crossbuild-essential-arm64 cmake ninja-build pkg-config qemu-user python3 libboost-dev libexpected-dev file"
# Whole programs of tests, and tests of others, that start programs of this project.
startPrograms=host_program_test
startProgram='CoreDump.*:Exit/*'
libraries="libpoco-dev libssl-dev prometheus-cpp-dev libsystemd-dev libseccomp-dev libgtest-dev libgmock-dev librapidcheck-dev"

enter_system bookworm "$1"
inside "dpkg --add-architecture arm64 && apt-get update -qq &&
	apt-get install -y -qq --no-install-recommends $tools ${libraries// /:arm64 }:arm64" 1
inside "cmake -G Ninja -B build/arm64 --toolchain cmake/arm64.cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo" 1
inside "cmake --build build/arm64 --target issuer-host issuer_printed vault_plugin simulate tests/unit/all" 1
inside "file -L build/arm64/vault_plugin/vault_plugin.so build/arm64/host_stub/issuer-host" 2
printf '\nleft out, since under emulation no program of this project can be started: %s; elsewhere %s\n' \
	"$startPrograms" "$startProgram"
inside "find build/arm64/tests/unit -name '*_test' -type f -perm -u+x | grep -v '/$startPrograms$' | sort |
	xargs -P $(nproc) -I PROGRAM tests/distro/emulated.sh PROGRAM '--gtest_filter=-$startProgram'" 60
inside "qemu-aarch64 build/arm64/tests/simulation/simulate --worlds 20000 --seed 1" 8
inside "DEB_HOST_ARCH=arm64 cpack -G DEB --config build/arm64/CPackConfig.cmake -B build/packages && cd build/packages &&
	for package in *.deb; do dpkg-deb --show --showformat '\${Package} \${Architecture} \${Depends}\n' \$package; done" 3
