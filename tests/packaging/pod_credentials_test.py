#!/usr/bin/env python3
"""pod_credentials_test.py SOURCE_DIR HOST PLUGIN FAKE_VAULT: the host with the configuration of packaging/kubernetes, its
credentials laid out and replaced as the kubelet does it: files are links into ..data, and ..data is a link that moves."""
import json
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.request

SOURCE, HOST, PLUGIN, FAKE_VAULT = pathlib.Path(sys.argv[1]), *sys.argv[2:]
HEALTHZ = SOURCE / "packaging/container/healthz"


class Projected:
    """A projected volume as the kubelet writes it."""

    def __init__(self, folder):
        self.folder = folder
        self.generation = 0

    def write(self, **files):
        self.generation += 1
        data = self.folder / f"..2026_01_01_00_00_00.{self.generation}"
        data.mkdir()
        for name, content in files.items():
            (data / name).write_text(content)
            (data / name).chmod(0o440)
            if self.generation == 1:
                (self.folder / name).symlink_to(f"..data/{name}")
        link = self.folder / "..data_tmp"
        link.symlink_to(data.name)
        former = self.folder / "..data"
        before = former.resolve() if former.is_symlink() else None
        link.rename(former)
        if before:  # the kubelet removes it at once
            for file in before.iterdir():
                file.unlink()
            before.rmdir()


class PodCredentials(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def spawn(self, *command):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    def start_vault(self):
        vault = self.spawn(FAKE_VAULT, "--root-token", "root", "--tls-dir", self.folder)
        self.address = re.search(r"https://\S+", vault.stdout.readline())[0]
        self.authority = (self.folder / "ca.pem").read_text()

    def ask(self, path, body=None):
        request = urllib.request.Request(self.address + path, body, {"X-Vault-Token": "root"})
        context = ssl.create_default_context(cadata=self.authority)
        return json.load(urllib.request.urlopen(request, context=context))

    def new_token(self):
        return self.ask("/v1/auth/token/create", b'{"ttl":"1h"}')["auth"]["client_token"]

    def wait_for(self, host, *texts):
        for line in host.stdout:
            if all(text in line for text in texts):
                return line
        self.fail(f"the host ended before it said {texts}")

    def test_are_used_as_soon_as_they_are_replaced(self):
        self.start_vault()
        secrets = self.folder / "secrets"
        secrets.mkdir()
        projected = Projected(secrets)
        projected.write(**{"vault-token": self.new_token(), "vault-ca.pem": self.authority})
        config = json.loads((SOURCE / "packaging/kubernetes/host.json").read_text())
        issuer, = config["issuers"]
        issuer["plugin"] = PLUGIN
        issuer["config"]["address"] = self.address
        for group, key in (("token", "file"), ("tls", "ca_file")):
            path = pathlib.PurePath(issuer["config"][group][key])
            issuer["config"][group][key] = str(secrets / path.name)
        config["http"]["listen"] = "127.0.0.1:0"
        file = self.folder / "host.json"
        file.write_text(json.dumps(config))

        host = self.spawn(HOST, "run", "--config", file, "--log-format", "json", "--control", "none")
        port = re.search(r"http://127.0.0.1:(\d+)", self.wait_for(host, "the status page is at"))[1]
        self.wait_for(host, '"state":"active"')
        self.assertEqual(subprocess.run([HEALTHZ, port]).returncode, 0)

        projected.write(**{"vault-token": self.new_token(), "vault-ca.pem": self.authority})
        self.wait_for(host, '"reason":"credential_changed"', '"state":"active"')
        host.terminate()
        self.assertEqual(host.wait(60), 0)
        self.assertNotEqual(subprocess.run([HEALTHZ, port], stderr=subprocess.DEVNULL).returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
