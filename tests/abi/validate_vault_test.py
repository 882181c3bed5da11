#!/usr/bin/env python3
"""validate_vault_test.py ISSUER_HOST VAULT_PLUGIN.so FAKE_VAULT HOSTS

The Vault plugin keeps every promise that `issuer-host validate` can ask for, with renewals over TLS; and of so many
hosts that end without stopping it, or that unload it without stopping it, all end cleanly.
"""
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.request

HOST, PLUGIN, FAKE_VAULT, HOSTS = sys.argv[1:]
HOSTS_PER_CHECK = 20
LENDING = ("lends-its-secrets-once", "takes-what-was-lent", "refuses-calls-from-a-lend")


class VaultPlugin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temp.name)
        cls.vault = subprocess.Popen([FAKE_VAULT, "--tls-dir", cls.folder], stdout=subprocess.PIPE, text=True)
        words = cls.vault.stdout.readline().split()
        address, root = words[2], words[-1]
        context = ssl.create_default_context(cafile=cls.folder / "ca.pem")
        request = urllib.request.Request(f"{address}/v1/auth/token/create", data=b'{"ttl": "1h"}',
                                         headers={"X-Vault-Token": root})
        with urllib.request.urlopen(request, context=context) as reply:
            token = json.load(reply)["auth"]["client_token"]
        cls.config = cls.folder / "config.json"
        cls.config.write_text(json.dumps({"address": address, "token": {"value": token},
                                          "tls": {"ca_file": str(cls.folder / "ca.pem")}}))

    @classmethod
    def tearDownClass(cls):
        cls.vault.terminate()
        cls.vault.communicate()
        cls.temp.cleanup()

    def verdicts(self, *arguments):
        run = subprocess.run([HOST, "validate", PLUGIN, "--config", self.config, "--json", *arguments],
                             capture_output=True, text=True, timeout=200)
        return {check["name"]: (check["verdict"], check["text"]) for check in json.loads(run.stdout)["checks"]}

    def test_keeps_every_promise(self):
        others = {name: verdict for name, verdict in self.verdicts().items() if verdict[0] != "pass"}
        # The build's folder may be writable by others; an installed plugin's is not.
        others.pop("is-out-of-others-reach", None)
        # With a token in the configuration there is nothing that a successor could not read itself.
        nothing = ("skip", "with this configuration it has nothing to lend")
        self.assertEqual(others, {name: nothing for name in LENDING})

    def test_a_host_may_end_at_any_moment(self):
        for _ in range(int(HOSTS) // HOSTS_PER_CHECK):
            for check in ("exits-without-stop", "survives-close-without-stop"):
                self.assertEqual(self.verdicts("--only", check)[check], ("pass", ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
