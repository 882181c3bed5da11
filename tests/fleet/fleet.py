"""Hosts that share issuers over a real etcd, and a fake Vault whose own log judges them: all real processes on loopback."""
import collections
import json
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

from etcd import Etcd
from link import Link
from processes import PATIENCE_S, Process, wait_for


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

    def __init__(self, fleet, name, member=None, environment=None):
        self.name = name
        self.member = member or name
        self.fleet = fleet
        self._environment = environment or {}
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
            "fleet": {"name": "test", "member": self.member, "takeover": f"{self.fleet.takeover_s}s",
                      "etcd": self._etcd()},
            "issuers": [{"name": name, "plugin": str(self.fleet.plugin), "config": {
                "address": f"http://{self.to_vault.address}", "startup": "background",
                "token": {"file": str(self.fleet.folder / "tokens" / name)}}} for name in names]}))

    def _etcd(self):
        etcd = self.fleet.etcd
        settings = {"endpoints": [f"{etcd.scheme}://{link.address}" for link in self.to_etcd]}
        if etcd.certificates:
            (self.folder / "password").write_text(etcd.PASSWORDS["issuer-host"] + "\n")
            certificate, key = etcd.certificates.client
            settings.update(ca_file=str(etcd.certificates.ca[0]), client_cert=str(certificate), client_key=str(key),
                            user="issuer-host", password={"file": str(self.folder / "password")})
        return settings

    def start(self):
        self.process = Process([self.fleet.host, "run", "--config", self.config, "--log-level", "info"],
                               {"PATH": "/usr/bin:/bin", "STATE_DIRECTORY": str(self.folder), **self._environment})

    def runs(self):
        return self.process.process.poll() is None

    def said(self, text):
        """Returns whether it has said this since it was started last."""
        return any(text in line for line in self.process.lines)

    def reload(self, names):
        """Gives it another list of issuers."""
        self.write(names)
        subprocess.run([self.fleet.host, "reload", "--wait", "--control", self.folder / "c"], check=True, text=True,
                       capture_output=True, timeout=PATIENCE_S)

    def cut(self, *links):
        for link in links:
            link.swallow()

    def join_up(self):
        for link in [*self.to_etcd, self.to_vault]:
            link.flow()

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
    """Hosts that share issuers with tokens of short leases, three etcd, and one fake Vault. The tokens' leases begin within
    `spread_s`; `etcd` are options of Etcd."""

    def __init__(self, folder, host, plugin, fake_vault, issuers=60, hosts=3, ttl_s=20, takeover_s=2, spread_s=0, **etcd):
        self.folder = pathlib.Path(folder)
        self.host, self.plugin = host, plugin
        self.ttl_s, self.takeover_s = ttl_s, takeover_s
        self._started = []
        try:
            self._start(fake_vault, issuers, hosts, spread_s, etcd)
        except BaseException:
            self.close()
            raise

    def _start(self, fake_vault, issuers, hosts, spread_s, etcd):
        self.vault = Vault(fake_vault)
        self._started.append(self.vault)
        self.etcd = Etcd(self.folder, **etcd)
        self._started.append(self.etcd)
        (self.folder / "tokens").mkdir()
        self.names = [f"issuer-{i:04}" for i in range(issuers)]
        self.tokens = {}
        for name in self.names:
            self.put_token(name)
            time.sleep(spread_s / issuers)  # real leases of a real time, so that they end one after the other
        self.hosts = []
        for i in range(hosts):
            self.add_host(f"host-{'abcdefg'[i]}")

    def add_host(self, name, **options):
        host = Host(self, name, **options)
        self._started.append(host)
        self.hosts.append(host)
        return host

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
        return wait_for(last, f"every token is renewed after {since}", limit_s=6 * self.ttl_s)

    def await_shared(self, limit_s=PATIENCE_S):
        """Waits until each issuer is kept by one host."""
        living = [host for host in self.hosts if host.runs()]

        def shared():
            counts = [host.kept() for host in living]
            return counts if None not in counts and sum(counts) == len(self.names) and 0 not in counts else None
        return wait_for(shared, "each issuer is kept by one host", limit_s, 0.5)

    def least_left(self, since=0.0):
        """The least life that was left of any token when it was renewed."""
        return min(self.ttl_s - (late - early) for times in self.renewals().values()
                   for early, late in zip(times, times[1:]) if late > since)

    def dead(self):
        return [name for name, token in self.tokens.items() if not self.vault.lives(token)]

    def refusals(self):
        return [entry for entry in self.vault.log() if entry["status"] >= 400]

    def await_tidy(self):
        """Waits until etcd holds nothing but a record, a list and a pulse of each member, and one state an issuer."""
        def untidy():
            states = collections.Counter()
            members = collections.Counter()
            strange = []
            for key in self.etcd.dump():
                kind, _, rest = key.removeprefix("/issuer/test/").partition("/")
                if kind in ("members", "lists", "pulse"):
                    members[kind] += 1
                elif kind == "state":
                    states[rest.partition("/")[2].rpartition("@")[0]] += 1
                else:
                    strange.append(key)
            living = sum(host.runs() for host in self.hosts)
            wrong = [f"{count} states of {name}" for name, count in states.items() if count != 1 or name not in self.names]
            wrong += [f"no state of {name}" for name in self.names if name not in states]
            wrong += [f"{count} {kind}" for kind, count in members.items() if count != living]
            return strange + wrong
        try:
            wait_for(lambda: not untidy(), "etcd holds what is needed and no more", limit_s=2 * self.ttl_s, pause_s=0.5)
        except AssertionError as late:
            raise AssertionError(f"{late}: {', '.join(untidy()[:5])}") from late

    def secrets_in_etcd(self):
        """The keys that hold a token, or a part of one."""
        return [key for key, value in self.etcd.dump().items() for token in self.tokens.values()
                if token[4:].encode() in value or token[4:] in key]

    def close(self):
        for one in reversed(self._started):
            one.close()
