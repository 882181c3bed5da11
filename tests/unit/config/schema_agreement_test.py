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
        [{}, {"file": "/t", "env": "T"}, {"fil": "/t"}, {"file": "/t", "x": 1}, "hvs.abc", None, []]),
    "token.file": (["/t", "/a b/\u00e4", "/" + 4094 * "a"], ["", "t", "./t", "~/t", "/a\nb", "/" + 4095 * "a", 7]),
    "token.env": (["T", "_", "a_B9"], ["", "9A", "A-B", "A B", "\u00c4", "A=", 7, None]),
    "token.value": (["a", " hvs.a/b_c~!\n", "a\"\\", "ab==", "nullx", "a.b=c"],
                    ["\"a\"", "'a'", "`a`", "{a", "[a", " null\n", "<nil>", "undefined", "A_1=b", "A==b", "", " ", "a b", "\u00e4", "a\u0000", "a\u007f", "\U0001f600", 7]),
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
# What no schema of readable length can say: the decoder alone refuses these.
BEYOND_A_SCHEMA = {
    "address": ["https://v:65536"],
    "proxy": ["http://proxy:65536"],
    "renewal.min_interval": ["50ms", "0s", "25h", "1000000d"],
    "renewal.request_timeout": ["1h"],
    "renewal.increment": ["1500ms", "11000d"],
    "startup_timeout": ["2h"],
}


def with_value(path, value):
    """The smallest good configuration, but for `value` at `path`."""
    config = json.loads(json.dumps(LEAST))
    *parents, key = path.split(".")
    place = config
    for parent in parents:
        place[parent] = {} if parent == "token" else place.get(parent, {})
        place = place[parent]
    place[key] = value
    return config


def judged(configs):
    """What the decoder answers to each."""
    lines = "".join(json.dumps(config) + "\n" for config in configs)
    answers = subprocess.run([JUDGE], input=lines, check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(answers) == len(configs)
    return answers


def keys(schema=SCHEMA, path=()):
    """Every key of the schema with what the schema says of it."""
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

    def test_the_table_has_every_key(self):
        pair = {"tls.client_cert", "tls.client_key"}  # they come together: judged as values of "tls"
        self.assertEqual({path for path, _ in keys()} - pair, set(TABLE) - {"colour"})

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
