"""A cluster of real etcd members on loopback, with links between them, and with TLS and users if asked for."""
import base64
import json
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
import zlib

from link import Link
from processes import Process, free_ports, wait_for

EVERYTHING = base64.b64encode(b"\0").decode()


def have_etcd():
    return shutil.which("etcd") is not None


class PortTaken(Exception):
    """Another program has taken a port meanwhile."""


class Certificates:
    """A CA, a certificate for etcd, and one without a common name for its clients."""

    def __init__(self, folder):
        folder.mkdir()
        self._folder = folder
        self.ca = self._make("ca", "/CN=test-ca", "basicConstraints=critical,CA:TRUE", None)
        usages = "extendedKeyUsage=serverAuth,clientAuth"
        self.server = self._make("etcd", "/O=etcd", f"{usages}\nsubjectAltName=IP:127.0.0.1", "ca")
        self.client = self._make("host", "/O=issuer-host", "extendedKeyUsage=clientAuth", "ca")

    def _make(self, name, subject, extensions, by):
        key, request, certificate = (self._folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj",
                      subject, "-out", request)
        (self._folder / f"{name}.ext").write_text(extensions + "\n")
        signer = ["-signkey", key] if by is None else ["-CA", self._folder / f"{by}.pem", "-CAkey",
                                                       self._folder / f"{by}.key", "-CAcreateserial"]
        self._openssl("x509", "-req", "-in", request, "-days", "2", "-extfile", self._folder / f"{name}.ext", *signer,
                      "-out", certificate)
        return certificate, key

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Etcd:
    """Three etcd members. `quota`: bytes of each; 0: as etcd does unless told. `is_guarded`: with TLS, client certificates
    and users."""

    PASSWORDS = {"root": "pass-of-root", "issuer-host": "pass-of-issuer-host"}

    def __init__(self, folder, quota=0, is_guarded=False, size=3):
        self._folder = folder
        self._quota = quota
        self.certificates = Certificates(folder / "pki") if is_guarded else None
        self.scheme = "https" if is_guarded else "http"
        self._has_users = False
        for attempt in range(5):
            try:
                self._begin(size)
                break
            except PortTaken:
                self.close()
                assert attempt < 4, "etcd finds no free port"
            except BaseException:
                self.close()
                raise
        if is_guarded:
            self._make_users()

    def _begin(self, size):
        ports = free_ports(2 * size)
        self.endpoints = [f"127.0.0.1:{port}" for port in ports[:size]]
        self._listens_to_peers = [f"http://127.0.0.1:{port}" for port in ports[size:]]
        self.to_peers = [Link(f"127.0.0.1:{port}") for port in ports[size:]]
        self._running = [None] * size
        for i in range(size):
            shutil.rmtree(self._data(i), ignore_errors=True)
            self.start(i)

        def stands():
            if any(one.process.poll() is not None for one in self._running):
                raise PortTaken
            return self._read(self.endpoints[0], 1)
        wait_for(stands, "etcd has a quorum")

    def start(self, i):
        peers = [f"http://{link.address}" for link in self.to_peers]
        cluster = ",".join(f"etcd-{n}={peer}" for n, peer in enumerate(peers))
        url = f"{self.scheme}://{self.endpoints[i]}"
        options = []
        if self.certificates:
            certificate, key = self.certificates.server
            options = ["--cert-file", certificate, "--key-file", key, "--client-cert-auth", "--trusted-ca-file",
                       self.certificates.ca[0]]
        self._running[i] = Process([
            "etcd", "--name", f"etcd-{i}", "--data-dir", self._data(i), "--log-level", "error",
            "--listen-client-urls", url, "--advertise-client-urls", url,
            "--listen-peer-urls", self._listens_to_peers[i], "--initial-advertise-peer-urls", peers[i],
            "--initial-cluster", cluster, "--initial-cluster-token", "issuer-fleet",
            "--quota-backend-bytes", self._quota, "--unsafe-no-fsync", *options])

    def _data(self, i):
        return self._folder / f"etcd-{i}"

    def end(self, i, number):
        self._running[i].end(number)

    def kill(self, i):
        self._running[i].end()

    def restart(self, i, number):
        """Ends a member with a signal, starts it, and waits until the cluster is whole."""
        self._running[i].end(number)
        self.start(i)
        self.awaits_quorum(i)

    def wipe(self):
        """Kills all members and starts them without their data."""
        for i, one in enumerate(self._running):
            one.end()
            shutil.rmtree(self._data(i))
        for i in range(len(self._running)):
            self.start(i)
        self.awaits_quorum()

    def cut_off(self, i):
        """Swallows all bytes between one member and the others."""
        alone = self._running[i].process.pid
        for n, link in enumerate(self.to_peers):
            link.swallow(lambda client, n=n: n == i or client == alone)

        def is_noticed():
            other, cut = (self.ask("maintenance/status", {}, self.endpoints[n]) for n in ((i + 1) % 3, i))
            return other.get("leader", "0") not in ("0", cut["header"]["member_id"]) and cut.get("leader", "0") == "0"
        wait_for(is_noticed, f"etcd-{i} knows no leader, and the others have one")

    def join_up(self):
        for link in self.to_peers:
            link.flow()

    def leader(self):
        for i, endpoint in enumerate(self.endpoints):
            if self._running[i].process.poll() is None:
                status = self.ask("maintenance/status", {}, endpoint)
                if status["header"]["member_id"] == status["leader"]:
                    return i
        raise AssertionError("etcd has no leader")

    def ask(self, method, body, endpoint=None):
        """Asks the endpoint, or the first one whose member runs."""
        if endpoint is None:
            endpoint = next(at for at, one in zip(self.endpoints, self._running) if one.process.poll() is None)
        headers = {"Authorization": self._token(endpoint)} if self._has_users else {}
        return self._post(method, body, endpoint, headers)

    def _post(self, method, body, endpoint, headers):
        tls = None
        if self.certificates:
            tls = ssl.create_default_context(cafile=self.certificates.ca[0])
            tls.load_cert_chain(*self.certificates.client)
        request = urllib.request.Request(f"{self.scheme}://{endpoint}/v3/{method}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10, context=tls) as answer:
            return json.load(answer)

    def _token(self, endpoint):
        login = {"name": "root", "password": self.PASSWORDS["root"]}
        return self._post("auth/authenticate", login, endpoint, {})["token"]

    def _make_users(self):
        for user, password in self.PASSWORDS.items():
            self.ask("auth/user/add", {"name": user, "password": password})
            self.ask("auth/role/add", {"name": user})
            self.ask("auth/user/grant", {"user": user, "role": user})
        first, end = (base64.b64encode(text).decode() for text in (b"/issuer/", b"/issuer0"))
        self.ask("auth/role/grant", {"name": "issuer-host",
                                     "perm": {"permType": "READWRITE", "key": first, "range_end": end}})
        self.ask("auth/enable", {})
        self._has_users = True

    def _read(self, endpoint=None, limit=0):
        """Returns what etcd holds; none: it does not answer now."""
        try:
            return self.ask("kv/range", {"key": EVERYTHING, "range_end": EVERYTHING, "limit": str(limit)}, endpoint)
        except OSError:
            return None

    def awaits_quorum(self, i=0):
        wait_for(lambda: self._read(self.endpoints[i], 1), "etcd has a quorum")

    def fill(self):
        """Writes until its space is used up."""
        junk = base64.b64encode(bytes(256 * 1024)).decode()
        for number in range(10_000):
            try:
                self.ask("kv/put", {"key": base64.b64encode(b"junk/%d" % number).decode(), "value": junk})
            except urllib.error.HTTPError as refused:
                if b"space exceeded" in refused.read():
                    return
        raise AssertionError("etcd is never full")

    def empty(self):
        """Frees what fill() has written, and disarms the alarms."""
        first, end = (base64.b64encode(text).decode() for text in (b"junk/", b"junk0"))
        deleted = self.ask("kv/deleterange", {"key": first, "range_end": end})
        self.ask("kv/compaction", {"revision": deleted["header"]["revision"], "physical": True})
        for endpoint in self.endpoints:
            self.ask("maintenance/defragment", {}, endpoint)
        for alarm in self.ask("maintenance/alarm", {}).get("alarms", []):
            self.ask("maintenance/alarm", {"action": "DEACTIVATE", "memberID": alarm["memberID"],
                                           "alarm": alarm["alarm"]})

    def dump(self):
        """All keys and values, and what is deflated in them, as bytes."""
        pairs = {}
        for pair in wait_for(self._read, "etcd is read").get("kvs", []):
            value = base64.b64decode(pair.get("value", ""))
            head, zero, packed = value.partition(b"\0")
            for bits in (15, -15, 31):
                try:
                    value = head + zero + zlib.decompress(packed, bits)
                    break
                except zlib.error:
                    pass
            pairs[base64.b64decode(pair["key"]).decode()] = value
        return pairs

    def close(self):
        for one in self._running:
            if one:
                one.end()
        for link in self.to_peers:
            link.close()
