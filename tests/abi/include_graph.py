#!/usr/bin/env python3
"""Dependencies point one way: who may include what, checked over the tree.

    include_graph.py ROOT         names each include that the rules forbid; exit code 1 if there is one
    include_graph.py --self-test  plants one violation of each rule in a small tree and expects it to be found
"""
import pathlib
import re
import sys
import tempfile

# Which files; what of ours they may include; which headers of others they may not. The first row that fits counts,
# and a file that none fits is an error: a new room needs a rule.
NOTHING_BUT_C_TYPES = r"(?!(stddef|stdint)\.h$)"
THREADS_AND_CLOCKS = r"thread|mutex|shared_mutex|condition_variable|future|ctime|time\.h|pthread\.h|unistd\.h"
SOCKETS = r"Poco/Net/|sys/socket\.h|netinet/|openssl/"
RULES = [
    (r"plugin_api/include/issuer/kit/", ["plugin_api/include/"], rf"Poco/|boost/|tl/|sys/|unistd\.h|{SOCKETS}"),
    (r"plugin_api/include/", ["plugin_api/include/issuer/lifecycle.h"], NOTHING_BUT_C_TYPES),
    (r"plugin_api/examples/go/", ["plugin_api/examples/go/", "plugin_api/include/"], r"Poco/|boost/"),
    (r"plugin_api/examples/etcd_lease/", ["plugin_api/examples/etcd_lease/", "plugin_api/include/"], r"boost/"),
    (r"plugin_api/", ["plugin_api/include/"], r"Poco/|boost/"),
    (r"vault_plugin/base/", ["vault_plugin/base/"], SOCKETS),
    (r"vault_plugin/renewal/", ["vault_plugin/renewal/", "vault_plugin/base/"],
     rf"Poco/|{SOCKETS}|{THREADS_AND_CLOCKS}"),
    (r"vault_plugin/wire/", ["vault_plugin/wire/", "vault_plugin/base/", "vault_plugin/renewal/facts.h"],
     rf"{SOCKETS}|{THREADS_AND_CLOCKS}"),
    (r"vault_plugin/config/", ["vault_plugin/config/", "vault_plugin/base/", "vault_plugin/config.h"], SOCKETS),
    (r"vault_plugin/credential/", ["vault_plugin/credential/", "vault_plugin/runtime/", "vault_plugin/base/"], SOCKETS),
    (r"vault_plugin/transport/(places|kept)\.", ["vault_plugin/transport/places.h", "vault_plugin/transport/kept.h",
                                                 "vault_plugin/base/time.h"],
     rf"Poco/|{SOCKETS}|{THREADS_AND_CLOCKS}"),  # decisions
    (r"vault_plugin/transport/", ["vault_plugin/transport/", "vault_plugin/runtime/helpers.h",
                                  "vault_plugin/runtime/clock.h", "vault_plugin/runtime/job.h",
                                  "vault_plugin/runtime/scheduler.h", "vault_plugin/base/"], None),
    (r"vault_plugin/runtime/", ["vault_plugin/runtime/", "vault_plugin/base/"], SOCKETS),
    (r"vault_plugin/abi/", ["vault_plugin/abi/", "vault_plugin/instance.h", "vault_plugin/library.h",
                            "vault_plugin/listener.h", "vault_plugin/base/", "plugin_api/include/"], SOCKETS),
    (r"vault_plugin/library\.cpp$", ["vault_plugin/"], r"Poco/Net/|sys/socket\.h|netinet/"),  # it begins OpenSSL
    (r"vault_plugin/plugin\.cpp$", ["vault_plugin/", "plugin_api/include/"], SOCKETS),
    (r"vault_plugin/[^/]+$", ["vault_plugin/"], SOCKETS),
    (r"host_stub/", ["host_stub/", "plugin_api/include/"], None),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)
SEARCHED = ["vault_plugin", "host_stub", "plugin_api/include", "tests", ""]


def ours(root, file, name):
    """The file of the tree that an include means, relative to its root; None for one of the system or a library."""
    own_first = sorted(SEARCHED, key=lambda folder: not file.is_relative_to(root / folder))
    for folder in [file.parent, *(root / folder for folder in own_first)]:
        found = (folder / name).resolve()
        if found.is_file() and found.is_relative_to(root):
            return found.relative_to(root).as_posix()
    return None


def violations(root):
    root = pathlib.Path(root).resolve()
    files = [file for folder in ("plugin_api", "vault_plugin", "host_stub") for file in (root / folder).rglob("*")
             if file.suffix in (".h", ".c", ".cpp")]
    for file in sorted(files):
        path = file.relative_to(root).as_posix()
        rule = next((rule for rule in RULES if re.match(rule[0], path)), None)
        if rule is None:
            yield f"{path}: no rule says what it may include; add one to RULES"
            continue
        _, allowed, forbidden = rule
        for name in INCLUDE.findall(file.read_text(encoding="utf-8")):
            target = ours(root, file, name)
            if target is None:
                if forbidden and re.match(forbidden, name):
                    yield f"{path}: includes {name}, which has no place in this room"
            elif not any(target.startswith(prefix) for prefix in allowed):
                yield f"{path}: includes {target}, but may only include {', '.join(allowed)}"


PLANTED = [  # file, what it must not include
    ("plugin_api/include/issuer/bad.h", "stdbool.h"),
    ("plugin_api/include/issuer/bad.h", "renewal/facts.h"),
    ("plugin_api/include/issuer/kit/bad.h", "tl/expected.hpp"),
    ("plugin_api/include/issuer/kit/bad.h", "renewal/facts.h"),
    ("plugin_api/include/issuer/bad.h", "issuer/kit/text.h"),
    ("plugin_api/examples/bad.c", "Poco/Foundation.h"),
    ("vault_plugin/base/bad.h", "renewal/facts.h"),
    ("vault_plugin/renewal/bad.cpp", "wire/wire.h"),
    ("vault_plugin/renewal/bad.cpp", "Poco/JSON/Parser.h"),
    ("vault_plugin/renewal/bad.cpp", "mutex"),
    ("vault_plugin/wire/bad.cpp", "renewal/keeper.h"),
    ("vault_plugin/wire/bad.cpp", "../renewal/keeper.h"),
    ("vault_plugin/wire/bad.cpp", "Poco/Net/HTTPRequest.h"),
    ("vault_plugin/config/bad.cpp", "transport/exchange.h"),
    ("vault_plugin/credential/bad.cpp", "transport/exchange.h"),
    ("vault_plugin/transport/bad.cpp", "wire/wire.h"),
    ("vault_plugin/transport/places.cpp", "transport/exchange.h"),
    ("vault_plugin/transport/places.cpp", "mutex"),
    ("vault_plugin/transport/bad.cpp", "runtime/runtime.h"),
    ("vault_plugin/runtime/bad.cpp", "transport/exchange.h"),
    ("vault_plugin/instance.cpp", "issuer/lifecycle.h"),
    ("vault_plugin/abi/bad.cpp", "renewal/keeper.h"),
    ("vault_plugin/plugin.cpp", "loader/library.h"),
    ("vault_plugin/newroom/bad.cpp", "vector"),
    ("host_stub/loader/bad.cpp", "vault_plugin/config.h"),
    ("host_stub/loader/bad.cpp", "renewal/facts.h"),
    ("host_stub/loader/bad.cpp", "support/test_pki.h"),
]
FINE = [
    ("plugin_api/include/issuer/health.h", "lifecycle.h"),
    ("plugin_api/include/issuer/lifecycle.h", "stdint.h"),
    ("plugin_api/include/issuer/kit/text.h", "../lifecycle.h"),
    ("plugin_api/include/issuer/kit/text.h", "string_view"),
    ("vault_plugin/wire/wire.h", "renewal/facts.h"),
    ("vault_plugin/renewal/keeper.h", "facts.h"),
    ("vault_plugin/transport/client.cpp", "vault_plugin/runtime/scheduler.h"),
    ("vault_plugin/plugin.cpp", "issuer/lifecycle.h"),
    ("host_stub/loader/library.h", "issuer/lifecycle.h"),
    ("host_stub/main.cpp", "config.h"),  # its own, not the plugin's of the same name
]
PRESENT = ["vault_plugin/config.h", "host_stub/config.h", "vault_plugin/renewal/facts.h",
           "vault_plugin/transport/exchange.h", "vault_plugin/runtime/scheduler.h", "vault_plugin/runtime/runtime.h",
           "tests/support/test_pki.h", *(file for file, _ in FINE)]


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)

        def write(path, *included):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("".join(f'#include "{name}"\n' for name in included), encoding="utf-8")

        for path in PRESENT:
            write(path)
        for path, name in FINE:
            write(path, name)
        wrong = [f"refused what is fine: {found}" for found in violations(root)]
        for path, name in PLANTED:
            before = (root / path).read_text(encoding="utf-8") if (root / path).exists() else None
            write(path, name)
            if not any(found.startswith(path + ":") for found in violations(root)):
                wrong.append(f"{path} may include {name}, and should not")
            (root / path).unlink()
            if before is not None:
                (root / path).write_text(before, encoding="utf-8")
    return wrong


if __name__ == "__main__":
    problems = self_test() if sys.argv[1] == "--self-test" else list(violations(sys.argv[1]))
    sys.exit("\n".join(problems) or None)
