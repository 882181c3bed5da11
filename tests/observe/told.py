"""Shared by the tests of this folder: the scripted host, a real Prometheus, and waiting for a condition."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

GENEROUS = 60  # seconds to wait for something that takes one on an idle machine


def wait_for(condition, what, pause_s=0.02):
    """Returns the condition's first truthy value; asks again and again, for a loaded machine may be slow."""
    deadline = time.monotonic() + GENEROUS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        threading.Event().wait(pause_s)
    raise AssertionError(f"{what}: it did not happen within {GENEROUS} s")


def get(url):
    with urllib.request.urlopen(url, timeout=GENEROUS) as answer:
        return answer.read().decode()


def instance_of(url):
    """Returns the label `instance` that Prometheus gives the host at this URL."""
    return urllib.parse.urlparse(url).netloc


class ScriptedHost:
    """See tests/support/scripted_host/scripted_host.cpp."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.tell(action="ready", text="as the script says")

    def tell(self, **line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n"

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(GENEROUS)


def listening_port(pid):
    """The port that a process, told to choose one, listens at; None: not yet. Not all of them say."""
    inodes = set()
    with contextlib.suppress(OSError):
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(entry)
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                return int(fields[1].rpartition(":")[2], 16)
    return None


class Prometheus:
    """A real one, that scrapes and evaluates as fast as it can."""

    def __init__(self, urls, rules):
        self.folder = tempfile.mkdtemp(prefix="issuer-prometheus-")
        config = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
                  "scrape_configs": [{"job_name": "issuer-host",
                                      "static_configs": [{"targets": [instance_of(url) for url in urls]}]}],
                  "rule_files": ["rules.yml"]}
        pathlib.Path(self.folder, "rules.yml").write_text(rules)
        pathlib.Path(self.folder, "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        self.log = open(pathlib.Path(self.folder, "log"), "w+")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
             "--web.listen-address=127.0.0.1:0", "--log.level=warn"], stdout=self.log, stderr=self.log)
        port = wait_for(lambda: listening_port(self.process.pid) or self._must_live(), "Prometheus listens")
        self.url = f"http://127.0.0.1:{port}"
        wait_for(self._is_ready, "Prometheus is ready")

    def _must_live(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError("Prometheus has ended: " + self.log.read())

    def _is_ready(self):
        self._must_live()
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return "Ready" in get(self.url + "/-/ready")

    def query(self, expression):
        """The result's samples as (labels, value); a wrong expression raises with Prometheus' words."""
        url = self.url + "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            answer = json.loads(get(url))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]

    def value(self, expression):
        samples = self.query(expression)
        return samples[0][1] if samples else None

    def firing(self, instance):
        """Which alerts fire for whom at one host, as {"Alert issuer"}."""
        return {" ".join(filter(None, (labels["alertname"], labels.get("issuer"))))
                for labels, _ in self.query(f'ALERTS{{alertstate="firing",instance="{instance}"}}')}

    def close(self):
        self.process.kill()
        self.process.wait(GENEROUS)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
