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

    def ask(self, path, **body):
        """The answer to a request with the root token; a POST, if it has a body."""
        request = urllib.request.Request(self.address + "/v1/" + path, json.dumps(body).encode() if body else None,
                                         {"X-Vault-Token": self.root})
        with urllib.request.urlopen(request) as reply:
            text = reply.read()
            return json.loads(text) if text else None

    def token(self, **wish):
        return self.ask("auth/token/create", **wish)["auth"]["client_token"]

    def log(self):
        with urllib.request.urlopen(self.address + "/fake/log") as reply:
            return json.load(reply)["requests"]

    def run_host(self, token, events, *more):
        return self.run_host_with({"token": {"value": token}}, events, *more)

    def run_host_with(self, credential, events, *more):
        config = json.dumps({"address": self.address, **credential})
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

    def test_lends_the_token_of_a_login_to_its_successor(self):
        self.ask("sys/auth/approle", type="approle")
        self.ask("auth/approle/role/web", token_ttl="2s", token_max_ttl="1h", token_policies=["default"])
        role_id = self.ask("auth/approle/role/web/role-id")["data"]["role_id"]
        once = self.ask("auth/approle/role/web/secret-id", num_uses=1)["data"]["secret_id"]
        run = self.run_host_with({"auth": {"method": "approle", "role_id": {"value": role_id},
                                           "secret_id": {"value": once}}}, 8, NEXT)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertGreaterEqual(run.stdout.count("swapped to "), 3)
        self.assertNotIn("result=failure", run.stdout)
        calls = [entry["call"] for entry in self.log()]
        self.assertEqual(calls.count("auth/approle/login"), 1, "its successor had to log in")
        for secret in (role_id, once):
            self.assertNotIn(secret, run.stdout + run.stderr)

    def test_a_token_that_the_server_does_not_know_ends_the_start(self):
        run = self.run_host("s.nobodyKnowsThisTokenHere", 1)
        self.assertEqual(run.returncode, 1)
        self.assertIn("error 9: the first look-up did not succeed: the server does not accept the token", run.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
