#!/usr/bin/env python3
"""debian_packages_test.py BUILD_DIR CMAKE: the packages say what they need, and dpkg installs them."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD_DIR, CMAKE = sys.argv[1:]


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} returned {done.returncode}:\n{done.stdout}")
    return done.stdout


class DebianPackages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = pathlib.Path(folder.name)
        cpack = pathlib.Path(CMAKE).with_name("cpack")
        run(cpack, "-G", "DEB", "--config", f"{BUILD_DIR}/CPackConfig.cmake", "-B", cls.work)
        cls.packages = {path.name.split("_")[0]: path for path in cls.work.glob("*.deb")}

    def field(self, package, name):
        return run("dpkg-deb", "--field", self.packages[package], name).strip()

    def test_are_three(self):
        self.assertEqual(set(self.packages), {"issuer-host", "issuer-plugin-vault", "issuer-plugin-api-dev"})

    def test_depend_on_the_libraries_they_link(self):
        for package in ("issuer-host", "issuer-plugin-vault"):
            depends = self.field(package, "Depends")
            for library in ("libc6 ", "libstdc++6 ", "libpoco"):
                self.assertIn(library, depends, package)
        self.assertEqual(self.field("issuer-plugin-api-dev", "Depends"), "")
        self.assertEqual(self.field("issuer-plugin-api-dev", "Architecture"), "all")

    def test_have_a_synopsis_each_that_fits_a_line(self):
        synopses = [self.field(package, "Description").splitlines()[0] for package in self.packages]
        self.assertEqual(len(set(synopses)), len(synopses))
        for synopsis in synopses:
            self.assertLessEqual(len(synopsis), 80)

    def test_hold_nothing_that_others_may_write(self):
        for package in self.packages.values():
            for entry in run("dpkg-deb", "--contents", package).splitlines():
                mode, owner = entry.split()[:2]
                self.assertEqual(owner, "root/root", entry)
                self.assertNotIn("w", mode[4:], entry)

    def test_are_installed_by_dpkg_with_their_dependencies_met(self):
        if os.geteuid() != 0 and not shutil.which("fakeroot"):
            self.skipTest("needs root or fakeroot")
        # A root of its own that knows the packages of this system, so that dependencies are checked for real.
        root = self.work / "root"
        admin = root / "var/lib/dpkg"
        for folder in ("info", "updates", "triggers"):
            (admin / folder).mkdir(parents=True)
        shutil.copy("/var/lib/dpkg/status", admin)
        packages = sorted(self.packages.values())
        as_root = [] if os.geteuid() == 0 else ["fakeroot"]
        run(*as_root, "dpkg", f"--root={root}", "--force-not-root", f"--log={root}/dpkg.log", "--install", *packages)
        for package in self.packages:
            status = run("dpkg-query", f"--admindir={admin}", "--show", "--showformat=${Status}", package)
            self.assertEqual(status, "install ok installed")
        plugin, = root.glob("usr/lib/issuer/plugins/vault/*/vault_plugin.so")
        self.assertIn("io.issuer.vault", run(root / "usr/bin/issuer-host", "inspect", plugin))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
