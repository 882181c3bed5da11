#!/usr/bin/env python3
"""hanging_fleet_test.py ISSUER_HOST VAULT_PLUGIN FAKE_VAULT FIXTURES: twenty plugins that hang, each in one of its calls,
among a thousand good issuers. By the fake Vault's own log no good one misses a renewal, while others are swapped and the
host is reloaded; and then it ends in its time.
"""
import collections
import pathlib
import shutil
import sys
import time
import unittest

from operated import Operated, PLUGIN
from told import wait_for

FIXTURES = pathlib.Path(sys.argv[4]).resolve()
GOOD, BAD, TTL_S, STOP_S = 1000, 20, 20, 5
SLOTS = ("start", "create", "start", "stop", "start", "destroy")


def hanging(number, slot):
    return {"name": f"bad-{number:02}", "plugin": str(FIXTURES / f"hangs_in_{slot}.so"), "config": {}}


class Fleet(Operated, unittest.TestCase):
    def good(self, name, plugin=PLUGIN):
        token = self.folder / name
        if not token.exists():
            token.write_text(self.vault.token(ttl=f"{TTL_S}s", display_name=name))
        return {"name": name, "plugin": plugin, "config": {
            "address": self.vault.address, "token": {"file": str(token)}, "startup": "background"}}

    def renewals(self):
        """The times, in seconds, at which each token was renewed; every other answer is a failure."""
        times = collections.defaultdict(list)
        for entry in self.vault.ask("/fake/log")["requests"]:
            if entry["call"] == "renew-self":
                self.assertEqual((entry["status"], entry["fault"]), (200, ""), entry)
                times[entry["who"]].append(entry["at"] / 1000)
        return times

    def test_that_hang_delay_no_renewal_no_swap_no_reload_and_no_end(self):
        names = [f"good-{i:04}" for i in range(GOOD)]
        issuers = {name: self.good(name) for name in names}
        issuers |= {bad["name"]: bad for bad in (hanging(i, SLOTS[i % len(SLOTS)]) for i in range(BAD))}
        settings = {"stop_timeout": f"{STOP_S}s", "swap_timeout": "2s"}
        host = self.run_host(list(issuers.values()), more=settings.items(), arguments=("--log-level", "warn"))

        def all_renewed(times):
            wait_for(lambda: [len(all) >= times for all in self.renewals().values()].count(True) >= GOOD,
                     f"each good token is renewed {times} times", pause_s=0.5)

        all_renewed(1)
        other = shutil.copy(PLUGIN, str(self.folder / "other_plugin.so"))
        swapped = host.ask("swap", names[7], other)
        self.assertEqual(swapped.returncode, 0, swapped.stderr)

        # Of the hanging ones four go, and one comes; of the good ones one is swapped, and one comes.
        for number in range(4):
            del issuers[f"bad-{number:02}"]
        issuers["bad-20"] = hanging(20, "start")
        for name in (names[7], names[8]):
            issuers[name] = self.good(name, other)
        issuers["good-late"] = self.good("good-late")
        host.write(list(issuers.values()), settings.items())
        reloaded = host.ask("reload", "--wait")
        self.assertEqual(reloaded.returncode, 0, reloaded.stderr)
        for sentence in (f"issuer {names[8]} is swapped", "issuer good-late is added", "issuer bad-00 is removed"):
            self.assertIn(sentence, reloaded.stdout)

        wait_for(lambda: self.renewals().get("token-good-late"), "the one that was added is renewed")
        all_renewed(3)
        begun = time.monotonic()
        self.assertEqual(host.stop(), 70, "it says that not all has stopped")
        self.assertLess(time.monotonic() - begun, STOP_S + 1 + 5, "five seconds more are for a loaded machine")

        gaps = {who: max(later - sooner for sooner, later in zip(times, times[1:]))
                for who, times in self.renewals().items() if len(times) > 1}
        self.assertGreaterEqual(len(gaps), GOOD)
        self.assertLess(max(gaps.values()), TTL_S, "a token has died meanwhile")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
