#!/usr/bin/env python3
"""matrix.py [--jobs N] [--logs FOLDER] ISSUER_HOST VAULT_PLUGIN FAKE_VAULT MOVED_CLOCK [SCENE...]: plays the scenes of scenes.py, or the
named ones, N at a time, each with three hosts, three etcd and a fake Vault of its own. Judges each by the fake Vault's log
and by what etcd holds. Ends with 0 if every scene kept its promises.
"""
import argparse
import concurrent.futures
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

from etcd import have_etcd
from fleet import Fleet
from scenes import L, SCENES, T

ISSUERS = 60


def judge(fleet, scene, since, look_ups_before):
    """Returns the figures as text, and what is wrong."""
    now = fleet.now()
    left = fleet.least_left(since)
    renewals = sum(since < at <= now for times in fleet.renewals().values() for at in times)
    factor = renewals / (len(fleet.names) * (now - since) / (0.475 * L))  # renewed after 0.45 L to 0.5 L
    look_ups = fleet.look_ups() - look_ups_before
    figures = f"{left:4.1f} s left, {factor:.2f} renewals, {look_ups} look-ups"
    wrong = []
    if dead := fleet.dead():
        wrong.append(f"lost: {', '.join(dead)}")
    if refused := fleet.refusals():
        wrong.append(f"refused: {refused[0]}")
    if left < scene.left_s:
        wrong.append(f"less than {scene.left_s:.1f} s left of a token")
    if factor > scene.factor:
        wrong.append(f"more than {scene.factor} times the renewals that one host needs")
    if look_ups > scene.look_ups:
        wrong.append(f"more than {scene.look_ups} look-ups")
    if secrets := fleet.secrets_in_etcd():
        wrong.append(f"a token is in etcd, under {secrets[0]}")
    return figures, wrong


def leave(fleet):
    """Has all hosts leave. Returns what is wrong."""
    wrong = []
    for host in fleet.hosts:
        if host.runs() and (code := host.process.end(signal.SIGTERM)):
            wrong.append(f"{host.name} ended with {code}")
    strange = [key for key in fleet.etcd.dump() if not key.startswith("/issuer/test/state/")]
    return wrong + ([f"after all have left etcd holds {', '.join(strange)}"] if strange else [])


def play(name, programs, moved_clock, logs):
    """Plays a scene. Returns its figures, what is wrong, and the hosts' lines about the fleet. Writes all lines to a folder
    if one is given."""
    scene = SCENES[name]
    folder = tempfile.mkdtemp(prefix="issuer-fleet-")
    fleet = None
    figures, wrong = "", []
    try:
        fleet = Fleet(folder, *programs, issuers=ISSUERS, ttl_s=L, takeover_s=T, spread_s=L / 2, **scene.etcd)
        fleet.moved_clock = moved_clock
        fleet.await_renewed(0)
        fleet.await_shared()
        fleet.await_tidy()
        since, look_ups = fleet.now(), fleet.look_ups()
        scene.play(fleet)
        fleet.await_shared()
        figures, wrong = judge(fleet, scene, since, look_ups)
        fleet.await_tidy()
        wrong += leave(fleet)
    except Exception:
        wrong.append(traceback.format_exc())
    finally:
        for host in fleet.hosts if fleet and logs else []:
            (logs / f"{name}-{host.name}.log").write_text("".join(host.process.lines))
        lines = [f"{host.name}: {line.rstrip()}" for host in (fleet.hosts if fleet else [])
                 for line in host.process.lines if " fleet " in line and "has a lease" not in line]
        if fleet:
            fleet.close()
        shutil.rmtree(folder, ignore_errors=True)
    return figures, wrong, lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--logs", type=pathlib.Path)
    parser.add_argument("programs", nargs=4, type=pathlib.Path)
    parser.add_argument("scenes", nargs="*")
    arguments = parser.parse_args()
    if unknown := set(arguments.scenes) - SCENES.keys():
        parser.error(f"no such scene: {', '.join(sorted(unknown))}; there are {', '.join(SCENES)}")
    if not have_etcd():
        print("etcd is not installed (package etcd-server)")
        return 1
    *programs, moved_clock = (path.resolve() for path in arguments.programs)
    short = [name for name, one in SCENES.items() if not one.is_long]
    began = time.monotonic()
    failed = 0
    with concurrent.futures.ProcessPoolExecutor(arguments.jobs) as pool:
        played = {pool.submit(play, name, programs, moved_clock, arguments.logs): name for name in arguments.scenes or short}
        for done in concurrent.futures.as_completed(played):
            name = played[done]
            figures, wrong, lines = done.result()
            print(f"{time.monotonic() - began:6.1f} s  {name}: {SCENES[name].text}\n            {figures}", flush=True)
            for one in wrong:
                print(f"            WRONG: {one}", flush=True)
            if wrong:
                print("".join(f"                {line}\n" for line in lines), flush=True)
            failed += bool(wrong)
    print(f"{len(played) - failed} of {len(played)} scenes kept their promises", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
