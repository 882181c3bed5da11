#!/usr/bin/env python3
"""installed_host_test.py BUILD_DIR CMAKE: the installed host runs and accepts the plugin installed beside it."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD_DIR, CMAKE = sys.argv[1:]


class InstalledHost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.prefix = pathlib.Path(folder.name)
        # The mode is that of the package, whatever the umask: a host refuses a plugin that others may write.
        subprocess.run([CMAKE, "--install", BUILD_DIR, "--prefix", cls.prefix], stdout=subprocess.DEVNULL, check=True,
                       umask=0o022)

    def host(self, *arguments):
        return subprocess.run([self.prefix / "bin/issuer-host", *arguments], capture_output=True, text=True, timeout=60)

    def test_tells_its_version(self):
        run = self.host("--version")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, r"^issuer-host \d+\.\d+\.\d+\n$")

    def test_accepts_the_installed_plugin(self):
        plugin, = self.prefix.glob("lib*/**/issuer/plugins/vault/*/vault_plugin.so")
        self.assertEqual(plugin.stat().st_mode & 0o022, 0, "others may write the plugin")
        run = self.host("inspect", str(plugin))
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("io.issuer.vault", run.stdout)
        self.assertIn(plugin.parent.name, run.stdout, "the path's version is not the plugin's")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
