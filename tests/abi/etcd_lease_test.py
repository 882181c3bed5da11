#!/usr/bin/env python3
"""etcd_lease_test.py ISSUER_HOST ETCD_LEASE.so ETCD

The example plugin of another kind of server, against a real etcd: it keeps a lease alive, through an outage too, has a
lost one granted again, stops while a request hangs, and keeps the contract's promises.
"""
import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

HOST, PLUGIN, ETCD = sys.argv[1:]
LEASE = "4242424242"
PATIENCE = 60


class Lines:
    """Reads the output of a program line by line, as it comes."""

    def __init__(self, stream):
        self._lines, self._changed, self._ended = [], threading.Condition(), False
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def _read(self, stream):
        for line in stream:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def count(self, text):
        with self._changed:
            return sum(text in line for line in self._lines)

    def wait_for(self, text, times=1):
        enough = lambda: sum(text in line for line in self._lines) >= times  # noqa: E731
        with self._changed:
            self._changed.wait_for(lambda: enough() or self._ended, PATIENCE)
            if not enough():
                raise AssertionError(f"no {times} × «{text}» in:\n{''.join(self._lines)}")


class Etcd:
    """A server of its own on this machine. (The gateway of etcd 3.4 cannot bear port 0: a free one is looked for.)"""

    def __init__(self, folder):
        for attempt in range(10):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
            self.process = subprocess.Popen(
                [ETCD, "--data-dir", f"{folder}/{attempt}", "--listen-client-urls", self.url,
                 "--advertise-client-urls", self.url, "--listen-peer-urls", "http://127.0.0.1:0"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.lines = Lines(self.process.stdout)
            try:
                self.lines.wait_for("ready to serve client requests")
                return
            except AssertionError:
                self.end()
                if self.lines.count("address already in use") == 0:
                    raise

    def ask(self, path, **request):
        try:
            with urllib.request.urlopen(f"{self.url}/v3/{path}", json.dumps(request).encode(), PATIENCE) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def seconds_left(self):
        return int(self.ask("lease/timetolive", ID=LEASE).get("TTL", 0))

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class EtcdLease(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.etcd = Etcd(self.folder)
        self.addCleanup(self.etcd.end)

    def config(self, **more):
        return {"endpoint": self.etcd.url} | more

    def start_host(self, **config):
        file = self.folder / "host.json"
        file.write_text(json.dumps(
            {"issuers": [{"name": "lease", "plugin": PLUGIN, "config": self.config(**config)}]}))
        # The control socket is in a folder of its own, so that other tests' hosts do not meet this one.
        self.host = subprocess.Popen([HOST, "run", "--config", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True, env={"XDG_RUNTIME_DIR": str(self.folder)})
        self.addCleanup(self.host.stdout.close)
        self.addCleanup(self.host.wait)
        self.addCleanup(self.host.kill)
        return Lines(self.host.stdout)

    def run_host(self, **config):
        lines = self.start_host(lease_id=LEASE, **config)
        lines.wait_for(f"granted lease {LEASE}")
        return lines

    def end_host(self):
        self.host.terminate()
        self.assertEqual(self.host.wait(PATIENCE), 0)

    def test_keeps_every_promise(self):
        file = self.folder / "config.json"
        file.write_text(json.dumps(self.config(ttl_seconds=2)))
        run = subprocess.run([HOST, "validate", PLUGIN, "--config", file, "--json"],
                             capture_output=True, text=True, timeout=200)
        checks = json.loads(run.stdout)["checks"]
        self.assertEqual([check for check in checks if check["verdict"] not in ("pass", "skip")
                          and check["name"] != "is-out-of-others-reach"], [])

    def test_a_lease_outlives_its_own_length(self):
        lines = self.run_host(ttl_seconds=8)  # a busy machine may lose seconds
        lines.wait_for("extended lease", 3)  # at half of its life each: more than one length
        self.assertGreater(self.etcd.seconds_left(), 0)
        self.assertEqual(lines.count("granted lease"), 1)
        self.end_host()
        self.assertGreater(self.etcd.seconds_left(), 0)  # a stop leaves it to the successor

    def test_an_outage_within_the_lease_is_survived(self):
        lines = self.run_host(ttl_seconds=20, request_timeout_ms=100)
        self.etcd.hang()
        lines.wait_for("no answer in time", 2)
        self.etcd.go_on()
        lines.wait_for("extended lease")
        self.assertEqual(lines.count("granted lease"), 1)
        self.end_host()

    def test_a_lost_lease_is_granted_again(self):
        lines = self.run_host(ttl_seconds=8)
        self.etcd.ask("lease/revoke", ID=LEASE)
        lines.wait_for("no such lease")
        lines.wait_for("granted lease", 2)
        self.assertGreater(self.etcd.seconds_left(), 0)
        self.end_host()

    def test_a_stop_cuts_a_request_short_that_hangs(self):
        lines = self.run_host(ttl_seconds=8, request_timeout_ms=60_000)
        lines.wait_for("extended lease")
        self.etcd.hang()
        self.end_host()  # with the code of an end in time; a request may last 2 s
        self.etcd.go_on()

    def test_a_wrong_configuration_is_told_by_its_key(self):
        for wrong, key in [({"ttl_seconds": 1}, "ttl_seconds"), ({"endpoint": "ftp://x"}, "endpoint"),
                           ({"lease_id": "x"}, "lease_id"), ({"ttl": 5}, "ttl")]:
            with self.subTest(key):
                self.start_host(**wrong).wait_for(f"{key}: ")
                self.host.kill()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
