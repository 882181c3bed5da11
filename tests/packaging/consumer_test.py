#!/usr/bin/env python3
"""consumer_test.py BUILD_DIR CMAKE: a stranger builds a plugin and a host against the contract, installed or as source."""
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import unittest

BUILD_DIR, CMAKE = sys.argv[1:]
CONSUMER = pathlib.Path(__file__).resolve().parent / "consumer"
SOURCE = CONSUMER.parents[2]


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

    def build_consumer(self, way, *options):
        build = self.work / way
        run(CMAKE, "-S", CONSUMER, "-B", build, f"-DCONSUMER_WAY={way}", "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror", *options)
        run(CMAKE, "--build", build)
        plugin = build / "libconsumer_plugin.so"
        self.assertEqual(run(build / "consumer_host", plugin), "org.example.consumer 3.1.4 was in state 6\n")
        kit = build / "libkit_plugin.so"
        self.assertEqual(run(build / "kit_host", kit), "org.example.kit was in state 6 and told of a configuration\n")
        for one in (plugin, kit):
            self.assertRegex(run("nm", "--dynamic", "--defined-only", one), r"^\w+ [DR] issuer_lifecycle_v1\n$")
        return build

    def test_finds_it_with_cmake(self):
        self.build_consumer("find_package", f"-DCMAKE_PREFIX_PATH={self.prefix}")

    def test_takes_its_source_into_a_project(self):
        for way in ["add_subdirectory", "FetchContent"]:
            with self.subTest(way):
                build = self.build_consumer(way, f"-DISSUER_SOURCE={SOURCE}")
                # The contract alone: it looked for none of the libraries that plugin and host need.
                self.assertNotRegex((build / "CMakeCache.txt").read_text(), "(?i)poco|prometheus|systemd|openssl")

    def test_configures_the_parts_that_are_wanted(self):
        for part, others in {"PLUGIN": "prometheus|systemd|boost", "HOST": "no such library"}.items():
            with self.subTest(part):
                build = self.work / part
                options = [f"-DISSUER_BUILD_{one}={'ON' if one == part else 'OFF'}" for one in ["PLUGIN", "HOST"]]
                run(CMAKE, "-S", SOURCE, "-B", build, "-DISSUER_BUILD_TESTS=OFF", *options)
                self.assertNotRegex((build / "CMakeCache.txt").read_text(), f"(?i){others}")
                targets = run(CMAKE, "--build", build, "--target", "help")
                self.assertEqual("vault_plugin" in targets, part == "PLUGIN")
                self.assertEqual("issuer-host" in targets, part == "HOST")

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
