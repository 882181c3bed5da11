#!/usr/bin/env python3
"""validate_test.py ISSUER_HOST FIXTURES_DIR MINIMAL_PLUGIN.so

`issuer-host validate` finds each fault, names it, and finds nothing where there is none.
"""
import concurrent.futures
import json
import subprocess
import sys
import tempfile
import unittest

HOST, FIXTURES, MINIMAL = sys.argv[1:]

# Which checks fail. A fault may show twice: a thread that is left behind is there after stop and after fifty lives.
FAULTS = {
    "lends": [], "foresees_an_end": [],
    "answers_from_a_visit": ["refuses-calls-from-a-visit"],
    "answers_from_a_finding": ["refuses-calls-from-a-finding"],
    "lends_after_the_diagnosis": ["lends-during-a-diagnosis"],
    "good": [], "good_next": [], "grown": [], "never_unload": [],
    "not_elf": ["is-a-shared-object"],
    "empty": ["is-a-shared-object"],
    "truncated": ["is-a-shared-object"],
    "other_architecture": ["is-a-shared-object"],
    "missing_symbol": ["exports-the-table"],
    "exports_more": ["exports-nothing-else"],
    "major_2": ["speaks-version-1"],
    "short_struct": ["table-is-whole"],
    "null_slot": ["slots-are-set"],
    "null_descriptor": ["has-a-descriptor"],
    "not_utf8": ["descriptor-is-utf8"],
    "wandering_version": ["version-fits-a-path"],
    "bad_schema": ["schema-is-json"],
    "takes_nonsense": ["refuses-what-is-no-configuration"],
    "create_fails": ["creates-an-instance"],
    "opens_in_create": ["creates-quietly"],
    "start_fails": ["starts"],
    "start_unavailable": [],  # not its fault: the rest is skipped, with a warning
    "stop_times_out": ["stops"],
    "stops_late": ["stops"],
    "destroys_running": ["destroy-while-running-is-busy"],
    "leaves_thread": ["stop-leaves-no-thread", "lives-often-without-a-trace"],
    "keeps_recorder": ["set-recorder-is-a-barrier"],
    "tells_one_by_one": ["blocked-recorders-delay-no-other"],
    "answers_from_inside": ["refuses-calls-from-record"],
    "import_fails": ["hands-over-to-itself"],
    "takes_signals": ["threads-block-signals"],
    "tiny_stack": ["callbacks-have-a-stack"],
    "handles_signal": ["leaves-the-process-alone"],
    "inherits_file": ["files-are-close-on-exec"],
    "leaks_file": ["leaves-no-file-open", "lives-often-without-a-trace"],
    "holds_itself": ["unloads", "lives-often-without-a-trace"],
    "dies_at_exit": ["exits-without-stop"],
}


class Validate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.config = tempfile.NamedTemporaryFile("w", suffix=".json")
        cls.config.write("{}")
        cls.config.flush()

    @classmethod
    def tearDownClass(cls):
        cls.config.close()

    def validate(self, plugin, *arguments):
        return subprocess.run([HOST, "validate", plugin, *arguments], capture_output=True, text=True, timeout=100)

    def verdicts(self, plugin, *arguments):
        run = self.validate(plugin, "--json", *arguments)
        checks = json.loads(run.stdout)["checks"]
        self.assertEqual(run.returncode, sum(check["verdict"] == "fail" for check in checks))
        return {check["name"]: (check["verdict"], check["text"]) for check in checks}

    def test_each_fault_fails_the_check_that_names_it_and_no_other(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = {name: pool.submit(self.verdicts, f"{FIXTURES}/{name}.so", "--config", self.config.name)
                    for name in FAULTS}
        for name, faults in FAULTS.items():
            with self.subTest(name):
                verdicts = runs[name].result()
                failed = {check: text for check, (verdict, text) in verdicts.items() if verdict == "fail"}
                self.assertEqual(sorted(failed), sorted(faults), failed)
                self.assertTrue(all(failed.values()), "a failure says what was found")

    def test_the_example_keeps_every_promise(self):
        verdicts = self.verdicts(MINIMAL)
        self.assertEqual([v for v in verdicts.items() if v[1][0] == "fail"], [])
        self.assertEqual(verdicts["stop-keeps-its-time"][0], "pass")
        self.assertEqual(verdicts["lives-often-without-a-trace"][0], "pass")

    def test_what_cannot_be_asked_says_what_it_needs(self):
        verdicts = self.verdicts(f"{FIXTURES}/major_2.so")
        self.assertEqual(verdicts["unloads"], ("skip", "see speaks-version-1"))
        verdicts = self.verdicts(f"{FIXTURES}/create_fails.so")
        self.assertEqual(verdicts["creates-an-instance"][0], "skip")
        self.assertIn("needs --config FILE", verdicts["creates-an-instance"][1])
        verdicts = self.verdicts(f"{FIXTURES}/start_unavailable.so")
        self.assertEqual(verdicts["starts"][0], "warn")
        self.assertEqual(verdicts["unloads"], ("skip", "see starts"))

    def test_one_check_alone_tells_the_same(self):
        run = self.validate(f"{FIXTURES}/takes_signals.so", "--only", "threads-block-signals")
        self.assertEqual(run.returncode, 1)
        self.assertIn("a thread of it does not block SIGHUP, SIGINT", run.stdout)
        self.assertEqual(self.validate(MINIMAL, "--only", "no-such-check").returncode, 64)

    def test_a_configuration_may_come_from_a_pipe(self):
        run = subprocess.run([HOST, "validate", MINIMAL, "--config", "/dev/stdin"], input="{}", capture_output=True,
                             text=True, timeout=100)
        self.assertEqual(run.returncode, 0, run.stdout)

    def test_the_checks_can_be_listed(self):
        listed = self.validate("--list").stdout.splitlines()
        self.assertGreater(len(listed), 50)
        for line in listed:
            self.assertRegex(line, r"^[a-z0-9.-]+ +\S.*\.$")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
