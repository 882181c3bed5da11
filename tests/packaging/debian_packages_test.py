#!/usr/bin/env python3
"""debian_packages_test.py BUILD_DIR CMAKE: the packages say what they need and hold what is looked for in them, and dpkg
installs and upgrades them. story_test.py has a host that runs meanwhile."""
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

import packages
from packages import run

BUILD_DIR, CMAKE = sys.argv[1:]


class DebianPackages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = pathlib.Path(folder.name)
        cls.packages = packages.build(BUILD_DIR, CMAKE, cls.work)

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

    def make_root(self):
        """A root of its own that knows the packages of this system, so that dependencies are checked for real."""
        root = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        admin = root / "var/lib/dpkg"
        for folder in ("info", "updates", "triggers"):
            (admin / folder).mkdir(parents=True)
        shutil.copy("/var/lib/dpkg/status", admin)
        return root

    def dpkg(self, root, *arguments):
        as_root = [] if os.geteuid() == 0 else ["fakeroot"]
        return run(*as_root, "dpkg", f"--root={root}", "--force-not-root", "--force-script-chrootless",
                   f"--log={root}/dpkg.log", *arguments)

    def repacked(self, version):
        return packages.repacked(self.packages["issuer-plugin-vault"], version, self.work)

    def test_are_installed_by_dpkg_with_their_dependencies_met(self):
        root = self.make_root()
        self.dpkg(root, "--install", *sorted(self.packages.values()))
        for package in self.packages:
            status = run("dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", "--showformat=${Status}", package)
            self.assertEqual(status, "install ok installed")
        plugin, = root.glob("usr/lib/issuer/plugins/vault/*/vault_plugin.so")
        self.assertIn("io.issuer.vault", run(root / "usr/bin/issuer-host", "inspect", plugin))

    def test_keep_the_versions_before_until_they_are_purged(self):
        root = self.make_root()
        self.dpkg(root, "--install", self.packages["issuer-plugin-vault"])
        first, = root.glob("usr/lib/issuer/plugins/vault/*/vault_plugin.so")
        inode = first.stat().st_ino
        self.dpkg(root, "--install", self.repacked("9.0.0"))
        self.dpkg(root, "--install", self.repacked("9.1.0"))
        versions = sorted(path.name for path in first.parents[1].iterdir())
        self.assertEqual(versions, [first.parent.name, "9.0.0", "9.1.0"])
        self.assertEqual(first.stat().st_ino, inode, "it is another file, which a host takes for an exchanged one")
        self.dpkg(root, "--remove", "issuer-plugin-vault")
        self.assertTrue(first.exists())
        self.dpkg(root, "--purge", "issuer-plugin-vault")
        self.assertFalse(first.parents[1].exists())

    def test_hold_what_operators_look_for(self):
        root = self.make_root()
        self.dpkg(root, "--install", *sorted(self.packages.values()))
        for file in ("usr/share/man/man1/issuer-host.1", "usr/share/bash-completion/completions/issuer-host",
                     "usr/share/zsh/vendor-completions/_issuer-host", "usr/share/fish/vendor_completions.d/issuer-host.fish",
                     "usr/share/doc/issuer-host/changelog", "usr/share/doc/issuer-plugin-vault/changelog",
                     "etc/issuer-host/host.json.example"):
            self.assertTrue((root / file).stat().st_size > 0, file)
        manual = (root / "usr/share/man/man1/issuer-host.1").read_text()
        completion = (root / "usr/share/bash-completion/completions/issuer-host").read_text()
        for command in re.findall(r"^  (\S+) ", run(root / "usr/bin/issuer-host", "--help").partition("Commands:")[2].partition("\n\n")[0], re.MULTILINE):
            self.assertIn(f".SS {command}\n".replace("-", "\\-"), manual)
            self.assertIn(f"\t{command}) options=", completion)
        self.assertIn("--reread", completion)
        self.dpkg(root, "--purge", "issuer-host")
        self.assertFalse((root / "etc/issuer-host").exists())

    def test_complete_commands_options_and_names_of_issuers(self):
        root = self.make_root()
        self.dpkg(root, "--install", self.packages["issuer-host"])
        host = root / "bin/issuer-host"  # as it answers while it runs
        host.parent.mkdir()
        host.write_text("#!/bin/sh\necho team-a; echo 'team b'; echo other\n")
        host.chmod(0o755)

        def completed(*words):
            script = (f"source {root}/usr/share/bash-completion/completions/issuer-host; COMP_WORDS=(issuer-host \"$@\");"
                      "COMP_CWORD=$#; _issuer_host; printf '%s\\n' \"${COMPREPLY[@]}\"")
            return run("bash", "-c", script, "-", *words, env={"PATH": f"{host.parent}:{os.environ['PATH']}"}).split("\n")[:-1]

        self.assertEqual(completed("sta"), ["status", "stage"])
        self.assertEqual(completed("status", "--w"), ["--watch"])
        self.assertEqual(completed("renew", "team"), ["team-a", "team\\ b"])


if __name__ == "__main__":
    if os.geteuid() != 0 and not shutil.which("fakeroot"):
        print("SKIPPED: not run by root, and fakeroot is not installed (package fakeroot)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
