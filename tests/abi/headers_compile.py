#!/usr/bin/env python3
"""headers_compile.py INCLUDE_DIR FOLDER COMPILER [FLAG...]

Each header in a folder of the contract compiles alone, and all together in either order, without a warning.
"""
import pathlib
import subprocess
import sys

include_dir, folder, *command = sys.argv[1:]
headers = sorted(path.name for path in pathlib.Path(include_dir, folder).glob("*.h"))
if len(headers) < 5:
    sys.exit(f"{include_dir}/{folder}: found only {headers}")

for included in [[header] for header in headers] + [headers, headers[::-1]]:
    source = "".join(f'#include "{folder}/{header}"\n' for header in included) + "typedef int notEmpty;\n"
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wundef", "-Werror",
                "-fsyntax-only"]
    subprocess.run([*command, *warnings, "-I", include_dir, "-"], input=source, text=True, check=True)
