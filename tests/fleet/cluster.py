"""Shared by the tests of fleets: etcd members, hosts and a fake Vault as real processes on loopback, links between them
that can swallow all bytes, and a judgement by the fake Vault's own log."""
import base64
import collections
import json
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zlib

PATIENCE_S = 60


def wait_for(condition, what, limit_s=PATIENCE_S, pause_s=0.1):
    """Returns the first true value of the condition."""
    until = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"after {limit_s} s it has not come: {what}")
        time.sleep(pause_s)


def free_ports(count):
    """Returns ports at which nothing listens. etcd cannot be asked to choose its own."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Process:
    """A program whose lines are read all the time, so that it never waits for its reader."""

    def __init__(self, command, environment=None):
        self.lines = []
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env=environment)
        self._reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")))
        self._reader.start()

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGKILL, limit_s=PATIENCE_S):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(limit_s)
        self._reader.join()
        self.process.stdout.close()
        return code


class Link:
    """A TCP proxy between two processes. While it swallows, all connections stay open and nothing arrives."""

    def __init__(self, target):
        self.target = target
        self._flows = threading.Event()
        self._flows.set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.getsockname()[1]
        self._over = False
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self):
        self._flows.clear()

    def flow(self):
        self._flows.set()

    def close(self):
        self._over = True
        self._flows.set()
        self._server.close()

    def _accept(self):
        while not self._over:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        host, port = self.target.split(":")
        far = None
        try:
            self._flows.wait()
            far = socket.create_connection((host, int(port)), 5)
            ends = {near: far, far: near}
            while not self._over:
                ready, _, _ = select.select(list(ends), [], [])
                self._flows.wait()  # while it swallows, nothing is read
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)
        except OSError:
            pass
        finally:
            for end in (near, far):
                if end is not None:
                    end.close()


class Etcd:
    """A cluster of etcd members without TLS."""

    def __init__(self, folder, size=3):
        ports = free_ports(2 * size)
        self._folder = folder
        self.endpoints = [f"127.0.0.1:{port}" for port in ports[:size]]
        self._peers = [f"http://127.0.0.1:{port}" for port in ports[size:]]
        self._running = [None] * size
        for i in range(size):
            self.start(i)
        try:
            self.awaits_quorum()
        except BaseException:
            self.close()
            raise

    def start(self, i):
        cluster = ",".join(f"etcd-{n}={peer}" for n, peer in enumerate(self._peers))
        url = f"http://{self.endpoints[i]}"
        self._running[i] = Process([
            "etcd", "--name", f"etcd-{i}", "--data-dir", self._folder / f"etcd-{i}", "--log-level", "error",
            "--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", self._peers[i],
            "--initial-advertise-peer-urls", self._peers[i], "--initial-cluster", cluster,
            "--initial-cluster-token", "issuer-fleet"])

    def kill(self, i):
        self._running[i].end()

    def leader(self):
        for i, endpoint in enumerate(self.endpoints):
            if self._running[i].process.poll() is None:
                status = self.ask("maintenance/status", {}, endpoint)
                if status["header"]["member_id"] == status["leader"]:
                    return i
        raise AssertionError("etcd has no leader")

    def ask(self, method, body, endpoint=None):
        request = urllib.request.Request(f"http://{endpoint or self.endpoints[0]}/v3/{method}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def _answers(self, endpoint):
        try:
            everything = base64.b64encode(b"\0").decode()
            return self.ask("kv/range", {"key": everything, "range_end": everything, "limit": "1"}, endpoint)
        except OSError:
            return None

    def awaits_quorum(self):
        wait_for(lambda: self._answers(self.endpoints[0]), "etcd has a quorum")

    def dump(self):
        """All keys and values, and what is deflated in them, as bytes."""
        everything = base64.b64encode(b"\0").decode()
        pairs = {}
        for pair in self.ask("kv/range", {"key": everything, "range_end": everything}).get("kvs", []):
            value = base64.b64decode(pair.get("value", ""))
            head, zero, packed = value.partition(b"\0")
            for bits in (15, -15, 31):
                try:
                    value = head + zero + zlib.decompress(packed, bits)
                    break
                except zlib.error:
                    pass
            pairs[base64.b64decode(pair["key"]).decode()] = value
        return pairs

    def close(self):
        for one in self._running:
            one.end()


class Vault:
    """The fake Vault."""

    def __init__(self, program):
        self._program = Process([program, "--root-token", "root"])
        line = wait_for(lambda: self._program.lines and self._program.lines[0], "the fake Vault says its address")
        self.address = re.search(r"http://(\S+)", line)[1]

    def ask(self, path, body=None, token="root"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data, {"X-Vault-Token": token})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def token(self, name, ttl_s):
        made = self.ask("/v1/auth/token/create", {"ttl": f"{ttl_s}s", "display_name": name})
        return made["auth"]["client_token"]

    def log(self):
        return self.ask("/fake/log")["requests"]

    def lives(self, token):
        try:
            self.ask("/v1/auth/token/lookup-self", token=token)
            return True
        except urllib.error.HTTPError:
            return False

    def close(self):
        self._program.end()


class Host:
    """issuer-host, with links of its own to etcd and to the Vault."""

    def __init__(self, fleet, name):
        self.name = name
        self.fleet = fleet
        self.folder = fleet.folder / name
        self.folder.mkdir()
        self.to_etcd = [Link(endpoint) for endpoint in fleet.etcd.endpoints]
        self.to_vault = Link(fleet.vault.address)
        self.config = self.folder / "host.json"
        self.write(fleet.names)
        self.start()

    def write(self, names):
        self.config.write_text(json.dumps({
            "control": str(self.folder / "c"), "stop_timeout": "5s",
            "fleet": {"name": "test", "member": self.name, "takeover": f"{self.fleet.takeover_s}s",
                      "etcd": {"endpoints": [f"http://{link.address}" for link in self.to_etcd]}},
            "issuers": [{"name": name, "plugin": str(self.fleet.plugin), "config": {
                "address": f"http://{self.to_vault.address}", "startup": "background",
                "token": {"file": str(self.fleet.folder / "tokens" / name)}}} for name in names]}))

    def start(self):
        self.process = Process([self.fleet.host, "run", "--config", self.config, "--log-level", "info"],
                               {"PATH": "/usr/bin:/bin", "STATE_DIRECTORY": str(self.folder)})

    def kept(self):
        """The number of issuers that it keeps, by its own status."""
        status = subprocess.run([self.fleet.host, "status", "--control", self.folder / "c", "--json"], text=True,
                                capture_output=True, timeout=PATIENCE_S, check=False)
        if status.returncode not in (0, 1) or not status.stdout.startswith("{"):
            return None
        counts = json.loads(status.stdout)["severities"]
        return sum(count for severity, count in counts.items() if severity != "elsewhere")

    def close(self):
        self.process.end()
        for link in [*self.to_etcd, self.to_vault]:
            link.close()


class Fleet:
    """Hosts that share issuers with tokens of short leases, three etcd, and one fake Vault."""

    def __init__(self, folder, host, plugin, fake_vault, issuers=60, hosts=3, ttl_s=20, takeover_s=2):
        self.folder = pathlib.Path(folder)
        self.host, self.plugin = host, plugin
        self.ttl_s, self.takeover_s = ttl_s, takeover_s
        self._started = []
        try:
            self._start(fake_vault, issuers, hosts)
        except BaseException:
            self.close()
            raise

    def _start(self, fake_vault, issuers, hosts):
        self.vault = Vault(fake_vault)
        self._started.append(self.vault)
        self.etcd = Etcd(self.folder)
        self._started.append(self.etcd)
        (self.folder / "tokens").mkdir()
        self.names = [f"issuer-{i:04}" for i in range(issuers)]
        self.tokens = {}
        for name in self.names:
            self.put_token(name)
        self.hosts = []
        for i in range(hosts):
            self.hosts.append(Host(self, f"host-{'abcdefg'[i]}"))
            self._started.append(self.hosts[-1])

    def put_token(self, name):
        self.tokens[name] = self.vault.token(name, self.ttl_s)
        (self.folder / "tokens" / name).write_text(self.tokens[name])

    def now(self):
        """The time of the fake Vault's log, in seconds."""
        log = self.vault.log()
        return log[-1]["at"] / 1000 if log else 0.0

    def renewals(self):
        """The times, in seconds, at which each token was renewed."""
        times = collections.defaultdict(list)
        for entry in self.vault.log():
            if entry["call"] == "renew-self" and entry["status"] == 200:
                times[entry["who"].removeprefix("token-")].append(entry["at"] / 1000)
        return times

    def look_ups(self):
        return sum(1 for entry in self.vault.log() if entry["call"] == "lookup-self")

    def await_renewed(self, since, names=None):
        """Waits until each token was renewed after `since`. Returns the last of these first times."""
        def last():
            times = self.renewals()
            first = [next((at for at in times.get(name, []) if at > since), None) for name in names or self.names]
            return max(first) if all(first) else None
        return wait_for(last, f"every token is renewed after {since}", limit_s=3 * self.ttl_s)

    def await_shared(self):
        """Waits until each issuer is kept by one host."""
        living = [host for host in self.hosts if host.process.process.poll() is None]

        def shared():
            counts = [host.kept() for host in living]
            return counts if None not in counts and sum(counts) == len(self.names) and 0 not in counts else None
        return wait_for(shared, "each issuer is kept by one host", pause_s=0.5)

    def least_left(self, since=0.0):
        """The least life that was left of any token when it was renewed."""
        return min(self.ttl_s - (late - early) for times in self.renewals().values()
                   for early, late in zip(times, times[1:]) if late > since)

    def dead(self):
        return [name for name, token in self.tokens.items() if not self.vault.lives(token)]

    def refusals(self):
        return [entry for entry in self.vault.log() if entry["status"] >= 400]

    def secrets_in_etcd(self):
        """The keys that hold a token, or a part of one."""
        return [key for key, value in self.etcd.dump().items() for token in self.tokens.values()
                if token[4:].encode() in value or token[4:] in key]

    def close(self):
        for one in reversed(self._started):
            one.close()


def have_etcd():
    return shutil.which("etcd") is not None
