#!/usr/bin/env python3
"""host_bench.py BUILD [--issuers COUNT] [--lease SECONDS] [--rate COUNT] [--etcd MEMBERS]: what one host of many issuers costs.

Runs issuer-host of the folder BUILD with the real plugin at a server that costs almost nothing, on loopback: its start,
memory, first round of renewals, what it serves, a reload that changes one issuer, and its end. With --etcd it is the
one member of a fleet, and what its states cost etcd is measured too. Prints a table; nothing is judged.
"""
import argparse
import base64
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fleet"))
from processes import Process, free_ports, wait_for  # noqa: E402

LIMIT_S = 600
MIB = 1 << 20


def cpu_s_of(*pids):
    """The processor time that processes have used, all threads and the kernel on their behalf."""
    ticks = 0
    for pid in pids:
        after_name = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def written_by(*pids):
    """The bytes that processes have handed to their disks."""
    return sum(int(re.search(r"^write_bytes: (\d+)", pathlib.Path(f"/proc/{pid}/io").read_text(encoding="utf-8"),
                             re.MULTILINE)[1]) for pid in pids)


class Meter:
    """What processes cost since it was made."""

    def __init__(self, *pids):
        self.pids, self._cpu_s, self._written = pids, cpu_s_of(*pids), written_by(*pids)

    def cpu_s(self):
        return cpu_s_of(*self.pids) - self._cpu_s

    def written(self):
        return written_by(*self.pids) - self._written


def ended_cpu_s():
    """The processor time of all programs that this one has started and that have ended."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


class Etcd:
    """Members of etcd as they are installed, which wait for their disks."""

    def __init__(self, folder, size):
        ports = free_ports(2 * size)
        self.endpoints = [f"127.0.0.1:{port}" for port in ports[:size]]
        peers = [f"http://127.0.0.1:{port}" for port in ports[size:]]
        cluster = ",".join(f"etcd-{i}={peer}" for i, peer in enumerate(peers))
        self._members = [Process([
            "etcd", "--name", f"etcd-{i}", "--data-dir", folder / f"etcd-{i}", "--log-level", "error",
            "--listen-client-urls", f"http://{self.endpoints[i]}", "--advertise-client-urls",
            f"http://{self.endpoints[i]}", "--listen-peer-urls", peers[i], "--initial-advertise-peer-urls", peers[i],
            "--initial-cluster", cluster]) for i in range(size)]
        self.pids = [member.process.pid for member in self._members]

    def states(self):
        """Returns the number of states that it holds; None while it does not answer."""
        begin, end = (base64.b64encode(f"/issuer/bench/state{mark}".encode()).decode() for mark in "/0")
        request = urllib.request.Request(f"http://{self.endpoints[0]}/v3/kv/range", json.dumps(
            {"key": begin, "range_end": end, "count_only": True}).encode())
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return int(json.load(answer).get("count", 0))
        except OSError:
            return None

    def close(self):
        for member in self._members:
            member.end()


def resident_mib(pid, what="Rss"):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return int(re.search(rf"^{what}: +(\d+)", text, re.MULTILINE)[1]) / 1024


def timed(act):
    begin = time.monotonic()
    result = act()
    return result, time.monotonic() - begin


class Host:
    def __init__(self, build, folder, server_port, options, etcd):
        self.program = build / "host_stub/issuer-host"
        self.plugin = build / "vault_plugin/vault_plugin.so"
        self.folder, self.config = folder, folder / "host.json"
        self.address, self.issuers = f"http://127.0.0.1:{server_port}", options.issuers
        self.fleet = {} if etcd is None else {"fleet": {"name": "bench", "member": "host-a", "etcd": {
            "endpoints": [f"http://{endpoint}" for endpoint in etcd.endpoints]}}}

    def write(self, changed=None):
        """Writes a configuration in which one issuer may be another than before."""
        with self.config.open("w", encoding="utf-8") as file:
            head = {"control": str(self.folder / "c"), "stop_timeout": "60s", "http": {"listen": "127.0.0.1:0"},
                    "journal": {"file": str(self.folder / "journal.jsonl")}, **self.fleet}
            file.write(json.dumps(head)[:-1] + ', "issuers": [\n')
            for i in range(self.issuers):
                file.write((",\n" if i else "") + json.dumps({
                    "name": f"issuer-{i:06}", "plugin": str(self.plugin), "config": {
                        "address": self.address, "namespace": f"team-{i % 100}", "startup": "background",
                        "token": {"value": f"hvs.CAESIJ-the-token-of-the-issuer-with-the-number-{i:06}"},
                        **({"renewal": {"fraction": 0.6}} if i == changed else {})}}))
            file.write("\n]}\n")

    def check(self):
        code, seconds = timed(lambda: subprocess.run([self.program, "check", "--config", self.config],
                                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                                     check=False).returncode)
        return code, seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024

    def start(self):
        self.process = Process([self.program, "run", "--config", self.config, "--log-level", "warn"],
                               {"PATH": "/usr/bin:/bin", "STATE_DIRECTORY": str(self.folder)})
        self.pid = self.process.process.pid

    def ask(self, *command):
        return subprocess.run([self.program, *command, "--control", self.folder / "c"], text=True,
                              capture_output=True, check=False)

    def serving(self):
        """Returns the address of its page, which its journal tells."""
        journal = self.folder / "journal.jsonl"
        text = journal.read_text(encoding="utf-8") if journal.exists() else ""
        found = re.search(r"the status page is at (http://[0-9.:]+)", text)
        return found and found[1]

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=LIMIT_S) as answer:
            return answer.read()

    def severities(self):
        return json.loads(self.get("/api/v1/issuers?limit=1"))["severities"]


def row(what, figure):
    print(f"| {what} | {figure} |", flush=True)


def measure_serving(host):
    for path in ("/", "/metrics", "/api/v1/issuers?limit=100", "/api/v1/issuers", "/readyz"):
        meter = Meter(host.pid)
        body, seconds = timed(lambda path=path: host.get(path))
        row(f"GET {path}", f"{len(body) / MIB:.2f} MiB, {seconds:.2f} s, {meter.cpu_s():.2f} s of CPU")
    _, seconds = timed(lambda: host.ask("status", "issuer-000007"))
    row("issuer-host status issuer-000007", f"{seconds:.2f} s")
    row("resident after it has served", f"{resident_mib(host.pid):.0f} MiB")


def measure(options, folder, server_port, etcd):
    host = Host(options.build, folder, server_port, options, etcd)
    host.write()
    count = options.issuers
    print(f"| {count:,} issuers, leases of {options.lease} s, configuration of "
          f"{host.config.stat().st_size / MIB:.0f} MiB{'' if etcd is None else ', etcd of ' + str(options.etcd)} | |\n"
          "|---|---|")
    code, seconds, peak = host.check()
    row("issuer-host check", f"{seconds:.1f} s, peak {peak:.0f} MiB" + (f", exit code {code}" if code else ""))

    begin = time.monotonic()
    host.start()
    host.url = wait_for(host.serving, "the page is served", LIMIT_S)
    wait_for(lambda: host.severities().get("well", 0) == count, "all are active", LIMIT_S, 1)
    active_s, born = time.monotonic() - begin, time.monotonic()
    cpu = cpu_s_of(host.pid)
    row("all active after", f"{active_s:.1f} s, {cpu:.1f} s of CPU ({cpu / count * 1e6:.0f} µs each)")
    row("resident, all active", f"{resident_mib(host.pid):.0f} MiB, {resident_mib(host.pid) * 1024 / count:.1f} KiB each")
    etcd_pids = [] if etcd is None else etcd.pids
    if etcd is not None:
        wait_for(lambda: etcd.states() >= count, "all states are in etcd", LIMIT_S, 1)

    # The first round of renewals: each token once, half a lease after it began.
    meter, of_etcd = Meter(host.pid), Meter(*etcd_pids)
    time.sleep(max(0.0, born + 0.56 * options.lease + 2 - time.monotonic()))
    row("a renewal", f"{meter.cpu_s() / count * 1e6:.0f} µs of CPU, journal and all" +
        (f", at {options.rate:,} a second" if options.rate else ""))
    if etcd is not None:
        row("… of etcd, all members", f"{of_etcd.cpu_s() / count * 1e6:.0f} µs of CPU and "
            f"{of_etcd.written() / count:.0f} B written to its disk{'s' if options.etcd > 1 else ''}")
    measure_serving(host)

    host.write(changed=count // 2)
    meter = Meter(host.pid)
    answer, seconds = timed(lambda: host.ask("reload", "--wait"))
    row("a reload that changes one issuer", f"{seconds:.1f} s, {meter.cpu_s():.1f} s of CPU, resident then "
        f"{resident_mib(host.pid):.0f} MiB" + ("" if answer.returncode == 0 else ": " + answer.stderr.strip()))
    so_far = cpu_s_of(host.pid) + ended_cpu_s()
    _, seconds = timed(lambda: host.process.end(signal.SIGTERM, LIMIT_S))
    row("SIGTERM", f"{seconds:.1f} s until it has ended, {ended_cpu_s() - so_far:.1f} s of CPU")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[2])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--issuers", type=int, default=100_000)
    parser.add_argument("--lease", type=int, default=120, help="seconds")
    parser.add_argument("--etcd", type=int, default=0, help="members of etcd; 0: no fleet")
    parser.add_argument("--rate", type=int, default=0, help="answers a second of the server; 0: as many as it can")
    options = parser.parse_args()
    options.build = options.build.resolve()
    server = subprocess.Popen([options.build / "tests/bench/bench_server", str(options.lease)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    etcd = None
    with tempfile.TemporaryDirectory(prefix="host-bench") as folder:
        try:
            etcd = Etcd(pathlib.Path(folder), options.etcd) if options.etcd else None
            wait_for(lambda: etcd is None or etcd.states() is not None, "etcd answers")
            port = int(server.stdout.readline())
            print("rate", options.rate, file=server.stdin, flush=True)
            server.stdout.readline()
            measure(options, pathlib.Path(folder), port, etcd)
        finally:
            server.stdin.close()
            server.wait()
            if etcd is not None:
                etcd.close()


main()
