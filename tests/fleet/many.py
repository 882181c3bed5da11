#!/usr/bin/env python3
"""many.py ISSUER_HOST VAULT_PLUGIN FAKE_VAULT [ISSUERS [LEASE_S [TAKEOVER_S]]]: three hosts share 10,000 issuers, and one is
killed. Prints the second of the first renewal of each of its tokens, as tenths of
them, and the least life left at any. By hand: some minutes.
"""
import pathlib
import shutil
import signal
import statistics
import sys
import tempfile

from fleet import Fleet
from processes import wait_for

HOST, PLUGIN, FAKE_VAULT = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
ISSUERS, LEASE_S, TAKEOVER_S = (int(given) for given in (sys.argv[4:] + ["10000", "120", "2"][len(sys.argv) - 4:]))


def kept_by(fleet, host):
    return {key.rpartition("/")[2].rpartition("@")[0] for key in fleet.etcd.dump() if key.endswith("@" + host.name)}


def main():
    folder = tempfile.mkdtemp(prefix="issuer-fleet-")
    fleet = None
    try:
        fleet = Fleet(folder, HOST, PLUGIN, FAKE_VAULT, ISSUERS, 3, LEASE_S, TAKEOVER_S, spread_s=LEASE_S / 4)
        fleet.await_renewed(0)
        counts = fleet.await_shared(limit_s=300)
        fleet.await_tidy()
        victim = fleet.hosts[1]
        moved = kept_by(fleet, victim)
        look_ups = fleet.look_ups()
        victim.process.end(signal.SIGKILL)
        at = fleet.now()  # a moment later: so long a log takes its time
        fleet.await_renewed(at, moved)
        renewals = fleet.renewals()
        firsts = sorted(min(when for when in renewals[name] if when > at) - at for name in moved)
        heirs = wait_for(lambda: [host.kept() for host in (fleet.hosts[0], fleet.hosts[2])], "the heirs tell")
        print(f"{ISSUERS} issuers, leases of {LEASE_S} s, takeover {TAKEOVER_S} s: {counts} kept; "
              f"{len(moved)} move to {heirs}")
        print("seconds from the kill to the first renewal of each that moved: first "
              f"{firsts[0]:.1f}, tenths {', '.join(f'{one:.1f}' for one in statistics.quantiles(firsts, n=10))}, "
              f"last {firsts[-1]:.1f}")
        print(f"least life left at any renewal: {fleet.least_left(at):.1f} s; {fleet.look_ups() - look_ups} look-ups; "
              f"{len(fleet.refusals())} refused; {len(fleet.dead())} lost")
        return 1 if fleet.dead() else 0
    finally:
        if fleet:
            fleet.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
