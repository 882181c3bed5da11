#!/usr/bin/env python3
"""Swaps two builds of a plugin under a running host, hundreds of times, and judges what is left of it.

    swap_run.py renewing HOST SWAPS PLUGIN_A PLUGIN_B [FAKE_VAULT TTL]
        One issuer (plain_swap_host) or eight (swap_host), each with a renewal between two swaps: none fails, the old
        library is gone from memory each time, memory, descriptors and threads are the same at the end.

    swap_run.py fleet SWAP_HOST ISSUERS SWAPS PLUGIN_A PLUGIN_B FAKE_VAULT TTL
        Many issuers with leases of their own plan, swapped all at once and again: no renewal is missed, none is sent
        twice, no token is looked up again.

With FAKE_VAULT leases are real, TTL seconds long (two renewals are never closer than a sixteenth of it), and renewals
go over TLS; without it the plugins need none. Prints the figures.
"""
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile

SANITIZED = "ISSUER_SANITIZED" in os.environ
# KiB that a run may grow by. A thousand swaps take 3 to 5 MiB of the allocator's, with no block more in use than after
# twenty (valgrind: 10 blocks are left of 480 swapped issuers); a library that stayed at each would take hundreds of that.
MEMORY = 8192
if SANITIZED:
    MEMORY = float("inf")  # the sanitizer keeps freed memory for a while, to find uses after free


class FakeVault:
    def __init__(self, program, folder):
        self.tls = folder / "tls"
        self.process = subprocess.Popen([program, "--tls-dir", self.tls], stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        self.address, self.root = words[2], words[-1]
        # One connection for all it is asked: a handshake a token would take longer than the tokens live.
        context = ssl.create_default_context(cafile=self.tls / "ca.pem")
        self.connection = http.client.HTTPSConnection(self.address.removeprefix("https://"), context=context)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body and json.dumps(body), {"X-Vault-Token": self.root})
        return json.load(self.connection.getresponse())

    def config(self, name, ttl):
        token = self.ask("POST", "/v1/auth/token/create", {"ttl": ttl, "display_name": name})["auth"]["client_token"]
        return {"address": self.address, "token": {"value": token}, "tls": {"ca_file": str(self.tls / "ca.pem")}}

    def log(self, name):
        """When each renewal of a token of this name was answered, in seconds, and how often it was looked up."""
        entries = [entry for entry in self.entries if entry["who"].endswith(name)]
        return ([entry["at"] / 1000 for entry in entries if entry["call"] == "renew-self"],
                sum(entry["call"] == "lookup-self" for entry in entries))

    def end(self):
        self.process.terminate()
        self.process.wait()


def copies(folder, plugins):
    """Each build at a path of its own, as hosts want it."""
    paths = []
    for number, plugin in enumerate(plugins):
        path = folder / f"build-{number}" / "plugin.so"
        path.parent.mkdir()
        shutil.copy(plugin, path)
        paths.append(str(path))
    return paths


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def write_configs(folder, names, config_of):
    configs = folder / "configs"
    configs.mkdir()
    for name in names:
        (configs / f"{name}.json").write_text(json.dumps(config_of(name)))
    return configs


def judge(report, problems):
    first, last = report["first"], report["last"]
    print(json.dumps(report, indent=1))
    if report["failures"] or report.get("rolled_back"):
        problems.append("something failed")
    # A sanitizer slows the end of a thread down: a helper that looked at a file then outlives its instance for a moment
    # and keeps the library mapped meanwhile.
    if (report["still_mapped"] and not SANITIZED) or report.get("pinned"):
        problems.append("an old library stayed in memory")
    if last["rss_kib"] > first["rss_kib"] + MEMORY:
        problems.append(f"memory grew from {first['rss_kib']} to {last['rss_kib']} KiB")
    # Workers and their connections come and go with the work, up to two for each of eight issuers: that is no growth.
    # One a swap would be, of which there are twenty and more.
    for what in ("fds", "threads"):
        if last[what] > first[what] + 16:
            problems.append(f"{what} grew from {first[what]} to {last[what]}")
    if problems:
        sys.exit("; ".join(problems))


def renewing(folder, host, swaps, *plugins):
    vault = FakeVault(plugins[2], folder) if len(plugins) > 2 else None
    builds = copies(folder, plugins[:2])
    plain = pathlib.Path(host).name.startswith("plain")
    names = [f"issuer-{number}" for number in range(1 if plain else 8)]
    try:
        configs = write_configs(folder, names, lambda name: vault.config(name, f"{plugins[3]}s") if vault else {})
        report = (run(host, configs / "issuer-0.json", swaps, *builds) if plain
                  else run(host, configs, swaps, 0, *builds))
    finally:
        if vault:
            vault.end()
    problems = []
    if report["renewals"] < int(swaps) * len(names):
        problems.append(f"{report['renewals']} renewals in {swaps} swaps of {len(names)}")
    judge(report, problems)


def fleet(folder, host, issuers, swaps, plugin_a, plugin_b, fake_vault, ttl):
    ttl = int(ttl)
    pause = ttl / 10  # a lease outlives several swaps
    vault = FakeVault(fake_vault, folder)
    names = [f"issuer-{number:05}" for number in range(int(issuers))]
    try:
        configs = write_configs(folder, names, lambda name: vault.config(name, f"{ttl}s"))
        report = run(host, configs, swaps, int(pause * 1000), *copies(folder, (plugin_a, plugin_b)))
        vault.entries = vault.ask("GET", "/fake/log")["requests"]
        histories = {name: vault.log(name) for name in names}
    finally:
        vault.end()
    problems, gaps = [], []
    for name, (renewals, lookups) in histories.items():
        own = [later - sooner for sooner, later in zip(renewals, renewals[1:])]
        gaps += own
        if lookups != 1:
            problems.append(f"{name} was looked up {lookups} times")
        # Half a lease, up to a tenth sooner; and a busy machine may be late.
        if any(gap < ttl / 2 * 0.8 for gap in own):
            problems.append(f"{name} renewed twice within {min(own):.2f} s")
        if any(gap > ttl * 0.8 for gap in own) or len(renewals) < (int(swaps) * pause) // (ttl * 0.8) - 1:
            problems.append(f"{name} missed a renewal: {len(renewals)} of them, {max(own, default=0):.2f} s apart")
    report["gap_s"] = {"least": round(min(gaps), 3), "most": round(max(gaps), 3)} if gaps else None
    judge(report, problems[:10])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        {"renewing": renewing, "fleet": fleet}[sys.argv[1]](pathlib.Path(directory), *sys.argv[2:])
