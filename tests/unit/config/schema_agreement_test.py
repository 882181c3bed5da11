#!/usr/bin/env python3
"""schema_agreement_test.py CONFIG_JUDGE

The published JSON Schema and the decoder say the same of the same configurations.
"""
import json
import subprocess
import sys
import unittest

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("SKIPPED: the module jsonschema is not installed (package python3-jsonschema)")
    sys.exit(77)

JUDGE = sys.argv.pop(1)
SCHEMA = json.loads(subprocess.run([JUDGE, "--schema"], check=True, capture_output=True, text=True).stdout)
LEAST = {"address": "https://vault:8200", "token": {"file": "/t"}}
# Objects that are not complete without a member: with it the others are judged.
COMPLETED = {
    "auth": {"method": "approle", "role_id": {"value": "r"}},
    "auth.sink": {"file": "/s"},
    "token": {},
}

ORIGINS = ("token", "role_id", "secret_id")  # exactly one of their members

# For each key by its path: values that are right, and values that are wrong.
TABLE = {
    "address": (
        ["https://vault", "HTTP://vault:80", "https://a_b.c-d:8200/prefix/", "https://[::1]:8200", "unix:///run/x",
         "http://[fe80::1%eth0]/a", "http://[fe80::1%25eth0]", "https://v.:8200", ["https://a"], [f"https://v{i}" for i in range(8)], "https://v:00443"],
        ["", "vault", "vault:8200", "ftp://vault", "https://", "https://.", "https://v:", "https://v:0", "https://v:-1",
         "https://v:123456", "https://::1", "https://[::1", "https://[v]", "https://v/?a=b", "https://v/#f",
         "https://a b", "https://v/a b", "https://u:p@v", "https://v\u00e4", "unix://x", "unix:///",
         "unix:///" + 107 * "a", [], [f"https://v{i}" for i in range(9)], ["vault"], [7], 7, None, {}]),
    "namespace": (["", "team-a", "a/b/", "\u007e!"], ["a b", "\u00e4", "a\nb", "a\u0000", 7, None, ["a"]]),
    "token": (
        [{"file": "/t"}, {"env": "_A1"}, {"value": "hvs.abc"}],
        [{}, {"file": "/t", "wrapped_path": "auth/token/create"}, {"file": "/t", "env": "T"}, {"fil": "/t"}, {"file": "/t", "x": 1}, "hvs.abc", None, []]),
    "token.file": (["/t", "/a b/\u00e4", "/" + 4094 * "a"], ["", "t", "./t", "~/t", "/a\nb", "/" + 4095 * "a", 7]),
    "token.env": (["T", "_", "a_B9"], ["", "9A", "A-B", "A B", "\u00c4", "A=", 7, None]),
    "token.value": (["a", " hvs.a/b_c~!\n", "a\"\\", "ab==", "nullx", "a.b=c"],
                    ["\"a\"", "'a'", "`a`", "{a", "[a", " null\n", "<nil>", "undefined", "A_1=b", "A==b", "", " ", "a b", "\u00e4", "a\u0000", "a\u007f", "\U0001f600", 7]),
    "token.wrapped": ([True, False], ["true", 1, None]),
    "token.wrapped_path": (["auth/token/create"], ["", "sys/x", 7, None]),
    "auth": (
        [{"method": "approle", "role_id": {"value": "r"}},
         {"method": "approle", "role_id": {"env": "R"}, "secret_id": {"file": "/s", "wrapped": True,
                                                                      "wrapped_path": "auth/approle/role/w/secret-id"}},
         {"method": "kubernetes", "role": "r"},
         {"method": "jwt", "jwt": {"file": "/j"}},
         {"method": "jwt", "jwt": {"file": "/j"}, "role": "r"},
         {"method": "userpass", "username": "u", "password": {"value": "p w"}},
         {"method": "ldap", "username": "u", "password": {"file": "/p"}}],
        ["", 7, None, [], {}, {"method": "approle"}, {"method": "kubernetes"}, {"method": "jwt"},
         {"method": "userpass", "username": "u"}, {"method": "ldap", "password": {"file": "/p"}},
         {"method": "approle", "role_id": {"value": "r"}, "role": "r"},
         {"method": "kubernetes", "role": "r", "secret_id": {"file": "/s"}},
         {"method": "jwt", "jwt": {"file": "/j"}, "name": "n"},
         {"method": "approle", "role_id": {"value": "r"}, "role_id_file_path": "/r"}]),
    "auth.method": (["approle"], ["", "AppRole", "oidc", 7, None]),
    "auth.mount": (["auth/approle", "auth/a/b/", "auth/a.b"], ["", "approle", "auth/", "auth//a", "auth/../x", "auth/a b", "auth/a?b", 7]),
    "auth.namespace": (["", "team-a"], ["a b", 7, None]),
    "auth.role_id": ([{"file": "/r"}, {"env": "R"}, {"value": "r"}], [{}, {"file": "/r", "env": "R"}, "r", None]),
    "auth.role_id.file": (["/r"], ["", "r", 7]),
    "auth.role_id.env": (["R"], ["9", 7]),
    "auth.role_id.value": (["r"], ["", "a b", "{a", 7]),
    "auth.secret_id": (
        [{"file": "/s"}, {"env": "S"}, {"value": "s"}, {"file": "/s", "wrapped": True},
         {"file": "/s", "remove_after_reading": True}],
        [{}, {"file": "/s", "env": "S"}, {"wrapped": True}, "s", None, {"file": "/s", "wrapped_path": "auth/a"},
         {"env": "S", "remove_after_reading": True}]),
    "auth.secret_id.file": (["/s"], ["", "s", 7]),
    "auth.secret_id.env": (["S"], ["9", 7]),
    "auth.secret_id.value": (["s"], ["", "a b", 7]),
    "auth.secret_id.wrapped": ([True, False], ["true", 1, None]),
    "auth.secret_id.wrapped_path": (["auth/approle/role/w/secret-id"], ["", "sys/x", 7, None]),
    "auth.role": ([], ["r"]),
    "auth.jwt": ([], [{"file": "/j"}]),
    "auth.name": ([], ["n"]),
    "auth.username": ([], ["u"]),
    "auth.password": ([], [{"file": "/p"}]),
    "auth.relogin": ([{}], ["", 7, None, {"ahed": "1h"}]),
    "auth.relogin.ahead": (["auto", "1h", 1, "365d"], ["", "soon", 0, -1, True, None]),
    "auth.relogin.rehearse": (["0s", 0, "12h"], ["auto", -1, None]),
    "auth.revoke_old": (["never", "30s", 0, 86400], ["", "always", -1, 86401, None]),
    "auth.revoke_on_stop": ([True, False], ["true", 1, None]),
    "auth.sink": ([{"file": "/s"}], [{}, "", None, {"file": "/s", "x": 1}]),
    "auth.sink.file": (["/s"], ["", "s", 7, "/", "/s/"]),
    "auth.sink.mode": (["0600", "0640", "0644"], ["", "600", "0666", "0700", "0602", 384, None]),
    "auth.sink.owner": (["issuer", "1000"], ["", "a\nb", 7, None]),
    "auth.sink.group": (["issuer", "1000"], ["", 7, None]),
    "tls": ([{}], ["", 7, None, [], {"ca_fil": "/ca"}, {"client_cert": "/c"}, {"client_key": "/k"}]),
    "tls.ca_file": (["/ca"], ["", "ca", 7, None]),
    "tls.ca_dir": (["/ca"], ["", "ca", 7, None]),
    "tls.server_name": (["v", "vault.example", "::1", 253 * "a"], ["", "a b", "v/", "\u00e4", 254 * "a", 7]),
    "tls.insecure_skip_verify": ([True, False], ["true", 1, 0, None]),
    "renewal": ([{}], ["", 7, None, [], {"fractoin": 0.5}]),
    "renewal.fraction": ([0.1, 0.5, 0.9], [0, 0.09, 0.91, 1, -1, 1e300, "0.5", True, None]),
    "renewal.jitter": ([0, 0.0, 0.5], [-0.001, 0.51, 1, "0", False]),
    "renewal.min_interval": (
        ["1s", "1h30m", "1.5s", "100ms", "1d", ".5s", "1.s", "90", "100000us", "100000\u00b5s", 1, 0.1, 86400],
        ["", "s", "1x", "1 s", "-1s", "1s ", "1h30", "1..5s", ".s", "1S", 0, 0.09, -1, 86401, 1e300, True, None, []]),
    "renewal.request_timeout": (["30s", 300], [0, 301, "soon", None]),
    "renewal.increment": ([0, "0s", "1h", 3600, 3600.0, 315569520], [-1, 1.5, 315569521, "1e3s", None]),
    "startup": (["fail_fast", "background"], ["", "Background", "fail-fast", None, 7]),
    "startup_timeout": (["1s", 3600], [0, 3601, "later", None]),
    "proxy": (
        ["none", "environment", "http://proxy", "http://proxy:3128", "http://[::1]:3128/", "http://u:p@proxy",
         "HTTP://u%40:p@:\"%25@proxy:1/", "http://u@[::1]"],
        ["", "None", "proxy:3128", "https://proxy:3128", "socks5://proxy", "http://u:p%@proxy", "http://u:p%4@proxy",
         "http://u:p/@proxy", "http://u:\u00e4@proxy", "http://u:p@", "http://proxy/path", None, True]),
    "follow_redirects": (["none", "verified", "any"], ["", "all", None, False]),
    "colour": ([], ["red", None]),
}
# Refused by the decoder alone: no schema of readable length can exclude these.
BEYOND_A_SCHEMA = {
    "address": ["https://v:65536"],
    "proxy": ["http://proxy:65536"],
    "renewal.min_interval": ["50ms", "0s", "25h", "1000000d"],
    "renewal.request_timeout": ["1h"],
    "renewal.increment": ["1500ms", "11000d"],
    "startup_timeout": ["2h"],
    "auth.relogin.ahead": ["1ms", "366d"],
    "auth.relogin.rehearse": ["366d"],
    "auth.revoke_old": ["25h"],
}


def with_value(path, value):
    """The smallest good configuration, but for `value` at `path`."""
    config = json.loads(json.dumps(LEAST))
    *parents, key = path.split(".")
    if path.split(".")[0] == "auth":
        del config["token"]
    if key == "wrapped" or key == "wrapped_path":
        wrapped = {"file": "/t", "wrapped": True, key: value}
        if parents == ["token"]:
            return {**config, "token": wrapped}
        return {**config, "auth": {**COMPLETED["auth"], "secret_id": wrapped}}
    place = config
    for depth, parent in enumerate(parents):
        origin = COMPLETED.get(".".join(parents[:depth + 1]), place.get(parent, {}))
        place[parent] = {} if parent in ORIGINS else json.loads(json.dumps(origin))
        place = place[parent]
    place[key] = value
    return config


def judged(configs):
    """Returns the decoder's answer to each."""
    lines = "".join(json.dumps(config) + "\n" for config in configs)
    answers = subprocess.run([JUDGE], input=lines, check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(answers) == len(configs)
    return answers


def keys(schema=SCHEMA, path=()):
    """Returns every key of the schema with its description there."""
    for key, about in schema.get("properties", {}).items():
        yield ".".join((*path, key)), about
        yield from keys(about, (*path, key))


class Agreement(unittest.TestCase):
    maxDiff = None

    def test_the_schema_is_one(self):
        Draft202012Validator.check_schema(SCHEMA)

    def test_both_judge_the_table_alike(self):
        validator = Draft202012Validator(SCHEMA)
        rows = [(path, value, right) for path, (good, bad) in TABLE.items()
                for right, values in ((True, good), (False, bad)) for value in values]
        answers = judged([with_value(path, value) for path, value, _ in rows])
        for (path, value, right), answer in zip(rows, answers):
            with self.subTest(path=path, value=value):
                self.assertEqual(answer.startswith("{"), right, f"decoder: {answer}")
                self.assertEqual(validator.is_valid(with_value(path, value)), right, "schema")

    def test_the_decoder_names_the_path_of_what_is_wrong(self):
        rows = [(path, value) for path, (_, bad) in TABLE.items() for value in bad]
        for (path, value), answer in zip(rows, judged([with_value(path, value) for path, value in rows])):
            with self.subTest(path=path, value=value):
                self.assertTrue(answer.startswith(path), answer)

    def test_what_a_schema_cannot_say_the_decoder_does(self):
        validator = Draft202012Validator(SCHEMA)
        rows = [(path, value) for path, values in BEYOND_A_SCHEMA.items() for value in values]
        for (path, value), answer in zip(rows, judged([with_value(path, value) for path, value in rows])):
            with self.subTest(path=path, value=value):
                self.assertTrue(answer.startswith(path + ": "), answer)
                self.assertTrue(validator.is_valid(with_value(path, value)), "a schema can say it: move it to TABLE")

    def test_what_is_required_is_missed_by_both(self):
        validator = Draft202012Validator(SCHEMA)
        for key in LEAST:
            config = {other: value for other, value in LEAST.items() if other != key}
            self.assertFalse(validator.is_valid(config))
            self.assertTrue(judged([config])[0].startswith(f"{key}: missing"))

    def test_a_token_is_given_or_comes_from_a_login(self):
        config = {**LEAST, "auth": COMPLETED["auth"]}
        self.assertTrue(judged([config])[0].startswith("auth: stands beside token"))
        self.assertFalse(Draft202012Validator(SCHEMA).is_valid(config))

    def test_a_login_by_certificate_needs_one(self):
        config = {"address": "https://vault:8200", "auth": {"method": "cert"}}
        self.assertTrue(judged([config])[0].startswith("tls.client_cert: missing"))
        self.assertFalse(Draft202012Validator(SCHEMA).is_valid(config))
        config["tls"] = {"client_cert": "/c", "client_key": "/k"}
        self.assertTrue(judged([config])[0].startswith("{"))
        self.assertTrue(Draft202012Validator(SCHEMA).is_valid(config))

    def test_parts_of_other_methods_are_judged(self):
        validator = Draft202012Validator(SCHEMA)
        parts = {
            "jwt": ({"method": "jwt"}, [{"file": "/j"}, {"env": "J"}, {"value": "a.b.c"}, {"value": " a.b. "}],
                    [{}, {"file": "j"}, {"env": "9"}, {"value": "ab"}, {"value": "a.b"}, {"value": "a.b.c.d"}, "a"]),
            "password": ({"method": "ldap", "username": "u"}, [{"file": "/p"}, {"env": "P"}, {"value": " p w\n"}],
                         [{}, {"file": "p"}, {"env": "9"}, {"value": ""}, {"value": "\n"}, {"value": "a\n\n"}]),
            "name": ({"method": "cert"}, ["web"], ["", 7]),
            "role": ({"method": "jwt", "jwt": {"file": "/j"}}, ["web"], ["", 7]),
            "username": ({"method": "userpass", "password": {"file": "/p"}}, ["u@x y"], ["", "a\nb", 7]),
        }
        for key, (auth, good, bad) in parts.items():
            for right, values in ((True, good), (False, bad)):
                for value in values:
                    config = {"address": "https://v", "auth": {**auth, key: value}}
                    if auth["method"] == "cert":
                        config["tls"] = {"client_cert": "/c", "client_key": "/k"}
                    with self.subTest(key=key, value=value):
                        answer = judged([config])[0]
                        self.assertEqual(answer.startswith("{"), right, answer)
                        self.assertTrue(right or answer.startswith(f"auth.{key}"), answer)
                        self.assertEqual(validator.is_valid(config), right, "schema")

    def test_the_table_has_every_key(self):
        elsewhere = {"tls.client_cert", "tls.client_key", "auth.secret_id.remove_after_reading"}  # they come with others: judged as values of their object
        parts = {f"auth.{part}.{key}" for part in ("jwt", "password") for key in ("file", "env", "value")}
        self.assertEqual({path for path, _ in keys()} - elsewhere - parts, set(TABLE) - {"colour"})

    def test_a_client_certificate_comes_with_its_key(self):
        config = with_value("tls", {"client_cert": "/c", "client_key": "/k"})
        self.assertTrue(judged([config])[0].startswith("{"))
        self.assertTrue(Draft202012Validator(SCHEMA).is_valid(config))

    def test_the_defaults_are_those_of_the_decoder(self):
        published = {path: about["default"] for path, about in keys() if "default" in about}
        self.assertEqual(json.loads(judged([LEAST])[0]), published)

    def test_every_key_is_explained(self):
        for path, about in keys():
            with self.subTest(path=path):
                self.assertTrue(about["title"])
                self.assertRegex(about["description"], r"\.$")
                self.assertTrue(about.get("$ref") != "#/$defs/duration" or "uration" in about["description"])

    def test_the_examples_are_right(self):
        for path, about in keys():
            for example in about.get("examples", []):
                with self.subTest(path=path, example=example):
                    self.assertTrue(judged([with_value(path, example)])[0].startswith("{"))


if __name__ == "__main__":
    unittest.main()
