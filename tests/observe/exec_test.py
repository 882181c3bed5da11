#!/usr/bin/env python3
"""exec_test.py ISSUER_HOST VAULT_PLUGIN FAKE_VAULT: what a host runs, or posts, when something becomes of a token."""
import http.server
import json
import os
import pathlib
import sys
import threading
import time
import unittest

from operated import Operated
from told import wait_for


def posters():
    """The command lines of all processes that post an event now."""
    lines = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            lines.append((process / "cmdline").read_bytes())
        except OSError:  # it has ended
            pass
    return [line for line in lines if b"post-event" in line]


class Receiver(http.server.HTTPServer):
    """A server that stores each request posted to it, and the command lines of those that post meanwhile."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Take)
        self.posted = []
        self.posters = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Take(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posters += posters()  # the one that posts waits for the answer
        self.server.posted.append((self.path, body))
        self.send_response(500 if "broken" in self.path else 204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Exec(Operated, unittest.TestCase):
    def script(self, text):
        file = self.folder / "told.sh"
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return str(file)

    def told(self):
        """The lines of JSON that the command was given."""
        file = self.folder / "told"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def named(self, event):
        return next((line for line in self.told() if line["event"] == event), None)

    def test_is_told_each_turn_of_a_tokens_life_once(self):
        command = self.script(f"cat >>{self.folder}/told; env >{self.folder}/env.$ISSUER_EVENT")
        self.put_token(ttl="2s", explicit_max_ttl="5s")
        secret = (self.folder / "token").read_text()
        host = self.run_host([self.issuer()], more={"exec": [
            {"on": ["recovered", "capped", "dead", "replaced"], "command": [command]}]}.items(),
            environment={**os.environ, "VAULT_TOKEN": "a-secret-of-the-host"})
        wait_for(lambda: self.named("capped"), "it is told that the end is fixed")
        dead = wait_for(lambda: self.named("dead"), "it is told of the end")
        self.assertEqual(dead["state"], "expired")
        self.put_token(ttl="60s")
        wait_for(lambda: self.named("replaced"), "it is told of the new token")
        self.assertEqual(host.stop(), 0)
        events = [line["event"] for line in self.told()]
        for event in ("capped", "dead", "replaced"):
            self.assertEqual(events.count(event), 1, events)
        environment = (self.folder / "env.dead").read_text()
        self.assertIn("ISSUER_NAME=team-a\n", environment)
        self.assertIn("ISSUER_STATE=expired\n", environment)
        for text in (environment, json.dumps(self.told())):
            self.assertNotIn(secret, text)
            self.assertNotIn("a-secret-of-the-host", text)

    def test_is_told_that_a_renewal_succeeds_after_one_that_failed(self):
        self.put_token(ttl="4s")
        host = self.run_host([self.issuer()], more={"exec": [
            {"on": ["recovered"], "command": [self.script(f"cat >>{self.folder}/told")]}]}.items())
        host.says("  renewed ")
        self.assertEqual(self.told(), [])
        self.vault.ask("/fake/faults", {"fault": "error", "status": 503, "text": "away", "call": "renew-self", "times": 1})
        recovered = wait_for(lambda: self.named("recovered"), "it is told that renewals succeed again")
        self.assertEqual((recovered["issuer"], recovered["state"]), ("team-a", "active"))
        self.assertTrue([line for line in host.lines if "not renewed" in line])
        self.assertEqual(host.stop(), 0)

    def test_that_hangs_is_killed_and_keeps_no_renewal_and_no_stop_waiting(self):
        command = self.script(f"echo $$ >>{self.folder}/pids; sleep 1000 & sleep 1000")
        self.put_token(ttl="2s", explicit_max_ttl="60s")
        host = self.run_host([self.issuer(str(i)) for i in range(3)], more={"exec": [
            {"on": ["replaced"], "command": [command], "timeout": "1s"},
            {"on": ["replaced"], "command": [command], "timeout": "10m"}]}.items())
        host.says("2", "renewed")
        self.put_token(ttl="2s", explicit_max_ttl="60s")
        host.says("exec", "told.sh", "it hangs: killed after 1")
        pids = self.folder / "pids"
        wait_for(lambda: len(pids.read_text().split()) == 2, "the next command is begun")
        seen = len(host.lines)
        wait_for(lambda: sum("  renewed " in line for line in host.lines[seen:]) >= 6, "renewals go on beside it")
        self.assertFalse([line for line in host.lines if "not renewed" in line])
        begun = time.monotonic()
        self.assertEqual(host.stop(), 0)
        self.assertLess(time.monotonic() - begun, 10)
        for pid in pids.read_text().split():
            wait_for(lambda pid=pid: not any(group_of(entry) == pid for entry in pathlib.Path("/proc").iterdir()),
                     "nothing of the command is left")

    def test_that_cannot_be_run_or_fails_is_said(self):
        self.put_token(ttl="60s")
        host = self.run_host([self.issuer()], more={"exec": [
            {"on": ["replaced"], "command": ["/nowhere/at-all"]},
            {"on": ["replaced"], "command": [self.script("exit 3")]}]}.items())
        host.says("alive")
        self.put_token(ttl="60s")
        host.says("exec[0], /nowhere/at-all, for issuer team-a, replaced: it cannot be started: No such file")
        host.says("exec[1]", "the process ends with exit code 3")
        self.assertEqual(host.stop(), 0)

    def test_posts_to_a_url_that_no_process_list_shows(self):
        receiver = Receiver()
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        self.put_token(ttl="60s")
        url = f"http://127.0.0.1:{receiver.server_port}"
        host = self.run_host([self.issuer()], more={"exec": [
            {"on": ["replaced"], "url": f"{url}/hook/secret-part"}, {"on": ["replaced"], "url": f"{url}/broken"}]}.items())
        host.says("alive")
        self.put_token(ttl="60s")
        wait_for(lambda: len(receiver.posted) == 2, "both are posted to")
        path, body = receiver.posted[0]
        self.assertEqual((path, body["event"], body["issuer"]), ("/hook/secret-part", "replaced", "team-a"))
        host.says("exec[1], the POST to its url, for issuer team-a, replaced: the process ends with exit code 1")
        self.assertEqual(host.stop(), 0)
        self.assertNotIn("secret-part", "".join(host.lines))
        self.assertTrue(receiver.posters)
        self.assertFalse([line for line in receiver.posters if b"secret-part" in line])

    def test_wrong_rules_are_named_by_their_place(self):
        self.put_token(ttl="60s")
        for rule, place in (({"on": ["died"], "command": ["/x"]}, "exec[0].on: "),
                            ({"on": ["dead"], "command": ["x"]}, "exec[0].command: "),
                            ({"on": ["dead"], "command": ["/x"], "url": "http://a"}, "exec[0]: one of command and url"),
                            ({"on": ["dead"], "url": "ftp://a"}, "exec[0].url: "),
                            ({"on": ["dead"], "url": "http://a", "timeout": "1h"}, "exec[0].timeout: "),
                            ({"on": ["dead"], "url": "http://a", "shell": True}, "exec[0].shell: there is no such key")):
            host = self.run_host([self.issuer()], more={"exec": [rule]}.items())
            host.says("faulty", place)
            self.assertEqual(host.stop(), 0)


def group_of(entry):
    """Returns the process group of an entry of /proc; None if it is not a process, or has ended."""
    try:
        return (entry / "stat").read_text().rsplit(")", 1)[1].split()[2] if entry.name.isdigit() else None
    except (OSError, IndexError):
        return None


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
