#!/usr/bin/env python3
"""dead_mount_test.py HOST PLUGIN: files of a host lie on a file system that answers nothing: FUSE, with nothing behind
/dev/fuse. Every program that looks there waits in the kernel, as on a network mount whose server is gone.

The mount is in a namespace of the test's own, for which no rights are needed where the system lets users have one.
"""
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

HOST, PLUGIN = sys.argv[1:3]
GENEROUS = 60
MS_NOSUID_NODEV = 6
SILENT = "neither its file system nor"


def mounted_dead(folder):
    """Returns the descriptor that holds the mount; the mount is over when it is closed."""
    fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"dead", str(folder).encode(), b"fuse", MS_NOSUID_NODEV, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount: {os.strerror(ctypes.get_errno())}")
    return fuse


class Running:
    """A host whose output is read as it comes."""

    def __init__(self, config):
        self.host = subprocess.Popen([HOST, "run", "--config", config], stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True)
        self.watchdog = threading.Timer(GENEROUS, self.host.kill)
        self.watchdog.daemon = True
        self.watchdog.start()
        self.rest = ""

    def await_line(self, text):
        for line in self.host.stdout:
            if text in line:
                return line
        raise AssertionError(f"the host ended without a line with «{text}»")

    def end(self):
        """SIGTERM, and the exit code; the host has its stop_timeout and a second, on a loaded machine more. Its last lines
        are in `rest`."""
        self.host.terminate()
        self.rest = self.host.stdout.read()
        self.host.stdout.close()
        code = self.host.wait(GENEROUS)
        self.watchdog.cancel()
        return code


class DeadMount(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.folder = pathlib.Path(temp.name)
        self.dead = self.folder / "dead"
        self.dead.mkdir()
        self.fuse = mounted_dead(self.dead)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.dead], check=True)
        self.addCleanup(os.close, self.fuse)
        self.config = self.folder / "host.json"

    def configure(self, **more):
        good = {"name": "good", "plugin": PLUGIN, "config": {}}
        issuers = more.pop("issuers", []) + [good]
        self.config.write_text(json.dumps({"issuers": issuers, "stop_timeout": "1s", **more}))

    def test_under_a_configuration_is_told_and_may_pass(self):
        for command in ("run", "check", "doctor"):
            ended = subprocess.run([HOST, command, "--config", self.dead / "host.json"], capture_output=True,
                                   text=True, timeout=GENEROUS)
            self.assertIn(SILENT, ended.stderr)
            self.assertEqual(ended.returncode, 75, command)

    def test_in_place_of_a_configuration_leaves_a_running_host_as_it_is(self):
        self.configure()
        host = Running(self.config)
        host.await_line("good  renewed")
        self.config.unlink()
        self.config.symlink_to(self.dead / "host.json")
        host.host.send_signal(1)
        host.await_line(SILENT)
        self.assertIn(host.end(), (0, 70))

    def test_under_a_plugin_costs_its_issuer_alone(self):
        self.configure(issuers=[{"name": "bad", "plugin": str(self.dead / "plugin.so"), "config": {}}])
        host = Running(self.config)
        host.await_line("good  renewed")
        host.await_line(SILENT)
        self.assertEqual(host.end(), 70)

    def test_under_the_journal_the_page_and_the_control_socket_costs_no_renewal(self):
        self.configure(journal={"file": str(self.dead / "journal")}, control=str(self.dead / "control.sock"),
                       http={"listen": "127.0.0.1:0",
                             "tls": {"certificate": str(self.dead / "cert"), "key": str(self.dead / "key")}})
        host = Running(self.config)
        host.await_line("does not listen yet: a file system has not answered")
        host.await_line("good  renewed")
        self.assertIn("its lines are kept for a while", host.await_line("its file system has not answered for 5 s"))
        self.assertEqual(host.end(), 70)
        self.assertIn("the last lines of the log or the journal file are not written within stop_timeout", host.rest)


if __name__ == "__main__":
    if "ISSUER_OWN_MOUNTS" not in os.environ:
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            print("SKIPPED: this machine has no /dev/fuse for its users")
            sys.exit(77)
        unshare = ["unshare", "--user", "--map-root-user", "--mount"]
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
            print("SKIPPED: no mounts of the test's own can be had here")
            sys.exit(77)
        os.execvpe(unshare[0], [*unshare, sys.executable, *sys.argv], {**os.environ, "ISSUER_OWN_MOUNTS": "1"})
    unittest.main(argv=sys.argv[:1])
