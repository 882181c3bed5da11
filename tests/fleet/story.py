#!/usr/bin/env python3
"""story.py ISSUER_HOST VAULT_PLUGIN FAKE_VAULT: three hosts, three etcd and a fake Vault on this machine. Kills a host,
cuts one off, takes etcd's quorum, and tells what happens. Ends with 0 if no token was lost, by the fake Vault's log.
"""
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from etcd import have_etcd
from fleet import Fleet

HOST, PLUGIN, FAKE_VAULT = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
ISSUERS, TTL_S, TAKEOVER_S = 60, 20, 2
began = time.monotonic()


def tell(text):
    print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)


def lines_of(host, since):
    told = None
    for line in host.process.lines[since:]:
        text = line.partition(" fleet ")[2].strip()
        if text and text != told:  # a row of equal lines is one
            print(f"            {host.name}: {text}", flush=True)
        told = text or told


def play(fleet):
    a, b, c = fleet.hosts
    fleet.await_renewed(0)
    counts = fleet.await_shared()
    tell("shared: " + ", ".join(f"{host.name} keeps {count}" for host, count in zip(fleet.hosts, counts)))
    look_ups = fleet.look_ups()

    tell("host-b is killed (SIGKILL)")
    seen, at = len(a.process.lines), fleet.now()
    b.process.end(signal.SIGKILL)
    fleet.await_renewed(at)
    lines_of(a, seen)
    tell(f"every token was renewed since; least life left at any: {fleet.least_left(at):.1f} s of {TTL_S} s; "
         f"{fleet.look_ups() - look_ups} look-ups")
    b.start()
    counts = fleet.await_shared()
    tell("host-b is back: " + ", ".join(f"{host.name} keeps {count}" for host, count in zip(fleet.hosts, counts)))

    tell("host-c is cut from etcd: its packets are swallowed")
    at, seen = fleet.now(), len(c.process.lines)
    for link in c.to_etcd:
        link.swallow()
    fleet.await_renewed(at + TTL_S)  # a whole lease without etcd
    for link in c.to_etcd:
        link.flow()
    lines_of(c, seen)
    tell(f"every token was renewed since; least life left at any: {fleet.least_left(at):.1f} s")
    fleet.await_shared()

    tell("two of three etcd are killed: no quorum, nothing changes hands")
    at, seen = fleet.now(), len(a.process.lines)
    fleet.etcd.kill(1)
    fleet.etcd.kill(2)
    fleet.await_renewed(at + TTL_S)
    lines_of(a, seen)
    fleet.etcd.start(1)
    fleet.etcd.start(2)
    fleet.etcd.awaits_quorum()
    tell(f"etcd is back; least life left at any: {fleet.least_left(at):.1f} s")
    fleet.await_shared()

    if any(fleet.secrets_in_etcd()):
        return "a token is in etcd"
    for host in fleet.hosts:
        if code := host.process.end(signal.SIGTERM):
            return f"{host.name} ended with {code}"
    if dead := fleet.dead():
        return f"lost: {', '.join(dead)}"
    if refused := fleet.refusals():
        return f"the Vault refused {refused[0]}"
    return None


def main():
    if not have_etcd():
        print("etcd is not installed (package etcd-server)")
        return 1
    folder = tempfile.mkdtemp(prefix="issuer-fleet-")
    fleet = None
    try:
        tell(f"three hosts, three etcd, {ISSUERS} tokens of {TTL_S} s, \"takeover\": \"{TAKEOVER_S}s\"")
        fleet = Fleet(folder, HOST, PLUGIN, FAKE_VAULT, ISSUERS, 3, TTL_S, TAKEOVER_S)
        wrong = play(fleet)
        tell(wrong or f"no token was lost: {sum(map(len, fleet.renewals().values()))} renewals, none refused; "
                      "no token is in etcd")
        return 1 if wrong else 0
    finally:
        if fleet:
            fleet.close()
        shutil.rmtree(folder, ignore_errors=True)


sys.exit(main())
