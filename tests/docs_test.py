#!/usr/bin/env python3
"""docs_test.py SOURCE ISSUER_HOST: the pages for people name files, links, commands and metrics that exist.

Judges every Markdown page of the tree: links and their anchors; files and folders in code spans; `issuer-host COMMAND
--option`; `./dev COMMAND` and the steps of `./dev check`; metrics.
"""
import functools
import os
import pathlib
import re
import subprocess
import sys
import unittest

SOURCE, HOST = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
PAGES = [page for folder in ("", "docs", "tests", "plugin_api", "host_stub/observe/web", "packaging/prometheus")
         for page in sorted((SOURCE / folder).glob("*.md"))]
FILE = re.compile(r"[\w.+-]+(/[\w.+-]+)*\.(cpp|h|hpp|c|py|md|cmake|txt|rules\.yml|sh|map|service)$")
FOLDER = re.compile(r"(?!build/)[a-z_]+(/[a-z_]+)*/$")
METRIC = re.compile(r"`(issuer_[a-z_]+_(?:total|seconds|info|ready|failures|state|phase|failed))\b")
# Files of other projects, of a user's own, and patterns for several.
FOREIGN = {"catch.py", "lifetime_watcher.go", "config.h"}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=SOURCE, timeout=60)
    return done.stdout + done.stderr


def code(page):
    """Yields the code spans and the lines of code blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(page):
    """Returns the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@functools.cache
def tree():
    """Returns the paths of all files and folders of the tree, folders with a slash at the end."""
    found = set()
    for folder, below, files in os.walk(SOURCE):
        below[:] = [name for name in below if name not in ("build", ".git")]
        path = pathlib.Path(folder).relative_to(SOURCE).as_posix() + "/"
        found |= {path, *(path + name for name in files)}
    return found


@functools.cache
def help_of(command):
    return run(HOST, command, "--help")


class Documentation(unittest.TestCase):
    def judge(self, wrong):
        self.assertEqual([f"{page.relative_to(SOURCE)}: {what}" for page, what in wrong], [])

    def test_links_lead_somewhere(self):
        wrong = []
        for page in PAGES:
            text = re.sub(r"^```.*?^```|`[^`\n]*`", "`", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
            for link in re.findall(r"\]\(([^)\s]+)\)", text):
                path, _, anchor = link.partition("#")
                target = (page.parent / path).resolve() if path else page
                if re.match(r"[a-z]+:", link):
                    continue
                if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                    wrong.append((page, link))
        self.judge(wrong)

    def test_files_and_folders_exist(self):
        wrong = []
        for page in PAGES:
            for span in code(page):
                if (FILE.match(span) or FOLDER.match(span)) and span not in FOREIGN:
                    if not any(("/" + path).endswith("/" + span) for path in tree()):
                        wrong.append((page, span))
        self.judge(wrong)

    def test_commands_and_options_of_issuer_host_exist(self):
        commands = set(re.findall(r"^  ([a-z-]+) ", run(HOST, "--help"), re.MULTILINE))
        self.assertIn("run", commands)
        wrong = []
        for page in PAGES:
            for line in code(page):
                for command, rest in re.findall(r"(?:^|sudo |[(|;&] ?)issuer-host ([a-z][a-z-]*)([^#|;&]*)", line):
                    if command not in commands:
                        wrong.append((page, f"issuer-host {command}"))
                        continue
                    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest):
                        if option not in help_of(command):
                            wrong.append((page, f"issuer-host {command} {option}"))
        self.judge(wrong)

    def test_commands_and_steps_of_dev_exist(self):
        commands = run("./dev", "--help")
        steps = run("./dev", "check", "--list")
        wrong = []
        for page in PAGES:
            for line in code(page):
                for command, step in re.findall(r"(?<!`)\./dev ([a-z]+)(?: ([a-z0-9]+))?", line):
                    known = re.search(rf"^  {command} ", commands, re.MULTILINE)
                    if not known or (command == "check" and step and not re.search(rf"^ *{step}\b", steps, re.MULTILINE)):
                        wrong.append((page, f"./dev {command} {step}"))
        self.judge(wrong)

    def test_metrics_exist(self):
        sources = (SOURCE / "host_stub/observe/metrics").glob("*.cpp")
        written = "".join(source.read_text(encoding="utf-8") for source in sources)
        wrong = []
        for page in PAGES:
            for name in re.findall(METRIC, page.read_text(encoding="utf-8")):
                if f'"{name}"' not in written:
                    wrong.append((page, name))
        self.judge(wrong)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
