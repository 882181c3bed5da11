#!/usr/bin/env python3
"""consumer_test.py BUILD_DIR CMAKE: a stranger builds a plugin and a host against the installed contract."""
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import unittest

BUILD_DIR, CMAKE = sys.argv[1:]
CONSUMER = pathlib.Path(__file__).parent / "consumer"


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, command))} returned {done.returncode}:\n{done.stdout}")
    return done.stdout


class Consumer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = pathlib.Path(folder.name)
        installed, cls.prefix = cls.work / "installed", cls.work / "moved elsewhere"
        run(CMAKE, "--install", BUILD_DIR, "--prefix", installed, "--component", "plugin-api-dev")
        installed.rename(cls.prefix)  # an installation may be moved

    def test_finds_it_with_cmake(self):
        build = self.work / "cmake"
        run(CMAKE, "-S", CONSUMER, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
        run(CMAKE, "--build", build)
        plugin = build / "libconsumer_plugin.so"
        self.assertEqual(run(build / "consumer_host", plugin), "org.example.consumer 3.1.4 was in state 6\n")
        self.assertRegex(run("nm", "--dynamic", "--defined-only", plugin), r"^\w+ [DR] issuer_lifecycle_v1\n$")

    def test_is_refused_by_cmake_when_another_version_is_wanted(self):
        project = self.work / "wants_another"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.22)\nproject(WantsAnother LANGUAGES NONE)\n"
            "find_package(IssuerLifecycle 99 REQUIRED)\n")
        with self.assertRaisesRegex(AssertionError, 'compatible with requested version "99"'):
            run(CMAKE, "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}")

    def test_finds_it_with_pkg_config(self):
        examples = self.prefix / "share/doc/issuer-plugin-api-dev/examples"
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.prefix / "share/pkgconfig")}

        def build(source, out, *flags):
            cflags = shlex.split(run("pkg-config", "--cflags", "issuer-plugin-api", env=environment))
            run("cc", "-std=c11", "-pthread", examples / source, "-o", self.work / out, *cflags, *flags, "-ldl")

        script = run("pkg-config", "--variable=version_script", "issuer-plugin-api", env=environment).strip()
        build("minimal_plugin.c", "minimal_plugin.so", "-shared", "-fPIC",
              f"-Wl,--version-script={''.join(shlex.split(script, posix=True))}")
        build("minimal_host.c", "minimal_host")
        shown = run(self.work / "minimal_host", self.work / "minimal_plugin.so", "{}", "2", timeout=60)
        self.assertIn("renewal state=active result=success", shown)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
