"""Shared by the tests of operators' tools: a fake Vault, and issuer-host as it is installed, with the Vault plugin."""
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request

from told import GENEROUS, wait_for

HOST, PLUGIN, FAKE_VAULT = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:4])


class Vault:
    def __init__(self):
        self.process = subprocess.Popen([FAKE_VAULT, "--root-token", "root"], stdout=subprocess.PIPE, text=True)
        self.address = re.search(r"http://\S+", self.process.stdout.readline())[0]

    def ask(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"X-Vault-Token": "root"}, method=method)
        with urllib.request.urlopen(request, timeout=GENEROUS) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def token(self, **options):
        return self.ask("/v1/auth/token/create", options)["auth"]["client_token"]

    def close(self):
        self.process.terminate()
        self.process.stdout.close()
        self.process.wait(GENEROUS)


class Host:
    """A host that runs; its lines are read all the time, so that it never waits for its reader."""

    def __init__(self, folder, issuers, more=(), environment=None, arguments=()):
        self.config = folder / "host.json"
        self.control = folder / "control.sock"
        self.write(issuers, more)
        self.lines = []
        self.process = subprocess.Popen([HOST, "run", "--config", self.config, *arguments], stdout=subprocess.PIPE,
                                        text=True, env=environment)
        self._reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")))
        self._reader.start()

    def write(self, issuers, more=()):
        """Its configuration, also anew for a reload."""
        self.config.write_text(json.dumps({"issuers": issuers, "control": str(self.control), **dict(more)}))

    def says(self, *texts):
        """The first line that has all of these."""
        try:
            return wait_for(lambda: next((line for line in list(self.lines) if all(text in line for text in texts)), None),
                            f"the host says {texts}")
        except AssertionError as error:
            raise AssertionError("".join([str(error), "\n", *self.lines[-20:]])) from None

    def ask(self, *command, **options):
        return subprocess.run([HOST, command[0], "--control", self.control, *command[1:]], text=True,
                              capture_output=True, timeout=GENEROUS, check=False, **options)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(GENEROUS)
        self._reader.join()
        self.process.stdout.close()
        return code


class Operated:
    """Mixed into a test case: each test has a folder and a Vault of its own, and a host once it runs one."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="issuer-operated-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.vault = Vault()
        self.addCleanup(self.vault.close)

    def put_token(self, **options):
        """A new token in the place of the one before, as a person would put it there."""
        fresh = self.folder / "token.next"
        fresh.write_text(self.vault.token(**options))
        fresh.rename(self.folder / "token")

    def issuer(self, name="team-a", **config):
        return {"name": name, "plugin": PLUGIN, "config": {
            "address": self.vault.address, "token": {"file": str(self.folder / "token")}, "startup": "background", **config}}

    def run_host(self, issuers, **options):
        host = Host(self.folder, issuers, **options)
        self.addCleanup(lambda: host.process.poll() is None and host.process.kill())
        return host
