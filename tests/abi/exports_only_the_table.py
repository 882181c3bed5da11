#!/usr/bin/env python3
"""exports_only_the_table.py PLUGIN.so

One dynamic symbol is defined, the table, and none is UNIQUE. Anything more and another library may bind to it, and
then the plugin can never be unloaded.
"""
import subprocess
import sys


def lines(*command):
    return subprocess.run([*command, sys.argv[1]], capture_output=True, text=True, check=True).stdout.splitlines()


defined = [line.split() for line in lines("nm", "--dynamic", "--defined-only", "--format=posix")]
if [symbol[0] for symbol in defined] != ["issuer_lifecycle_v1"]:
    sys.exit(f"exports {[symbol[0] for symbol in defined]}; was it linked with the version script?")
if defined[0][1] not in "DR":
    sys.exit(f"issuer_lifecycle_v1 is no data: nm calls it {defined[0][1]}")
unique = [line for line in lines("readelf", "--wide", "--dyn-syms") if " UNIQUE " in line]
if unique:
    sys.exit("UNIQUE symbols keep it mapped for ever:\n" + "\n".join(unique))
