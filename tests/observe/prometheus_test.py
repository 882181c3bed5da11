#!/usr/bin/env python3
"""prometheus_test.py SCRIPTED_HOST SOURCE_DIR: a real Prometheus reads the host, fires the right alerts in a story of an
outage, a recovery, a cap and a death, and evaluates every expression of the dashboard."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import shutil
import unittest

from told import GENEROUS, Prometheus, ScriptedHost, instance_of, wait_for

PROGRAM, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
RULES = SOURCE / "packaging/prometheus/issuer-host.rules.yml"
DASHBOARD = SOURCE / "packaging/grafana/issuer-lifecycle.json"

# Panels of the dashboard that are empty as long as no issuer has a problem.
EMPTY_WHEN_WELL = {"Next death", "Ends that no renewal can move", "Failures in a row", "Host restarts"}


def promtool(*arguments, folder):
    run = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, timeout=GENEROUS)
    return run.returncode, run.stdout + run.stderr


class Rules(unittest.TestCase):
    def judged(self, rules):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, RULES.name).write_text(rules)
            tests = sorted((SOURCE / "tests/observe").glob("*.test.yml"))
            for test in tests:
                shutil.copy(test, folder)
            return promtool("test", "rules", *(test.name for test in tests), folder=folder)

    def test_fire_when_they_should_and_only_then(self):
        code, said = promtool("check", "rules", str(RULES), folder=SOURCE)
        self.assertEqual(code, 0, said)
        code, said = self.judged(RULES.read_text())
        self.assertEqual(code, 0, said)

    def test_are_each_judged(self):
        """A rule that is loosened or tightened is noticed: no condition stands there unjudged."""
        text = RULES.read_text()
        for before, after in (("< 7 * 86400\n            and issuer_token_capped_timestamp_seconds - time() >= ", "< 8 * 86400 and issuer_token_capped_timestamp_seconds - time() >= "),
                              (">= 86400", ">= 0"), ("- time() < 86400", "- time() < 93600"), ("< 2 * issuer", "< 3 * issuer"),
                              ("/ 3", "/ 2"), ("for: 15m", "for: 1m"), ("> 10", "> 1"), ("for: 5m", "for: 1m"),
                              ('state="expired"', 'state="stopped"'), ("failures > 0\n        for", "failures > 100\n        for"),
                              ("journal_failing == 1", "journal_failing == 0"),
                              ("pinned_libraries > 3", "pinned_libraries > 30"), ('"refused"', '"applied"'),
                              ("overdue_seconds > 0", "overdue_seconds > 1000"), ("engine_up == 0", "engine_up == 2"),
                              ("fleet_late) > 0", "fleet_late) > 9"), ("watched_over > 0", "watched_over > 9"),
                              ("difference_seconds) > 2", "difference_seconds) > 9"), ("members[1h]", "members[1m]")):
            self.assertIn(before, text)
            code, _ = self.judged(text.replace(before, after, 1))
            self.assertNotEqual(code, 0, f"nothing notices {after!r} in place of {before!r}")


class Story(unittest.TestCase):
    """One Prometheus for all, which takes five seconds to begin; and a host for each."""

    @classmethod
    def setUpClass(cls):
        cls.hosts = {name: ScriptedHost(PROGRAM) for name in unittest.TestLoader().getTestCaseNames(cls)}
        for host in cls.hosts.values():
            cls.addClassCleanup(host.close)
        # Here every alert fires at once; how long its condition must last is judged by promtool.
        cls.prometheus = Prometheus([host.url for host in cls.hosts.values()],
                                    re.sub(r"for: \d+m", "for: 0s", RULES.read_text()))
        cls.addClassCleanup(cls.prometheus.close)

    def setUp(self):
        self.host = self.hosts[self._testMethodName]
        self.instance = instance_of(self.host.url)

    def firing(self):
        return self.prometheus.firing(self.instance)

    def scraped(self, metric, value):
        wait_for(lambda: self.prometheus.value(f'{metric}{{instance="{self.instance}"}}') == value, f"{metric} is {value}")

    def fires(self, *alerts):
        wait_for(lambda: self.firing() == set(alerts), f"exactly these fire: {alerts}")

    def alive(self, issuer):
        self.host.tell(issuer=issuer, state="active", result="success", ttl_s=3600, next_s=1800)

    def test_of_an_outage_a_recovery_a_cap_and_a_death(self):
        self.alive("a")
        self.alive("b")
        self.scraped("up", 1)
        self.fires()

        self.host.tell(issuer="a", state="retrying", result="failure", reason="network", ttl_s=1100, next_s=5)
        self.fires("IssuerTokenRenewalFailing a", "IssuerTokenRunsOut a")

        self.alive("a")
        self.fires()

        self.host.tell(issuer="a", state="capped", result="success", reason="max_ttl", ttl_s=5 * 86400, next_s=86400)
        self.host.tell(issuer="b", state="denied", result="failure", reason="refused", ttl_s=3000, next_s=1500)
        wait_for(lambda: {"IssuerTokenDiesWithin7Days a", "IssuerTokenRenewalDenied b"} <= self.firing(), "both are told")

        self.alive("b")
        self.host.tell(issuer="a", state="capped", result="success", reason="max_ttl", ttl_s=3000, next_s=86400)
        self.fires("IssuerTokenDiesWithin24Hours a", "IssuerTokenDiesWithin2Leases a")

        self.host.tell(issuer="a", state="expired", result="failure", reason="expired", ttl_s=0)
        wait_for(lambda: "IssuerTokenDead a" in self.firing(), "the death is told")
        self.assertEqual({alert for alert in self.firing() if alert.endswith(" b")}, set())

    def test_of_an_issuer_that_falls_silent(self):
        self.alive("well")
        self.host.tell(issuer="late", state="active", result="success", ttl_s=3600, next_s=-600)
        self.fires("IssuerOverdue late")
        self.assertGreaterEqual(self.prometheus.value(f'issuer_overdue_seconds{{instance="{self.instance}",issuer="late"}}'), 600)
        self.assertEqual(self.prometheus.value(f'issuer_phase{{instance="{self.instance}",issuer="late",phase="running"}}'), 1)
        self.alive("late")
        self.fires()

    def test_of_an_issuer_that_goes_in_and_out_of_trouble(self):
        self.alive("a")
        self.scraped("issuer_token_state_changes_total", 0)
        for _ in range(8):
            self.host.tell(issuer="a", state="retrying", result="failure", reason="timeout", ttl_s=3000, next_s=5)
            self.alive("a")
        self.fires("IssuerTokenFlapping a")

    def test_of_a_host_that_goes_away(self):
        self.alive("a")
        self.scraped("up", 1)
        self.host.close()
        self.fires("IssuerHostAbsent")

    def test_of_a_dashboard_whose_every_expression_finds_something(self):
        for issuer in "abc":
            self.alive(issuer)
        wait_for(lambda: (self.prometheus.value(f'count_over_time(issuer_host_info{{instance="{self.instance}"}}[1m])') or 0) >= 3,
                 "there are a few samples")
        dashboard = json.loads(DASHBOARD.read_text())
        expressions = [(panel["title"], target["expr"])
                       for panel in dashboard["panels"] for target in panel.get("targets", [])]
        expressions += [(note["name"], note["expr"]) for note in dashboard["annotations"]["list"]]
        self.assertGreater(len(expressions), 15)
        for title, expression in expressions:
            concrete = expression.replace("$__rate_interval", "1m").replace("$instance", self.instance)
            concrete = re.sub(r"\$(job|issuer)\b", ".*", concrete)
            self.assertNotIn("$", concrete, title)
            with self.subTest(title, expression=concrete):
                found = self.prometheus.query(concrete)
                self.assertTrue(found or title in EMPTY_WHEN_WELL, "it finds nothing")


if __name__ == "__main__":
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        print("SKIPPED: prometheus and promtool are not installed (package prometheus)")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
