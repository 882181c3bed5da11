"""What happens to a fleet, one function a scene: to hosts, to their links, to etcd. docs/fleet.md says what follows."""
import dataclasses
import signal
import typing

from processes import wait_for

L, T = 20, 2  # of each scene's tokens, and of its members' leases in etcd; seconds
R = L / 2     # the least life that is left when a renewal is due
TAKEOVER = R - (T + 4.5)
LATE = R - R / 4 - R / 8


@dataclasses.dataclass
class Scene:
    """`left_s`: the least life that may be left of any token at a renewal. `factor`: renewals, against what one host
    needs. `look_ups`: at most. `is_long`: played only when it is named."""
    play: typing.Callable
    text: str
    left_s: float
    factor: float
    look_ups: int
    is_long: bool
    etcd: dict


SCENES = {}


def scene(text, left_s, factor=2.2, look_ups=0, is_long=False, **etcd):
    def add(play):
        SCENES[play.__name__] = Scene(play, text, left_s, factor, look_ups, is_long, etcd)
        return play
    return add


def a_lease(fleet, leases=1):
    """Waits until each token was renewed after so many leases from now."""
    fleet.await_renewed(fleet.now() + leases * L)


# --- quiet, and what happens to a host --------------------------------------------------------------------------------

@scene("nothing happens for two leases", R - 1, factor=1.15)
def quiet(fleet):
    a_lease(fleet, 2)


@scene("a host is killed, and comes back", TAKEOVER)
def killed(fleet):
    host = fleet.hosts[1]
    host.process.end(signal.SIGKILL)
    a_lease(fleet)
    host.start()


@scene("a host is killed, and etcd's leader with it", TAKEOVER)
def killed_with_the_leader(fleet):
    leader = fleet.etcd.leader()
    fleet.hosts[1].process.send(signal.SIGKILL)
    fleet.etcd.kill(leader)
    fleet.hosts[1].process.end()
    a_lease(fleet)
    fleet.etcd.start(leader)
    fleet.etcd.awaits_quorum(leader)
    fleet.hosts[1].start()


@scene("a host is frozen for two leases", TAKEOVER)
def frozen(fleet):
    host = fleet.hosts[1]
    host.process.send(signal.SIGSTOP)
    try:
        a_lease(fleet, 2)
    finally:
        host.process.send(signal.SIGCONT)


@scene("the hosts are restarted one after the other", R - 1)
def hosts_restarted(fleet):
    for host in fleet.hosts:
        assert host.process.end(signal.SIGTERM) == 0, f"{host.name} ended badly"
        host.start()
        fleet.await_shared()
    a_lease(fleet)


@scene("two hosts have one name", R - 1)
def one_name(fleet):
    twin = fleet.add_host("host-d", member="host-b")
    wait_for(lambda: fleet.hosts[1].said("another process has joined the fleet as host-b"), "host-b is told of the other")
    fleet.await_shared()
    a_lease(fleet)
    assert twin.process.end(signal.SIGTERM) == 0, "host-d ended badly"


def clock(ahead_ms):
    def play(fleet):
        host = fleet.add_host("host-d", environment={"LD_PRELOAD": str(fleet.moved_clock),
                                                     "MOVED_CLOCK_MS": str(ahead_ms)})
        fleet.await_shared()
        for other in fleet.hosts[:3]:
            wait_for(lambda one=other: one.said("of host-d differ by"), f"{other.name} warns of the clock")
        a_lease(fleet)
        host.process.end(signal.SIGKILL)
        a_lease(fleet)
    return play


@scene("a host comes whose clock is 4 s ahead, and dies", TAKEOVER)
def clock_ahead(fleet):
    clock(4000)(fleet)


@scene("a host comes whose clock is 4 s behind, and dies", TAKEOVER)
def clock_behind(fleet):
    clock(-4000)(fleet)


NEW = 12


@scene(f"{NEW} issuers are added on one host, a lease later on all", R - 1, look_ups=3 * NEW)
def added_on_one(fleet):
    before = list(fleet.names)
    new = [f"new-{i:04}" for i in range(NEW)]
    for name in new:
        fleet.put_token(name)
    fleet.names += new
    try:
        fleet.hosts[0].reload(fleet.names)
        fleet.await_renewed(fleet.now() + L, new)
        assert fleet.hosts[1].kept() <= len(before), "host-b keeps what it does not know"
    finally:
        for host in fleet.hosts[1:]:
            host.reload(fleet.names)


# --- links ------------------------------------------------------------------------------------------------------------

@scene("a host is cut from etcd for two leases", R / 2)
def cut_from_etcd(fleet):
    host = fleet.hosts[2]
    host.cut(*host.to_etcd)
    a_lease(fleet, 2)
    host.join_up()


def comes_back(host):
    """Ends the cut. The host holds the tokens for dead whose leases ended meanwhile, and would ask again in five minutes;
    until then the others watch over them. A restart is sooner."""
    host.join_up()
    assert host.process.end(signal.SIGTERM) == 0, f"{host.name} ended badly"
    host.start()


@scene("a host is cut from the Vault for two leases", LATE - 1)
def cut_from_vault(fleet):
    host = fleet.hosts[2]
    host.cut(host.to_vault)
    a_lease(fleet, 2)
    comes_back(host)


@scene("a host is cut from etcd and the Vault for two leases", TAKEOVER)
def cut_from_both(fleet):
    host = fleet.hosts[2]
    host.cut(*host.to_etcd, host.to_vault)
    a_lease(fleet, 2)
    comes_back(host)


@scene("etcd's leader is cut from the other members for two leases", R / 2)
def etcd_cut(fleet):
    fleet.etcd.cut_off(fleet.etcd.leader())
    a_lease(fleet, 2)
    fleet.etcd.join_up()


# --- etcd -------------------------------------------------------------------------------------------------------------

@scene("etcd has no quorum for two leases, and a host is killed meanwhile", R / 2 - 1, factor=3.3)
def no_quorum(fleet):
    fleet.etcd.kill(1)
    fleet.etcd.kill(2)
    for host in fleet.hosts:
        wait_for(lambda one=host: one.said("engine is away"), f"{host.name} says that etcd is away")
    fleet.hosts[1].process.end(signal.SIGKILL)
    a_lease(fleet, 2)
    fleet.etcd.start(1)
    fleet.etcd.start(2)
    fleet.etcd.awaits_quorum()
    fleet.hosts[1].start()


@scene("etcd is wiped", R / 2, look_ups=60)  # the first host to join again is alone for a moment, and no state tells
def wiped(fleet):
    fleet.etcd.wipe()
    fleet.await_shared()
    a_lease(fleet)


@scene("the members of etcd are restarted one after the other", R - 1)
def etcd_restarted(fleet):
    for i in range(3):
        fleet.etcd.restart(i, signal.SIGTERM)
    a_lease(fleet)


@scene("etcd is full for two leases", R / 2, factor=3.3, quota=4 << 20)
def full(fleet):
    fleet.etcd.fill()
    for host in fleet.hosts:
        wait_for(lambda one=host: one.said("refuses writes"), f"{host.name} says that etcd is full")
    a_lease(fleet, 2)
    fleet.etcd.empty()


@scene("etcd with TLS and users: its members are restarted and forget the hosts' tokens, then a host dies", TAKEOVER,
       is_guarded=True)
def guarded(fleet):
    for i in range(3):
        fleet.etcd.restart(i, signal.SIGKILL)
    fleet.await_shared()
    fleet.hosts[1].process.end(signal.SIGKILL)
    a_lease(fleet)
    fleet.hosts[1].start()


# --- played when named ------------------------------------------------------------------------------------------------

OUTAGE_MIN = 10


@scene(f"etcd is away for {OUTAGE_MIN} minutes, and each minute a host is killed or restarted", 1, factor=3.3,
       look_ups=60 * OUTAGE_MIN, is_long=True)
def long_outage(fleet):
    for i in range(3):
        fleet.etcd.kill(i)
    for host in fleet.hosts:
        wait_for(lambda one=host: one.said("engine is away"), f"{host.name} says that etcd is away")
    for minute in range(OUTAGE_MIN):
        host = fleet.hosts[minute % 3]
        host.process.end(signal.SIGKILL if minute % 2 else signal.SIGTERM)
        host.start()
        a_lease(fleet, 3)
        assert host.said("without the fleet's engine"), f"{host.name} does not say that it begins without etcd"
    for i in range(3):
        fleet.etcd.start(i)
    fleet.etcd.awaits_quorum()
