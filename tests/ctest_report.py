#!/usr/bin/env python3
"""ctest_report.py skipped|failed JUNIT_FILE [--strict]

Tells what a run of ctest left to be read, from the file of its --output-junit.

skipped   Prints each test that was skipped, with its reason. With --strict, exits with 1 if a reason names a Debian
          package: «promtool is not installed (package prometheus)» says that a package was wanted, and ./dev installs
          it. Any other reason, as that no real Vault is here, is allowed.
failed    Prints each test that failed, with the last lines of its output.
"""
import collections
import re
import sys
import xml.etree.ElementTree

LINES = 60
LONGEST = 400
# GoogleTest's reason stands in the line below «file:line: Skipped»; scripts print theirs behind «SKIPPED:».
REASON = re.compile(r": Skipped\n(.+)|^SKIPPED: (.+)", re.MULTILINE)
WANTS_PACKAGE = re.compile(r"\(packages? [^)]+\)")


def tests(path):
    try:
        return xml.etree.ElementTree.parse(path).getroot().findall("testcase")
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        sys.exit(f"ctest left no report of its run: {error}")


def output(test):
    return test.findtext("system-out") or ""


def reasons(test):
    # A program that skips some of its tests passes as a whole: its reasons count all the same.
    found = [first or second for first, second in REASON.findall(output(test))]
    if not found and test.find("skipped") is not None:
        found = [test.find("skipped").get("message", "") or "without a reason"]
    return [reason.strip() for reason in found]


def skipped(path, strict):
    by_reason = collections.defaultdict(list)
    for test in tests(path):
        for reason in reasons(test) if test.get("status") != "fail" else []:
            by_reason[reason].append(test.get("name"))
    wanting = [reason for reason in by_reason if WANTS_PACKAGE.search(reason)]
    for reason, names in sorted(by_reason.items()):
        print(f"skipped: {reason}{' -- NOT ALLOWED HERE' if strict and reason in wanting else ''}")
        for name in names:
            print(f"    {name}")
    if strict and wanting:
        print("tests that skip for want of a package fail the check: ./dev installs it, so add it to to_check in ./dev")
        return 1
    return 0


def failed(path):
    for test in tests(path):
        if test.get("status") == "fail":
            lines = output(test).splitlines()
            print(f"failed: {test.get('name')}")
            if len(lines) > LINES:
                print(f"    … {len(lines) - LINES} lines before these")
            for line in lines[-LINES:]:
                print("    " + line[:LONGEST])
    return 0


if __name__ == "__main__":
    what, path, *options = sys.argv[1:]
    sys.exit(skipped(path, "--strict" in options) if what == "skipped" else failed(path))
