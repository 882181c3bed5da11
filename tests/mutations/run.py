#!/usr/bin/env python3
"""Breaks one line of the plugin or the host after the other, and sees a test notice each.

usage: run.py BUILD_DIR [ROOM or NAME...]      breaks and asks; --targets prints what must be built for it

The lists are in rooms/, a file for each room; see rooms/__init__.py for what an entry says. BUILD_DIR is an up-to-date
Ninja build without sanitizers. Sources and objects of the build stay as they are: a copy of the one source is compiled
as the build compiles the original, and the program that asks is linked anew with it, ahead of the room's library. A
program that a test has as a fixed path (the plugin, the host) is put in its place while that test runs.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import rooms

SOURCE = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 60        # seconds that the tests of one mutation may take; a test that hangs has noticed
WITHOUT = 300     # seconds that all tests of one program may take unbroken
PLACES = threading.Lock()  # of the programs that are put in the place of built ones

# Tests that run another program than themselves: the file that is linked anew in its place.
ASKED = {
    "runtime_test with helper_module": "tests/unit/runtime/libruntime_helper_module.so",
    "plugin_contract_test": "vault_plugin/vault_plugin.so",
    "host_program_test": "host_stub/issuer-host",
    "validate": "host_stub/issuer-host",
    "schema": "tests/unit/config/config_judge",
}
# Tests that are scripts: the targets they need, and the command; {} is the program that is asked.
SCRIPTS = {
    "validate": (["issuer-host", "fixture_plugins"],
                 ["tests/abi/validate_test.py", "{}", "{build}/tests/abi/fixtures",
                  "{build}/tests/abi/minimal_plugin.so"]),
    "schema": (["config_judge"], ["tests/unit/config/schema_agreement_test.py", "{}"]),
}


class Unusable(Exception):
    """A mutation that cannot be asked about: its text is gone, or it does not compile."""


class Build:
    def __init__(self, folder):
        self.folder = folder
        self.commands = json.loads((folder / "compile_commands.json").read_text())
        self.programs = {}
        for line in self.ninja("-t", "targets", "all").splitlines():
            output, rule = line.rsplit(": ", 1)
            if "_LINKER__" in rule and "STATIC" not in rule:
                self.programs[pathlib.Path(output).stem] = output
        self.includers = {}  # of each file, the objects
        for line in self.ninja("-t", "deps").splitlines():
            if line.startswith(" "):
                self.includers.setdefault(os.path.normpath(self.folder / line.strip()), set()).add(output)
            elif line:
                output = line.split(": #deps")[0]

    def ninja(self, *arguments):
        return subprocess.run(["ninja", *arguments], cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def objects_of(self, file):
        """Objects to compile anew where `file` is another, each with its command."""
        if file.endswith(".h"):
            wanted = self.includers.get(str(SOURCE / file), set())
            found = [entry for entry in self.commands if object_of(entry) in wanted]
        else:
            found = [entry for entry in self.commands if entry["file"] == str(SOURCE / file)
                     and not object_of(entry).startswith("tests/simulation")]
        return {object_of(entry): entry for entry in found}


def object_of(entry):
    return entry["command"].split(" -o ")[1].split(" ")[0]


def shell(command, directory):
    done = subprocess.run(command, shell=True, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unusable(done.stdout + done.stderr)


def mutated(mutation):
    text = (SOURCE / mutation.file).read_text()
    count = text.count(mutation.old)
    if count != 1:
        raise Unusable(f"{mutation.file} holds the text {count} times, not once: {mutation.old!r}; mend the list")
    return text.replace(mutation.old, mutation.new)


def library_of(name):
    """The library an object belongs to, by CMake's folder: vault_plugin/base/CMakeFiles/issuer_base.dir/… """
    found = re.match(r"(.*)CMakeFiles/(\w+)\.dir/", name)
    return f"{found[1]}lib{found[2]}.a"


class Mutant:
    """One mutation, compiled; links programs with it."""

    def __init__(self, build, mutation, folder):
        self.build, self.folder = build, folder
        self.is_header = mutation.file.endswith(".h")
        # Headers of the contract include each other by relative paths: then all of them are copied.
        contract = "plugin_api/include"
        root = contract if mutation.file.startswith(contract) else mutation.file.split("/")[0]
        copy = folder / "source" / mutation.file
        if root == contract:
            shutil.copytree(SOURCE / contract, folder / "source" / contract)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(mutated(mutation))
        self.overlay = f"-I{folder / 'source' / root}"
        self.entries = build.objects_of(mutation.file)
        self.copy = copy
        self.compiled = {}
        if not self.entries:
            raise Unusable(f"the build compiles nothing of {mutation.file}")

    def compile(self, name):
        if name not in self.compiled:
            entry = self.entries[name]
            output = str(self.folder / f"{len(self.compiled)}.o")
            command = entry["command"].replace(f" -o {name} ", f" -o {output} ")
            if self.is_header:
                command = command.replace(" -I", f" {self.overlay} -I", 1)
            else:
                command = command.replace(entry["file"], str(self.copy))
            shell(command, entry["directory"])
            self.compiled[name] = output
        return self.compiled[name]

    def link(self, program):
        link = self.build.ninja("-t", "commands", program).splitlines()[-1]
        words = set(link.split(" "))
        ahead, found = "", False
        for name in self.entries:
            if name in words:
                link = link.replace(f" {name} ", f" {self.compile(name)} ")
            elif library_of(name) in words:
                ahead += " " + self.compile(name)
            else:
                continue
            found = True
        if not found:
            raise Unusable(f"{program} is not built of it: another test must be asked")
        output = self.folder / pathlib.Path(program).name
        shell(link.replace(f" -o {program} ", f"{ahead} -o {output} "), self.build.folder)
        return output


def test_of(program):
    """Returns the program to run: TEST for "TEST with OTHER", a test that runs another program from a fixed path."""
    return program.split(" ")[0]


def command_of(build, program, asked, which):
    if program in SCRIPTS:
        script, *arguments = SCRIPTS[program][1]
        return [sys.executable, str(SOURCE / script),
                *(argument.format(str(asked), build=build.folder) for argument in arguments), *which]
    path = asked if program not in ASKED else build.folder / build.programs[test_of(program)]
    return [str(path), "--gtest_brief=1", "--gtest_filter=" + ":".join(which)]


def run(command, limit):
    """Returns whether the tests pass, and their output. A test that hangs does not pass."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return False, f"it hangs: killed after {limit} s"
    said = done.stdout + done.stderr
    if "0 tests from 0 test suites ran" in said:
        raise Unusable(f"there is no such test: {' '.join(command)}")
    return done.returncode == 0, said


def ask(build, mutant, program, which):
    """Returns whether the tests of one program pass with the mutant in place."""
    target = ASKED.get(program, build.programs.get(program))
    linked = mutant.link(target)
    if program in SCRIPTS or program not in ASKED:
        return run(command_of(build, program, linked, which), LIMIT)
    place = build.folder / target
    original = place.with_name(place.name + ".unbroken")
    with PLACES:
        os.rename(place, original)  # keeps its time, by which Ninja knows it
        try:
            os.rename(linked, place)
            return run(command_of(build, program, place, which), LIMIT)
        finally:
            os.replace(original, place)


def attempt(build, mutation):
    """Tries one mutation. Returns noticed, SURVIVED or UNUSABLE, with the seconds it took and the output of the tests."""
    begun = time.monotonic()
    verdict, said = "SURVIVED", ""
    try:
        with tempfile.TemporaryDirectory(prefix="mutant-", dir=build.folder) as folder:
            mutant = Mutant(build, mutation, pathlib.Path(folder))
            for program, which in mutation.programs().items():
                passes, words = ask(build, mutant, program, which)
                said += words
                if not passes:
                    verdict = "noticed"
                    break
    except Unusable as error:
        verdict, said = "UNUSABLE", str(error)
    return verdict, time.monotonic() - begun, said


def passes_unbroken(build, mutations):
    """Returns whether the tests pass before anything is broken: a test that fails anyway notices nothing."""
    every = {}
    for mutation in mutations:
        for program, which in mutation.programs().items():
            every.setdefault(program, []).extend(test for test in which if test not in every.get(program, []))

    def one(item):
        program, which = item
        asked = build.folder / (ASKED.get(program) or build.programs[program])
        return program, *run(command_of(build, program, asked, which), WITHOUT)

    good = True
    with concurrent.futures.ThreadPoolExecutor(jobs()) as pool:
        for program, passes, said in pool.map(one, every.items()):
            if not passes:
                good = False
                print(f"{program} fails before anything is broken:\n{said}")
            elif "SKIPPED" in said:
                print(f"{program} skips some of what is asked here:\n{said}")
    return good


def jobs():
    return min(4, max(2, os.cpu_count() or 1))


def targets():
    found = set()
    for mutation in rooms.ALL:
        for program in mutation.programs():
            found.update(SCRIPTS[program][0] if program in SCRIPTS else [test_of(program)])
    return sorted(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", type=pathlib.Path)
    parser.add_argument("only", nargs="*", help="rooms or names of mutations; all, if none is given")
    parser.add_argument("--targets", action="store_true", help="print the targets that must be built, and end")
    parser.add_argument("--verbose", action="store_true", help="show what the tests said of each mutation")
    options = parser.parse_args()
    if options.targets:
        print(*targets())
        return 0
    if options.build is None:
        parser.error("BUILD_DIR is missing")
    wanted = [one for one in rooms.ALL if not options.only or {one.room, one.name} & set(options.only)]
    if not wanted:
        parser.error(f"there is no such room or mutation: {' '.join(options.only)}")
    begun = time.monotonic()
    build = Build(options.build.resolve())
    if not passes_unbroken(build, wanted):
        return 1
    print(f"all pass unbroken, {time.monotonic() - begun:.0f} s", flush=True)
    counts = {}
    with concurrent.futures.ThreadPoolExecutor(jobs()) as pool:
        for mutation, (verdict, seconds, said) in zip(wanted, pool.map(lambda one: attempt(build, one), wanted)):
            counts[verdict] = counts.get(verdict, 0) + 1
            print(f"{verdict:8} {seconds:4.0f} s  {mutation.room}: {mutation.name}: {mutation.promise}", flush=True)
            if verdict != "noticed" or options.verbose:
                print(said)
    print(f"{counts.get('noticed', 0)} of {len(wanted)} mutations noticed, {time.monotonic() - begun:.0f} s")
    return 0 if counts.get("noticed", 0) == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
