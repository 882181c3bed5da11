#!/usr/bin/env python3
"""validate_test.py ISSUER_HOST FIXTURES_DIR MINIMAL_PLUGIN.so [CHECK... | --table]

`issuer-host validate` finds each fault, names it, and finds nothing where there is none: for each of its checks there
are plugins that break what it asks for, and nothing else. With names of checks, only these are asked for their own
faults; --table prints what was found of each plugin.
"""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HOST, FIXTURES, MINIMAL, *ONLY = sys.argv[1:]

# For each check the plugins that break its promise: a way for breaker.so, which is the rest of ISSUER_BREAKS, or the
# library of another fixture; and a part of what is said of it. "warn: …" where the fault is allowed, and not wise.
BROKEN = {
    "is-out-of-others-reach": {"everybody_may_write.so": "warn: a host refuses it where it lies"},
    "is-a-shared-object": {
        "not_elf.so": "not an ELF", "empty.so": "", "truncated.so": "truncated", "other_architecture.so": "machine"},
    "exports-the-table": {"missing_symbol.so": "it exports no issuer_lifecycle_v1"},
    "exports-nothing-else": {"exports_more.so": "it exports helper"},
    "has-no-unique-symbols": {"unique_symbol.so": "issuer_lifecycle_v0 is a UNIQUE symbol"},
    "loads": {"lacks_a_symbol.so": "symbolOfNobody"},
    "loads-quietly": {"": "loading it opens a file"},
    "keeps-the-signal-mask": {"": "warn: loading it changes which signals"},
    "speaks-version-1": {"": "abi_major is 2", "major_2.so": "abi_major is 2"},
    "table-is-whole": {"": "struct_size", "short_struct.so": "struct_size"},
    "slots-are-set": {"": "stop", "null_slot.so": "stop"},
    "has-a-descriptor": {
        ":none": "the descriptor is NULL", ":name": "id, name or version is NULL", ":size": "struct_size is 8",
        "null_descriptor.so": "the descriptor is NULL"},
    "descriptor-is-utf8": {"": "name is not UTF-8", "not_utf8.so": "name is not UTF-8"},
    "id-names-its-owner": {"": "warn: the id \"breaker\""},
    "version-fits-a-path": {
        ":separator": "\"../1.0.0\" cannot be part of a path", ":dots": "\"..\" cannot be part of a path"},
    "schema-is-json": {":other": "config_schema is not a JSON object", ":none": "warn: it has no config_schema"},
    "unknown-extension-is-null": {"": "it offers \"issuer.health/999\""},
    "known-extensions-are-whole": {
        f":{name}": f"the table of issuer.{name}/1 is too short"
        for name in ("health", "control", "handover", "credential", "diagnose", "secrets")},
    "refuses-what-is-no-configuration": {
        "": "answers ISSUER_OK", ":out": "leaves *out other than NULL", ":error-code": "leaves error.code other",
        ":message-end": "without its end", ":message-line": "not one line",
        ":half": "warn: create takes a JSON text that ends in its middle"},
    "refuses-without-an-error-struct": {"": "dies of SIGABRT"},
    "creates-an-instance": {
        ":refuses": "create answers ISSUER_E_INTERNAL", ":gives-none": "leaves *out NULL",
        "create_fails.so": "this fixture refuses every configuration"},
    "creates-quietly": {"": "create opens a file"},
    "creates-for-a-host-of-1.0": {"": "create for a host of 1.0 answers ISSUER_E_INVALID"},
    "stop-of-a-fresh-one-is-ok": {"": "that was never started answers ISSUER_E_STATE"},
    "starts": {"": "start answers ISSUER_E_INTERNAL", "start_unavailable.so": "warn: its server does not answer"},
    "stops": {"": "stop answers ISSUER_E_TIMEOUT", "stops_late.so": "stop answers ISSUER_E_TIMEOUT"},
    "start-twice-is-once": {"": "start of a running instance answers ISSUER_E_STATE"},
    "stop-twice-is-once": {"": "stop of a stopped instance answers ISSUER_E_STATE"},
    "starts-again": {"": "start after three stops answers ISSUER_E_INTERNAL"},
    "destroy-while-running-is-busy": {"": "destroy of a running instance answers ISSUER_OK"},
    "stop-leaves-no-thread": {"": "1 thread of it still there"},
    "stop-keeps-its-time": {
        ":start": "start while a stop is unfinished answers ISSUER_OK",
        ":destroy": "destroy while a stop is unfinished answers ISSUER_E_STATE",
        ":late": "ms where 100 were given", ":little-late": "warn: the contract allows 50 more"},
    "instances-are-strangers": {"": "while another was stopped answers ISSUER_E_STATE"},
    "events-are-whole": {
        ":detail": "not one line of UTF-8", ":size": "an event's struct_size is", ":time": "does not say when",
        ":attempt": "no result or no attempt", ":login": "a login that has ended has no attempt", ":result": "a change of state has a result"},
    "stop-ends-the-callbacks": {"": "1 event recorded after stop had returned"},
    "set-recorder-is-a-barrier": {
        ":keeps": "recorded by a recorder that had been replaced",
        ":overtakes": "set_recorder returned while the recorder before was running"},
    "blocked-recorders-delay-no-other": {"": "an instance that starts records nothing while"},
    "refuses-calls-from-record": {"": "set_recorder from inside record answers ISSUER_E_STATE"},
    "refuses-calls-from-log": {"": "set_recorder from inside log answers ISSUER_E_STATE"},
    "refuses-calls-from-a-visit": {"": "set_recorder from inside a visit answers ISSUER_E_STATE"},
    "findings-are-whole": {
        "foresees_an_end.so": "a finding's text is not one line of UTF-8: capped: dies on Thursday",
        ":size": "diagnose: a finding's struct_size is", ":topic": "diagnose_login: a finding has no topic or no text",
        ":login": "diagnose_login: a finding's text is not one line of UTF-8",
        ":none": "diagnose answers ISSUER_OK and has found nothing"},
    "diagnoses-in-time": {
        ":late": "diagnose takes 2", ":login-late": "diagnose_login takes 2",
        ":login-refuses": "diagnose_login answers ISSUER_E_INTERNAL",
        ":running": "diagnose of a running instance answers ISSUER_OK",
        ":login-running": "diagnose_login of a running instance answers ISSUER_OK"},
    "refuses-calls-from-a-finding": {
        "": "set_recorder from inside a finding answers ISSUER_E_STATE",
        ":login": "set_recorder from inside a finding of a login answers ISSUER_E_STATE"},
    "lends-during-a-diagnosis": {"": "use on another thread waits for a diagnosis"},
    "health-answers-in-every-state": {
        ":running": "that runs answers ISSUER_E_STATE", ":stopped": "is not ISSUER_STATE_STOPPED",
        ":size": "does not say how much it filled"},
    "health-writes-no-further": {
        ":bytes": "writes further than the caller's struct_size", ":size": "more than there was room for"},
    "control-needs-a-running-one": {
        ":stopped": "of an instance that does not run answers ISSUER_OK",
        ":running": "credential_changed answers ISSUER_E_STATE"},
    "hands-over-to-itself": {
        ":refuses": "import_state of a state that the same version exported answers ISSUER_E_INVALID",
        ":export-running": "export_state of a running instance answers ISSUER_OK",
        ":import-running": "import_state of a running instance answers ISSUER_OK",
        ":twice": "export_state calls write 2 times"},
    "gives-its-state-while-it-runs": {
        ":running": "snapshot_state while it runs answers ISSUER_E_STATE",
        ":refused": "import_state of a state taken while the other one runs answers ISSUER_E_INVALID",
        ":twice": "3 calls of snapshot_state call write 6 times"},
    "refuses-a-damaged-state": {"": "import_state of «» answers ISSUER_OK"},
    "lends-the-credential-once": {
        ":twice": "use calls visit 2 times", ":empty": "use lends an empty credential",
        ":denies": "use calls visit, and answers that there is no credential"},
    "keeps-its-secret": {
        ":event": "the credential, or what it lends, appears", ":log": "the credential, or what it lends, appears",
        ":state": "the credential, or what it lends, appears in an event",
        ":lent": "the credential, or what it lends, appears in an event"},
    "lends-its-secrets-once": {
        ":running": "lend of a running instance answers ISSUER_OK", ":twice": "lend calls visit 2 times",
        ":denies": "lend calls visit 1 times and answers ISSUER_E_UNAVAILABLE",
        ":forgets": "lend of one that has lent answers ISSUER_E_UNAVAILABLE"},
    "takes-what-was-lent": {
        ":refuses": "take of what the same version lent answers ISSUER_E_INVALID",
        ":running": "take of a running instance answers ISSUER_OK",
        ":keeps": "did it keep a pointer instead of a copy?",
        ":loses": "lend of one that has taken and was not started answers ISSUER_E_UNAVAILABLE"},
    "refuses-damaged-secrets": {"": "take of «» answers ISSUER_OK"},
    "refuses-calls-from-a-lend": {"": "set_recorder from inside a visit of lend answers ISSUER_E_STATE"},
    "threads-block-signals": {"": "a thread of it does not block SIGHUP, SIGINT"},
    "callbacks-have-a-stack": {"": "KiB of free stack; the contract promises 1024"},
    "files-are-close-on-exec": {"": "/dev/null would be inherited"},
    "leaves-the-process-alone": {
        ":handler": "installs a signal handler", ":environment": "changes the environment",
        ":umask": "changes the umask", ":locale": "changes the locale", ":directory": "changes the working directory"},
    "leaves-no-file-open": {"": "five starts and stops leave 5 descriptors open"},
    "unloads": {"": "still in memory after dlclose", "never_unload.so": "warn: it says ISSUER_F_NEVER_UNLOAD"},
    "lives-often-without-a-trace": {"": "50 more descriptors after 50 lives"},
    "exits-without-stop": {"": "host 1 of 20 dies of SIGABRT"},
    "survives-close-without-stop": {"": "warn: host 1 of 20 dies of SIGABRT"},
}
# Checks that fail together: the fault of one is a fault of the other.
ALSO = {"unloads": "lives-often-without-a-trace", "exits-without-stop": "survives-close-without-stop",
        "hands-over-to-itself": "gives-its-state-while-it-runs", "diagnoses-in-time": "findings-are-whole"}
# Plugins without a fault.
GOOD = ["good.so", "good_next.so", "grown.so", "warns_in_passing.so", "breaker.so"]


def run(plugin, *arguments, breaks=""):
    environment = dict(os.environ, ISSUER_BREAKS=breaks)
    return subprocess.run([HOST, "validate", plugin, *arguments], capture_output=True, text=True, timeout=100,
                          env=environment)


class Validate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.temp.name)
        cls.config = folder / "config.json"
        cls.config.write_text("{}")
        cls.written = folder / "everybody_may_write.so"
        shutil.copy(f"{FIXTURES}/breaker.so", cls.written)
        cls.written.chmod(0o777)

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def verdicts(self, plugin, *arguments, breaks=""):
        done = run(plugin, "--json", *arguments, breaks=breaks)
        checks = json.loads(done.stdout)["checks"]
        self.assertEqual(done.returncode, sum(check["verdict"] == "fail" for check in checks))
        return {check["name"]: (check["verdict"], check["text"]) for check in checks}

    def findings(self, check, way, *arguments):
        """Returns the checks that a plugin broken in this way does not pass, each with its verdict and text."""
        library = self.written if way == self.written.name else \
            f"{FIXTURES}/{way if way.endswith('.so') else 'breaker.so'}"
        breaks = "" if way.endswith(".so") else check + way
        found = self.verdicts(library, "--config", self.config, *arguments, breaks=breaks)
        # The folders of this tree decide which users may write there; a busy machine decides how long 50 ms are, and how
        # many pages of a library are resident. The other fixtures do not pin themselves while they run.
        elsewhere = ["is-out-of-others-reach", "stop-keeps-its-time", "lives-often-without-a-trace", ALSO.get(check)]
        elsewhere += ["survives-close-without-stop"] if way.endswith(".so") and way != "breaker.so" else []
        return {name: f"warn: {text}" if verdict == "warn" else text for name, (verdict, text) in found.items()
                if (name == check and verdict in ("fail", "warn")) or
                (verdict == "fail" and name != ALSO.get(check)) or (verdict == "warn" and name not in elsewhere)}

    def assertFound(self, check, way, findings):
        self.assertEqual([check], list(findings), findings)
        expected = BROKEN[check][way]
        self.assertEqual(expected.startswith("warn: "), findings[check].startswith("warn: "), findings)
        self.assertIn(expected.removeprefix("warn: "), findings[check])

    def test_each_check_finds_what_breaks_its_promise_and_no_other_does(self):
        arguments = (lambda check: ("--only", check)) if NAMED else (lambda check: ())
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            runs = {(check, way): pool.submit(self.findings, check, way, *arguments(check))
                    for check, ways in BROKEN.items() for way in ways if not NAMED or check in NAMED}
        for (check, way), found in runs.items():
            with self.subTest(f"{check}{way}"):
                if TABLE:
                    name = way if way.endswith(".so") else f"breaker.so {check}{way}"
                    print(f"{check:33}{name:54}{'; '.join(found.result().values())[:90]}")
                self.assertFound(check, way, found.result())

    @unittest.skipIf(ONLY, "only the faults of some checks are asked for")
    def test_each_check_can_fail(self):
        listed = [line.split()[0] for line in run("--list").stdout.splitlines()]
        self.assertGreater(len(listed), 50)
        self.assertEqual(listed, [check for check in listed if BROKEN.get(check)], "a check that no plugin fails")
        self.assertEqual(sorted(listed), sorted(BROKEN))

    @unittest.skipIf(ONLY, "only the faults of some checks are asked for")
    def test_nothing_is_found_where_there_is_nothing(self):
        for name in GOOD:
            with self.subTest(name):
                self.assertEqual(self.findings("", name), {})

    @unittest.skipIf(ONLY, "only the faults of some checks are asked for")
    def test_the_example_keeps_every_promise(self):
        verdicts = self.verdicts(MINIMAL)
        self.assertEqual([v for v in verdicts.items() if v[1][0] == "fail"], [])
        self.assertEqual(verdicts["stop-keeps-its-time"][0], "pass")
        self.assertEqual(verdicts["lives-often-without-a-trace"][0], "pass")

    @unittest.skipIf(ONLY, "only the faults of some checks are asked for")
    def test_what_cannot_be_asked_says_what_it_needs(self):
        verdicts = self.verdicts(f"{FIXTURES}/major_2.so")
        self.assertEqual(verdicts["unloads"], ("skip", "see speaks-version-1"))
        verdicts = self.verdicts(f"{FIXTURES}/create_fails.so")
        self.assertEqual(verdicts["creates-an-instance"][0], "skip")
        self.assertIn("needs --config FILE", verdicts["creates-an-instance"][1])
        verdicts = self.verdicts(f"{FIXTURES}/start_unavailable.so")
        self.assertEqual(verdicts["starts"][0], "warn")
        self.assertEqual(verdicts["unloads"], ("skip", "see starts"))

    @unittest.skipIf(ONLY, "only the faults of some checks are asked for")
    def test_one_check_alone_tells_the_same(self):
        done = run(f"{FIXTURES}/breaker.so", "--only", "threads-block-signals", breaks="threads-block-signals")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a thread of it does not block SIGHUP, SIGINT", done.stdout)
        self.assertEqual(run(MINIMAL, "--only", "no-such-check").returncode, 64)

    @unittest.skipIf(ONLY, "only the faults of some checks are asked for")
    def test_a_configuration_may_come_from_a_pipe(self):
        done = subprocess.run([HOST, "validate", MINIMAL, "--config", "/dev/stdin"], input="{}", capture_output=True,
                              text=True, timeout=100)
        self.assertEqual(done.returncode, 0, done.stdout)

    @unittest.skipIf(ONLY, "only the faults of some checks are asked for")
    def test_the_checks_can_be_listed(self):
        for line in run("--list").stdout.splitlines():
            self.assertRegex(line, r"^[a-z0-9.-]+ +\S.*\.$")


TABLE = ONLY == ["--table"]
NAMED = [] if TABLE else ONLY

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
