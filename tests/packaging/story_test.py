#!/usr/bin/env python3
"""story_test.py BUILD_DIR CMAKE FAKE_VAULT: the packages are installed on this very system, as far as the test sees it; a
host is started, its packages are upgraded, it is reloaded, restarted, and removed. By the fake Vault's own log no
renewal is missed.

The system is this one below an overlay that goes with the test, so that dpkg and the maintainer scripts run as they are.
In systemd's place is a script that does what the unit says and remembers what it was told.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import packages
from packages import run

BUILD_DIR, CMAKE, FAKE_VAULT = sys.argv[1:4]
GENEROUS = 60
TTL_S = 10  # a restart on a busy machine takes seconds

SYSTEMCTL = """#!/bin/sh
echo "$*" >>/var/log/systemctl
for word; do case $word in --*) ;; *) verb=${verb:-$word} ;; esac; done
pid=$(cat /run/issuer-host.pid 2>/dev/null)
start() {
	setpriv --reuid=issuer-host --regid=issuer-host --init-groups issuer-host run \\
		--config /etc/issuer-host/host.json --control /run/issuer-host/control.sock >>/var/log/issuer-host 2>&1 &
	echo $! >/run/issuer-host.pid
}
stop() {
	kill "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}
case $verb in
is-active) kill -0 "$pid" 2>/dev/null ;;
reload) kill -HUP "$pid" ;;
start) start ;;
try-restart) kill -0 "$pid" 2>/dev/null && stop && start ;;
stop | disable) stop ;;
esac
"""


def overlaid(folder):
    """This system, seen through an overlay at `folder`."""
    run("mount", "-t", "tmpfs", "tmpfs", folder)
    for name in ("upper", "work", "root"):
        (folder / name).mkdir()
    root = folder / "root"
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work", root)
    run("mount", "--bind", "/proc", root / "proc")
    run("mount", "--bind", "/dev", root / "dev")
    run("mount", "-t", "tmpfs", "tmpfs", root / "run")
    return root


class Story(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(self.entered(tempfile.TemporaryDirectory()))
        self.root = ROOT

    def entered(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def inside(self, *command):
        return run("chroot", self.root, *command)

    def install(self, *files):
        for file in files:
            (self.root / "tmp" / file.name).write_bytes(file.read_bytes())
        self.inside("dpkg", "--install", *(f"/tmp/{file.name}" for file in files))

    def log(self):
        file = self.root / "var/log/issuer-host"
        return file.read_text().splitlines() if file.exists() else []

    def wait_for(self, condition, what):
        deadline = time.monotonic() + GENEROUS
        while time.monotonic() < deadline:
            if value := condition():
                return value
            threading.Event().wait(0.02)
        self.fail("\n".join([what, *self.log()[-20:]]))

    def says(self, text, after=0):
        self.wait_for(lambda: any(text in line for line in self.log()[after:]), f"the host says {text!r}")
        return len(self.log())

    def told(self):
        return (self.root / "var/log/systemctl").read_text().splitlines()

    def test_no_renewal_is_missed_from_the_installation_to_the_removal(self):
        ours = packages.build(BUILD_DIR, CMAKE, self.work)
        host, plugin = ours["issuer-host"], ours["issuer-plugin-vault"]
        systemctl = self.root / "usr/local/bin/systemctl"
        systemctl.write_text(SYSTEMCTL)
        systemctl.chmod(0o755)
        (self.root / "run/systemd/system").mkdir(parents=True)

        self.install(host, plugin)
        self.assertIn("daemon-reload", self.told())
        self.assertRegex((self.root / "etc/passwd").read_text(), r"(?m)^issuer-host:")
        self.assertRegex((self.root / "etc/group").read_text(), r"(?m)^issuer-status:.*\bissuer-host\b")

        vault = self.entered(subprocess.Popen([FAKE_VAULT, "--root-token", "root"], stdout=subprocess.PIPE, text=True))
        self.addCleanup(vault.terminate)
        address = re.search(r"http://\S+", vault.stdout.readline())[0]
        request = urllib.request.Request(f"{address}/v1/auth/token/create", json.dumps({"ttl": f"{TTL_S}s"}).encode(),
                                         {"X-Vault-Token": "root"})
        token = json.load(urllib.request.urlopen(request, timeout=GENEROUS))["auth"]["client_token"]
        self.configure(address, token)
        self.inside("systemctl", "start", "issuer-host.service")
        self.addCleanup(lambda: self.inside("systemctl", "stop", "issuer-host.service") if self.alive() else None)
        self.says("  renewed ")
        self.assertIn("1 issuer: 1 well", self.inside("setpriv", "--reuid=65534", "--regid=65534", "--groups=issuer-status",
                                                      "issuer-host", "status", "--control", "/run/issuer-host/control.sock"))

        said = len(self.told())
        self.install(packages.repacked(plugin, "9.0.0", self.work))
        self.assertIn("reload issuer-host.service", self.told()[said:])
        after = self.says(" swapped ")
        self.says("  renewed ", after)

        said = len(self.told())
        self.install(packages.repacked(host, "9.0.0", self.work))
        self.assertIn("try-restart issuer-host.service", self.told()[said:])
        after = self.says(" started ", after)
        self.says("  renewed ", after)
        self.assertIn("vault/9.0.0/", self.inside("issuer-host", "status", "--json", "--control",
                                                  "/run/issuer-host/control.sock"))
        after = len(self.log())
        self.inside("systemctl", "reload", "issuer-host.service")
        self.says(" reloaded ", after)
        after = len(self.log())
        self.inside("systemctl", "try-restart", "issuer-host.service")
        after = self.says(" started ", after)
        self.says("  renewed ", after)  # with two spaces: «; renewed 2 s after each renewal» is another line's end

        asked = json.load(urllib.request.urlopen(f"{address}/fake/log", timeout=GENEROUS))["requests"]
        self.assertEqual({entry["status"] for entry in asked if entry["who"] == "token"}, {200})
        times = [entry["at"] for entry in asked if entry["call"] == "renew-self"]
        self.assertGreaterEqual(len(times), 4)
        self.assertLess(max(later - sooner for sooner, later in zip(times, times[1:])), TTL_S * 1000)

        self.inside("dpkg", "--remove", "issuer-host")
        self.assertFalse(self.alive(), "its program is gone and it runs on")
        self.assertTrue((self.root / "etc/issuer-host/host.json").exists(), "the operator's own file is gone")
        self.inside("dpkg", "--purge", "issuer-host", "issuer-plugin-vault")
        self.assertFalse((self.root / "var/lib/issuer-host").exists())
        self.assertFalse((self.root / "usr/lib/issuer/plugins/vault").exists())

    def configure(self, address, token):
        """As docs/operating.md says, from the example that the package has left."""
        etc = self.root / "etc/issuer-host"
        example = (etc / "host.json.example").read_text()
        config = json.loads(re.sub(r"^ *//.*$", "", example, flags=re.MULTILINE))
        config["issuers"][0]["config"]["address"] = address
        config["http"]["listen"] = "127.0.0.1:0"
        (etc / "host.json").write_text(json.dumps(config))
        (etc / "vault-token").write_text(token)
        self.inside("chgrp", "issuer-host", "/etc/issuer-host/vault-token")
        (etc / "vault-token").chmod(0o640)
        for folder, mode in (("run/issuer-host", "0711"), ("var/lib/issuer-host", "0750")):
            self.inside("install", "-d", "-o", "issuer-host", "-g", "issuer-host", "-m", mode, f"/{folder}")

    def alive(self):
        return subprocess.run(["chroot", self.root, "systemctl", "is-active"], check=False).returncode == 0


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(77)


if __name__ == "__main__":
    if os.geteuid() != 0:
        skip("only root can see this system through an overlay")
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:  # in a chroot, say
        skip("no mounts of the test's own can be had here")
    if "ISSUER_STORY" not in os.environ:  # with mounts of its own, which go with it
        os.environ["ISSUER_STORY"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory() as folder:
        try:
            ROOT = overlaid(pathlib.Path(folder))
        except AssertionError as error:
            skip(f"no overlay can be mounted here: {error}")
        code = unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful()
        run("umount", "--recursive", folder)
    sys.exit(0 if code else 1)
