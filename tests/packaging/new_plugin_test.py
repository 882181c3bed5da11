#!/usr/bin/env python3
"""new_plugin_test.py BUILD_DIR CMAKE: the installed host writes a plugin's project, which builds and keeps the contract."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD_DIR, CMAKE = sys.argv[1:]
EX_USAGE, EX_IOERR = 64, 74


class NewPlugin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = pathlib.Path(folder.name)
        cls.prefix = cls.work / "installed"
        for component in ("host", "plugin-api-dev"):
            cls.run_well(CMAKE, "--install", BUILD_DIR, "--prefix", cls.prefix, "--component", component)

    @staticmethod
    def run_well(*command, **options):
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        if run.returncode != 0:
            raise AssertionError(f"{command} returned {run.returncode}:\n{run.stdout}")
        return run.stdout

    def host(self, *arguments):
        return subprocess.run([self.prefix / "bin/issuer-host", *arguments], capture_output=True, text=True,
                              timeout=200, cwd=self.work)

    def test_what_it_writes_builds_passes_its_test_and_validates(self):
        told = self.host("new-plugin", "my-token2")
        self.assertEqual((told.returncode, told.stderr), (0, ""))
        project, build = self.work / "my-token2", self.work / "my-token2/build"
        for file in project.iterdir():
            self.assertNotRegex(file.read_text(), "(?i)new.?plugin", f"{file} names the template")
        self.run_well(CMAKE, "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
                      "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
        self.run_well(CMAKE, "--build", build)
        self.assertIn("100% tests passed", self.run_well(
            pathlib.Path(CMAKE).with_name("ctest"), "--test-dir", build, "--output-on-failure"))
        run = self.host("validate", build / "my_token2.so", "--config", project / "config.json", "--json")
        checks = json.loads(run.stdout)["checks"]
        self.assertEqual([check for check in checks if check["verdict"] not in ("pass", "skip")
                          and check["name"] != "is-out-of-others-reach"], [])
        self.assertIn("org.example.my-token2", self.host("inspect", build / "my_token2.so").stdout)

    def test_overwrites_nothing(self):
        (self.work / "full").mkdir()
        (self.work / "full/README.md").write_text("mine")
        told = self.host("new-plugin", "other", "full")
        self.assertEqual(told.returncode, EX_IOERR)
        self.assertIn("full is not an empty folder", told.stderr)
        self.assertEqual([file.read_text() for file in (self.work / "full").iterdir()], ["mine"])

    def test_takes_an_empty_folder_and_makes_missing_ones(self):
        (self.work / "empty").mkdir()
        for folder in ("empty", "a/b"):
            self.assertEqual(self.host("new-plugin", "other", folder).returncode, 0)
            self.assertTrue((self.work / folder / "other_test.cpp").is_file())

    def test_a_folder_that_cannot_be_written_is_told(self):
        (self.work / "file").write_text("")
        told = self.host("new-plugin", "other", "file/below")
        self.assertEqual(told.returncode, EX_IOERR)
        self.assertIn("file/below cannot be created", told.stderr)

    def test_refuses_names_that_are_none(self):
        for name in ("", "Token", "9lives", "-x", "my--token", "token-", "../up", "class", "a" * 41):
            with self.subTest(name):
                told = self.host("new-plugin", "--", name, self.work / "never")
                self.assertEqual(told.returncode, EX_USAGE)
        self.assertEqual(self.host("new-plugin").returncode, EX_USAGE)
        self.assertEqual(self.host("new-plugin", "a", "b", "c").returncode, EX_USAGE)
        self.assertFalse((self.work / "never").exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
