#!/usr/bin/env python3
"""example_host_vault_test.py FAKE_VAULT VAULT_PLUGIN.so NEXT_BUILD.so HOST...

A host in another language keeps a lease alive with the built plugin, and swaps to the next build and back after each
renewal.
"""
import json
import re
import subprocess
import sys
import unittest
import urllib.request

FAKE_VAULT, PLUGIN, NEXT, *HOST = sys.argv[1:]
LIMIT = 60  # seconds; reached only when something hangs


class VaultPlugin(unittest.TestCase):
    def setUp(self):
        self.vault = subprocess.Popen([FAKE_VAULT], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        serving = re.search(r"serving (\S+) with root token (\S+)", self.vault.stdout.readline())
        self.address, self.root = serving.groups()

    def stop(self):
        self.vault.terminate()
        self.vault.communicate(timeout=LIMIT)

    def token(self, **wish):
        request = urllib.request.Request(self.address + "/v1/auth/token/create", json.dumps(wish).encode(),
                                         {"X-Vault-Token": self.root})
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)["auth"]["client_token"]

    def log(self):
        with urllib.request.urlopen(self.address + "/fake/log") as reply:
            return json.load(reply)["requests"]

    def run_host(self, token, events, *more):
        config = json.dumps({"address": self.address, "token": {"value": token}})
        return subprocess.run([*HOST, PLUGIN, config, str(events), *more], capture_output=True, text=True,
                              timeout=LIMIT)

    def test_lives_on_and_is_told_about(self):
        token = self.token(ttl="4s")
        run = self.run_host(token, 5)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        about, *events = run.stdout.splitlines()
        self.assertRegex(about, r"^plugin io\.issuer\.vault \d")
        renewals = [event for event in events if re.match(r"renewal state=active result=success", event)]
        self.assertGreaterEqual(len(renewals), 2)
        self.assertNotIn(token, run.stdout)

    def test_swaps_its_plugin_while_the_token_lives_on(self):
        run = self.run_host(self.token(ttl="2s"), 8, NEXT)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        builds = re.findall(r"^swapped to (\S+)$", run.stdout, re.MULTILINE)
        self.assertGreaterEqual(len(builds), 3)
        self.assertEqual(len(set(builds)), 2)
        self.assertGreaterEqual(run.stdout.count("renewal state=active result=success"), len(builds))
        self.assertNotIn("result=failure", run.stdout)
        calls = [entry["call"] for entry in self.log() if entry["who"] == "token"]
        self.assertEqual(calls.count("lookup-self"), 1, "its successor was not told what it knew")

    def test_a_token_that_the_server_does_not_know_ends_the_start(self):
        run = self.run_host("s.nobodyKnowsThisTokenHere", 1)
        self.assertEqual(run.returncode, 1)
        self.assertIn("error 9: the first look-up did not succeed: the server does not accept the token", run.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
