#!/usr/bin/env python3
"""example_host_test.py MINIMAL_PLUGIN.so FIXTURES_DIR HOST...

The example hosts drive the example plugin, end when told, and refuse what they cannot drive.
"""
import pathlib
import signal
import subprocess
import sys
import unittest

PLUGIN, FIXTURES, *HOST = sys.argv[1:]
LIMIT = 60  # seconds; reached only when something hangs


def host(*arguments):
    return subprocess.run([*HOST, *arguments], capture_output=True, text=True, timeout=LIMIT)


class ExampleHost(unittest.TestCase):
    def test_shows_the_state_and_the_renewals_and_ends_by_itself(self):
        run = host(PLUGIN, "{}", "4")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        about, state, *renewals = run.stdout.splitlines()
        self.assertEqual(about, "plugin io.issuer.example.minimal 1.0.0")
        self.assertRegex(state, r"^state state=active result=- reason=0 ttl_ms=3600000 ")
        self.assertGreaterEqual(len(renewals), 3)
        for renewal in renewals:
            self.assertRegex(renewal, r"^renewal state=active result=success reason=0 ttl_ms=3600000 ")

    def test_runs_until_it_is_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with subprocess.Popen([*HOST, PLUGIN, "{}"], stdout=subprocess.PIPE, text=True) as process:
                for line in process.stdout:
                    if line.startswith("renewal"):
                        break
                process.send_signal(number)
                process.communicate(timeout=LIMIT)
                self.assertEqual(process.returncode, 0)

    def test_tells_why_a_configuration_is_refused(self):
        run = host(PLUGIN, "no object", "1")
        self.assertEqual(run.returncode, 1)
        self.assertIn("error 1: the configuration is not a JSON object", run.stderr)

    def test_tells_why_a_start_failed(self):
        run = host(f"{FIXTURES}/start_unavailable.so", "{}", "1")
        self.assertEqual(run.returncode, 1)
        self.assertIn("error 9: this fixture never starts", run.stderr)

    def test_drives_a_plugin_of_a_later_minor_version(self):
        run = host(f"{FIXTURES}/grown.so", "{}", "2")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        _, *events = run.stdout.splitlines()
        self.assertEqual(events, ["renewal state=unknown result=success reason=0 ttl_ms=3600000 start 1"] * 2)

    def test_tells_of_logins_by_that_name(self):
        run = host(f"{FIXTURES}/foresees_a_failing_login.so", "{}", "2")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(run.stdout.splitlines()[1], "login state=active result=- reason=19 ttl_ms=3600000 start 1")

    def test_refuses_what_it_cannot_drive(self):
        for name, why in {
            "missing_symbol": "exports no issuer_lifecycle_v1",
            "major_2": "speaks another version of the contract",
            "short_struct": "speaks another version of the contract",
            "null_slot": "has a gap in its table",
            "null_descriptor": "has a gap in its table",
            "not_elf": "invalid ELF header",
        }.items():
            with self.subTest(name):
                path = f"{FIXTURES}/{name}.so"
                self.assertTrue(pathlib.Path(path).exists())
                run = host(path, "{}", "1")
                self.assertEqual(run.returncode, 1)
                self.assertIn(path, run.stderr)
                self.assertIn(why, run.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
