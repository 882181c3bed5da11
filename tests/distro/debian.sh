#!/usr/bin/env bash
# Runs README's two commands on another release of Debian.
#
#   tests/distro/debian.sh SUITE FOLDER       for example: trixie build/distro/trixie
# shellcheck source=tests/distro/system.sh
source "$(dirname "$0")/system.sh"

enter_system "$1" "$2"
inside "./dev demo" 12
inside "./dev test" 40
