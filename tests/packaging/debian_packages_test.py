#!/usr/bin/env python3
"""debian_packages_test.py BUILD_DIR CMAKE FAKE_VAULT: the packages say what they need, dpkg installs and upgrades them, and a
host that runs meanwhile misses no renewal."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request

BUILD_DIR, CMAKE, FAKE_VAULT = sys.argv[1:]


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
        """The plugin's package as its next version would be: another version, another path, another file."""
        tree = pathlib.Path(tempfile.mkdtemp(dir=self.work)) / "tree"
        run("dpkg-deb", "--raw-extract", self.packages["issuer-plugin-vault"], tree)
        folder, = tree.glob("usr/lib/issuer/plugins/vault/*")
        folder.rename(folder.with_name(version))
        for name in ("control", "md5sums"):
            file = tree / "DEBIAN" / name
            file.write_text(file.read_text().replace(folder.name, version))
        package = tree.with_name(f"issuer-plugin-vault_{version}.deb")
        run("dpkg-deb", "--root-owner-group", "--build", tree, package)
        return package

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

    def test_are_upgraded_under_a_running_host_that_misses_no_renewal(self):
        root = self.make_root()
        self.dpkg(root, "--install", self.packages["issuer-host"], self.packages["issuer-plugin-vault"])
        with subprocess.Popen([FAKE_VAULT, "--root-token", "root"], stdout=subprocess.PIPE, text=True) as vault:
            self.addCleanup(vault.kill)
            address = re.search(r"http://\S+", vault.stdout.readline())[0]
            request = urllib.request.Request(f"{address}/v1/auth/token/create", b'{"ttl":"4s"}', {"X-Vault-Token": "root"})
            token = json.load(urllib.request.urlopen(request))["auth"]["client_token"]
            (root / "token").write_text(token)
            config = root / "host.json"
            config.write_text(json.dumps({"issuers": [
                {"name": "a", "plugin": "vault", "config": {"address": address, "token": {"file": str(root / "token")}}}]}))
            command = [root / "usr/bin/issuer-host", "run", "--config", config, "--control", "none"]

            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
                self.addCleanup(host.kill)
                self.wait_for(host, " renewed ")
                self.dpkg(root, "--install", self.repacked("9.0.0"))
                self.wait_for(host, " renewed ")  # from a file whose package is gone
                host.send_signal(signal.SIGHUP)
                self.wait_for(host, " swapped ")
                self.wait_for(host, " renewed ")
                host.send_signal(signal.SIGTERM)
            self.assertEqual(host.returncode, 0)
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
                self.addCleanup(host.kill)
                self.assertIn("vault/9.0.0/vault_plugin.so", self.wait_for(host, " started "))
                self.wait_for(host, " renewed ")
                host.send_signal(signal.SIGTERM)
            self.assertEqual(host.returncode, 0)
            log = json.load(urllib.request.urlopen(f"{address}/fake/log"))
            entries = log if isinstance(log, list) else log.get("requests", log.get("log", []))
            statuses = {entry["status"] for entry in entries if "renew-self" in json.dumps(entry)}
            self.assertEqual(statuses, {200}, "not every renewal was in time")
            vault.terminate()

    def wait_for(self, host, text):
        for line in host.stdout:
            if text in line:
                return line
        self.fail(f"the host ended before it said {text!r}")


if __name__ == "__main__":
    if os.geteuid() != 0 and not shutil.which("fakeroot"):
        print("SKIPPED: not run by root, and fakeroot is not installed (package fakeroot)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
