#!/usr/bin/env python3
"""container_test.py TOOL IMAGE: TOOL (docker or podman) runs IMAGE as docs/containers.md says, without any privilege and
with a read-only root: the host in it renews a token, and is asked for its health. Port 9464 must be free.

Not among ctest's tests, since it needs an image:

    podman build -f packaging/container/Containerfile -t issuer-host . && tests/packaging/container_test.py podman issuer-host
"""
import http.server
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest

TOOL, IMAGE = sys.argv[1:]
SOURCE = pathlib.Path(__file__).resolve().parents[2]
GENEROUS_S = 60
TOKEN = "hvs.tokenOfTheContainerTest"
CONFINED = "--read-only --cap-drop all --security-opt no-new-privileges"


class Vault(http.server.BaseHTTPRequestHandler):
    """Answers look-ups and renewals of one token with a lease of 2 s."""
    renewed = threading.Event()

    def answer(self, body):
        if self.headers["X-Vault-Token"] != TOKEN:
            return self.send_error(403)
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.answer({"data": {"ttl": 2, "creation_ttl": 2, "renewable": True, "type": "service"}})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.answer({"auth": {"client_token": TOKEN, "lease_duration": 2, "renewable": True}})
        self.renewed.set()

    do_PUT = do_POST

    def log_message(self, *_):
        pass


def run(*command, code=0):
    done = subprocess.run([TOOL, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=GENEROUS_S)
    if done.returncode != code:
        raise AssertionError(f"{[TOOL, *command]} returned {done.returncode}:\n{done.stdout}")
    return done.stdout.strip()


class Container(unittest.TestCase):
    def setUp(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vault)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        work = pathlib.Path(folder.name)
        config = json.loads((SOURCE / "packaging/kubernetes/host.json").read_text())
        issuer, = config["issuers"]
        issuer["config"]["address"] = f"http://127.0.0.1:{server.server_port}"
        del issuer["config"]["tls"]
        (work / "host.json").write_text(json.dumps(config))
        (work / "secrets").mkdir()
        (work / "secrets/vault-token").write_text(TOKEN)
        self.container = run("run", "--detach", *CONFINED.split(), "--network", "host",
                             "-v", f"{work}/host.json:/etc/issuer-host/host.json:ro",
                             "-v", f"{work}/secrets:/run/secrets/issuer:ro", IMAGE).splitlines()[-1]
        self.addCleanup(run, "rm", "--force", "--volumes", self.container)

    def inside(self, *command, code=0):
        return run("exec", self.container, *command, code=code)

    def healthy(self):
        """Runs the health check that the image names."""
        check = json.loads(run("inspect", "--type", "image", "--format", "{{json .Config.Healthcheck}}", IMAGE) or "null")
        kind, *command = check["Test"] if check else ["CMD", "healthz"]  # an image in OCI's format has none
        self.assertEqual(kind, "CMD")
        return subprocess.run([TOOL, "exec", self.container, *command], capture_output=True).returncode == 0

    def test_runs_confined_and_renews(self):
        told = (SOURCE / "docs/containers.md").read_text()
        self.assertIn(CONFINED, told)
        if not Vault.renewed.wait(GENEROUS_S):
            self.fail("no renewal; the container says:\n" + run("logs", self.container))
        self.assertTrue(self.healthy())
        self.assertIn("1 issuer: 1 well", self.inside("issuer-host", "status"))

        process = dict(re.findall(r"^(\w+):\s*(.*)$", self.inside("cat", "/proc/1/status"), re.MULTILINE))
        self.assertEqual(process["Uid"].split(), ["10001"] * 4)
        self.assertEqual(process["Gid"].split(), ["10001"] * 4)
        self.assertEqual({process[kind] for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}, {"0" * 16})
        self.assertEqual(process["NoNewPrivs"], "1")
        self.assertEqual(self.inside("stat", "-c", "%a %u %g", "/run/issuer-host"), "700 10001 10001")
        for path in ("/here", "/etc/issuer-host/here", "/usr/lib/issuer/plugins/here", "/var/lib/here"):
            self.assertIn("Read-only file system", self.inside("touch", path, code=1))

        self.inside("healthz", "1", code=1)  # nothing listens there
        run("stop", "-t", str(GENEROUS_S // 2), self.container)
        self.assertEqual(run("inspect", "--format", "{{.State.ExitCode}}", self.container), "0")
        log = run("logs", self.container)
        self.assertNotIn(TOKEN, log)
        for line in log.splitlines():
            json.loads(line)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
