"""Writes the inputs that the fuzz targets begin with: seeds.py CAPTURES OUTPUT

One folder a target, one file an input. Made from the recorded exchanges, so that they are what real servers say.
"""
import json
import sys
from pathlib import Path

REASONS = {200: "OK", 204: "No Content", 307: "Temporary Redirect"}

DURATIONS = ["90", "0", "1.5", "90s", "1h30m", "768h", "1d12h", ".5s", "500ms", "250us", "250µs", "-5s", "5min", "9" * 30]

CONFIGS = [
    '{"address":"https://vault.example:8200","token":{"file":"/t"}}',
    '{"address":["http://[::1]:8200","unix:///s"],"namespace":"a/b","token":{"env":"T"},"startup":"background",'
    '"startup_timeout":"1m30s","proxy":"http://p:3128","follow_redirects":"any"}',
    '{"address":"https://v","token":{"value":"s.\\u0041\\/b"},"tls":{"ca_file":"/a","ca_dir":"/b","client_cert":"/c",'
    '"client_key":"/d","server_name":"n","insecure_skip_verify":true},"renewal":{"fraction":0.5,"jitter":0,'
    '"min_interval":1.5,"request_timeout":"5s","increment":"1h"}}',
    '{"address":"https://v.","token":{"env":"T"},"proxy":"http://u%40:p@q@[fe80::1%25e]:1/"}',
    '"}}', '","x":1}}', '"},"tls":{}}',
]

HTTP_REPLIES = [
    b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"er\r\n9\r\nrors":[]}\r\n0\r\n\r\n',
    b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked, chunked\r\n\r\n9\r\nForbidden\r\n0\r\nA: b\r\n\r\n",
    b"HTTP/1.1 502 No\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08",
    b'HTTP/1.1 400 No\r\n\r\n{"x":{"y":["\\\\\\"]"]},"error":{"message":"m","n":null},"errors":["a",{"b":"c"},[1]]}',
]

TOKENS = ["s.TOKEN_A", "hvs.CAESI\n", " \t b.AAAA \r\n", "", "two words", "s.\x01", "s.\u00f6", "x" * 300]


def write(folder, name, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name.replace("/", "-")).write_bytes(content)


def body_of(response):
    body = response["body"]
    return body.encode() if isinstance(body, str) else json.dumps(body).encode() + b"\n"


def http(response, chunked):
    """The reply as bytes, behind one byte that is the size of the pieces it comes in."""
    body = body_of(response)
    status = response["status"]
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Something')}"]
    lines += [f"{name}: {value}" for name, value in response["headers"].items()]
    if chunked:
        half = len(body) // 2
        pieces = [piece for piece in (body[:half], body[half:]) if piece]
        lines.append("Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif status != 204:
        lines.append(f"Content-Length: {len(body)}")
    return b"\x07" + "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def login_digits(path):
    """The request that fuzz_login makes: its operation and its method."""
    ends = {"/unwrap": 1, "/wrapping/lookup": 3, "/secret-id/lookup": 4, "/revoke-self": 5}
    operation = next((number for end, number in ends.items() if path.endswith(end)), 0)
    methods = ["approle", "kubernetes", "jwt", "cert", "userpass", "ldap"]
    method = next((number for number, name in enumerate(methods) if f"/{name}/" in path), 0)
    return f"{operation}{method}"


def main():
    captures, output = Path(sys.argv[1]), Path(sys.argv[2])
    written = 0
    for path in sorted(captures.rglob("*.json")):
        capture = json.loads(path.read_text())
        if "response" not in capture:
            continue
        name = str(path.relative_to(captures).with_suffix(""))
        response = capture["response"]
        headers = response["headers"]
        operation = "L" if capture["request"]["method"] == "GET" else "R"
        head = [operation, str(response["status"]), headers.get("Retry-After", ""), headers.get("Location", "")]
        write(output / "classify", name, "\n".join(head).encode() + b"\n" + body_of(response))
        login = "\n".join([login_digits(capture["request"]["path"]), *head[1:]])
        write(output / "login", name, login.encode() + b"\n" + body_of(response))
        write(output / "reply", name, http(response, chunked=written % 2 == 1))
        written += 1
    for number, reply in enumerate(HTTP_REPLIES):
        write(output / "reply", str(number), b"\x03" + reply)
    for target, texts in (("config", CONFIGS), ("duration", DURATIONS), ("token", TOKENS)):
        for number, text in enumerate(texts):
            write(output / target, str(number), text.encode())
    print(f"{written} exchanges, {len(CONFIGS)} configurations, {len(DURATIONS)} durations, {len(TOKENS)} tokens")
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main())
