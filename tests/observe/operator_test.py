#!/usr/bin/env python3
"""operator_test.py ISSUER_HOST VAULT_PLUGIN FAKE_VAULT: what operators reach for, through the built programs."""
import fcntl
import contextlib
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

from operated import HOST, Operated
from told import wait_for

OUTSIDER = 65534
READERS = "games"  # a group that every Debian has, without members


class Operators(Operated, unittest.TestCase):
    def fleet(self, count, **options):
        self.put_token(ttl="1h")
        host = self.run_host([self.issuer(f"team-{i:04}") for i in range(count)], **options)
        host.says("ready")
        return host

    def test_see_every_issuer_however_many_there_are(self):
        host = self.fleet(1200)
        table = host.ask("status").stdout.splitlines()
        self.assertEqual(len([line for line in table if line.startswith("team-")]), 1200)
        self.assertNotIn("more, less urgent", table[-1])
        names = host.ask("status", "--names").stdout.split()
        self.assertEqual(sorted(names), [f"team-{i:04}" for i in range(1200)])
        self.assertEqual(host.stop(), 0)

    def test_watch_a_table_that_fits_their_terminal(self):
        host = self.fleet(50)
        wait_for(lambda: "50 well" in host.ask("status").stdout, "all are well")
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 40, 0, 0))
        with subprocess.Popen([HOST, "status", "--watch", "--control", host.control], stdout=theirs) as watch:
            seen = ""
            while "more, less urgent" not in seen:
                seen += os.read(ours, 65536).decode()
            watch.send_signal(signal.SIGINT)
            self.assertEqual(watch.wait(), 0)
        os.close(theirs)
        os.close(ours)
        lines = seen.replace("\033[2J", "").replace("\033[H", "").replace("\033[K", "").replace("\r", "").splitlines()
        lines = lines[:lines.index(next(line for line in lines if "less urgent" in line)) + 1]
        self.assertLessEqual(len(lines), 9, lines)
        self.assertLessEqual(max(map(len, lines)), 40, lines)
        self.assertEqual(len([line for line in lines if line.startswith("team-")]), 6)
        self.assertIn("and 44 more", lines[-1])
        self.assertEqual(host.stop(), 0)

    def test_change_the_log_level_while_it_runs(self):
        self.put_token(ttl="2s", explicit_max_ttl="10m")
        host = self.run_host([self.issuer()])
        host.says("renewed")
        self.assertEqual(host.ask("log-level", "error").returncode, 0)
        renewals = lambda: len([1 for entry in self.vault.ask("/fake/log")["requests"] if "renew-self" in str(entry)])
        asked, lines = renewals(), len(host.lines)
        wait_for(lambda: renewals() >= asked + 3, "renewals go on")
        self.assertLessEqual(len(host.lines) - lines, 1)  # one that was under way
        said = host.ask("log-level", "info")
        self.assertEqual((said.returncode, said.stdout), (0, "the log has lines of level info and above\n"))
        quiet = len(host.lines)
        wait_for(lambda: any("  renewed " in line for line in host.lines[quiet:]), "lines come again")
        self.assertEqual(host.ask("log-level", "loud").returncode, 64)
        self.assertEqual(host.stop(), 0)

    def test_of_the_readers_group_may_look_and_change_nothing(self):
        if os.geteuid() != 0:
            print("SKIPPED: only root can become a user of another group")
            return
        host = self.fleet(1, more={"control_group": READERS}.items())
        self.folder.chmod(0o711)
        host.config.chmod(0o600)
        wait_for(host.control.exists, "it listens")

        def as_outsider(*command, groups):
            return host.ask(*command, user=OUTSIDER, group=OUTSIDER, extra_groups=groups)

        self.assertEqual(as_outsider("status", groups=[READERS]).returncode, 0)
        for command in (("renew", "team-0000"), ("log-level", "debug")):
            refused = as_outsider(*command, groups=[READERS])
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("may ask for status, issuers and fleet alone", refused.stderr)
        stranger = as_outsider("status", groups=[])
        self.assertEqual(stranger.returncode, 69)
        self.assertIn("it is open to the host's own user, to root and to the group of control_group", stranger.stderr)
        self.assertEqual(host.control.stat().st_mode & 0o777, 0o660)
        self.assertEqual(host.stop(), 0)

    def test_are_told_of_a_readers_group_that_does_not_exist(self):
        host = self.fleet(1, more={"control_group": "no-such-group"}.items())
        host.says('there is no group "no-such-group"')
        self.assertEqual(host.stop(), 0)

    def test_have_all_issuers_examined_side_by_side_and_see_how_far_it_is(self):
        self.put_token(ttl="1h")
        count, slow = 30, 2
        config = self.folder / "host.json"
        config.write_text(json.dumps({"issuers": [self.issuer(f"team-{i}") for i in range(count)]}))
        self.vault.ask("/fake/faults", {"fault": "latency", "delay": f"{slow}s"})
        ours, theirs = pty.openpty()
        begun = time.monotonic()
        done = subprocess.run([HOST, "doctor", "--config", config], text=True, stdout=subprocess.PIPE, stderr=theirs,
                              timeout=300, check=False)
        self.assertLess(time.monotonic() - begun, count * slow / 2, "one after the other")
        os.close(theirs)
        progress = b""
        with contextlib.suppress(OSError):  # EIO: the other end is closed, and all of it was read
            while more := os.read(ours, 65536):
                progress += more
        os.close(ours)
        progress = progress.decode()
        counts = [int(n) for n in re.findall(r"(\d+) of 30 issuers looked at", progress)]
        # Several that end in one moment are shown at once, so that not every number appears.
        self.assertEqual(counts, sorted(set(counts)))
        self.assertEqual(counts[0], 0)
        self.assertGreater(counts[-1], 0)
        self.assertEqual(re.findall(r"^(team-\d+)  \(", done.stdout, re.MULTILINE), [f"team-{i}" for i in range(count)])
        self.assertIn("30 issuers, 0 problems", done.stdout)

    def test_move_or_cut_off_the_journal_file_as_logrotate_does_and_lose_no_line(self):
        self.put_token(ttl="2s", explicit_max_ttl="10m")
        journal = self.folder / "journal.jsonl"
        # A busy disk may take its time for the last lines; those of a host that waits no longer are lost, exit code 70.
        host = self.run_host([self.issuer()], more={"journal": {"file": str(journal)}, "stop_timeout": "50s"}.items())

        def renewed(file):
            return file.exists() and sum('"renewal"' in line for line in file.read_text().splitlines())

        wait_for(lambda: renewed(journal), "it is written")
        moved = journal.rename(self.folder / "journal.jsonl-moved")
        wait_for(lambda: renewed(journal), "a new file is begun where the old one was")
        with open(journal, "r+", encoding="utf-8") as file:  # as copytruncate: lines written between the two are lost
            copied = file.read()
            file.truncate(0)
        wait_for(lambda: renewed(journal), "it goes on where it was cut off")
        self.assertEqual(host.stop(), 0, host.lines)
        lines = (moved.read_text() + copied + journal.read_text()).splitlines()
        self.assertFalse([line for line in lines if "\0" in line or not json.loads(line)])
        asked = [entry for entry in self.vault.ask("/fake/log")["requests"] if entry["call"] == "renew-self"]
        self.assertGreaterEqual(sum('"renewal"' in line for line in lines), len(asked) - 1)
        self.assertFalse([line for line in host.lines if "journal" in line])

    def test_ten_thousand_starts_are_all_in_the_log_and_the_journal_file(self):
        self.put_token(ttl="1h")
        journal = self.folder / "journal.jsonl"
        issuers = [self.issuer(f"team-{i:05}") for i in range(10_000)]
        host = self.run_host(issuers, more={"journal": {"file": str(journal), "max_mib": 1024}}.items())
        wait_for(lambda: sum("with Vault" in line for line in list(host.lines)) == 10_000, "each start is in the log")
        self.assertEqual(host.stop(), 0)
        kept = journal.read_text().splitlines()
        self.assertEqual(sum("with Vault" in line for line in kept), 10_000)
        for lines in (host.lines, kept):
            self.assertFalse([line for line in lines if "dropped" in line or "lost" in line])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
