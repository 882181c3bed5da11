#!/usr/bin/env python3
"""systemd_test.py SOURCE_DIR HOST: the unit is one that systemd understands, and as tight as it is said to be."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, HOST = pathlib.Path(sys.argv[1]), sys.argv[2]
FOLDER = SOURCE / "packaging/systemd"
UNIT = FOLDER / "issuer-host.service"


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.returncode, done.stdout


def example():
    """Returns the configuration that is installed. Its lines of comments are the host's extension of JSON."""
    return json.loads(re.sub(r"^ *//.*$", "", (FOLDER / "host.json").read_text(), flags=re.MULTILINE))


class Unit(unittest.TestCase):
    def test_is_one_that_systemd_understands(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder, UNIT.name)
            unit.write_text(UNIT.read_text().replace("ExecStart=issuer-host", f"ExecStart={HOST}"))
            code, said = run("systemd-analyze", "verify", "--man=no", str(unit))
            self.assertEqual(code, 0, said)
            # systemd-analyze only warns of keys that it does not know; warnings about other units of this system do not count.
            self.assertEqual([line for line in said.splitlines() if UNIT.name in line], [])

    def test_gives_the_service_no_more_than_it_needs(self):
        code, said = run("systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(UNIT))
        exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        self.assertEqual(code, 0, said)
        self.assertLessEqual(float(exposure[1]), 1.5)

    def test_gives_a_stop_longer_than_the_host_takes_at_most(self):
        config = example()
        stop = re.search(r"TimeoutStopSec=(\d+)s", UNIT.read_text())
        self.assertGreater(int(stop[1]), int(config["stop_timeout"].removesuffix("s")))

    def test_reads_the_token_where_it_is_replaced_and_not_from_a_copy_made_at_the_start(self):
        config = example()
        token = config["issuers"][0]["config"]["token"]["file"]
        folder = re.search(r"^ConfigurationDirectory=(\S+)$", UNIT.read_text(), re.MULTILINE)[1]
        self.assertEqual(pathlib.Path(token).parent, pathlib.Path("/etc", folder))
        self.assertNotRegex(UNIT.read_text(), r"(?m)^LoadCredential")
        self.assertNotRegex(UNIT.read_text(), r"(?m)^(InaccessiblePaths|TemporaryFileSystem|DynamicUser)=")

    def test_comes_with_configurations_that_the_host_understands(self):
        files = sorted(file for file in (SOURCE / "packaging").rglob("*.json")
                       if file.parent.name in ("systemd", "kubernetes", "kubernetes-fleet"))
        self.assertEqual(len(files), 4)
        with tempfile.TemporaryDirectory() as folder:
            for file in files:
                with self.subTest(file=file):
                    code, said = run(HOST, "check", "--config", str(file), "--plugin-dir", folder)
                    self.assertEqual(code, 78, said)
                    self.assertRegex(said, r"\Aissuer-host: issuer team-a: plugin vault is not installed under \S+\n\Z")

    def test_runs_as_the_user_that_is_made_for_it(self):
        user = re.search(r"^User=(\S+)$", UNIT.read_text(), re.MULTILINE)[1]
        with tempfile.TemporaryDirectory() as root:
            pathlib.Path(root, "etc").mkdir()
            code, said = run("systemd-sysusers", f"--root={root}", str(FOLDER / "issuer-host.sysusers.conf"))
            self.assertEqual(code, 0, said)
            self.assertIn(f"\n{user}:", "\n" + pathlib.Path(root, "etc/passwd").read_text())
            self.assertIn(f"\n{user}:", "\n" + pathlib.Path(root, "etc/group").read_text())

    def test_lets_the_group_that_is_made_for_it_ask_for_status(self):
        group = example()["control_group"]
        unit = UNIT.read_text()
        self.assertRegex(unit, rf"(?m)^SupplementaryGroups={group}$")
        self.assertRegex(unit, r"(?m)^RuntimeDirectoryMode=0711$")
        self.assertNotRegex(unit, r"(?m)^PrivateUsers=yes", "in a namespace of its own the host knows no other group")
        filters = re.findall(r"^SystemCallFilter=(\S.*)$", unit, re.MULTILINE)
        self.assertLess(filters.index("~@privileged @resources"), filters.index("@chown"), "it cannot give the socket away")
        self.assertRegex((FOLDER / "issuer-host.sysusers.conf").read_text(), rf"(?m)^m issuer-host {group}$")


if __name__ == "__main__":
    if shutil.which("systemd-analyze") is None:
        print("SKIPPED: systemd-analyze is not installed (package systemd)")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
