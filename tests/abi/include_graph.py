#!/usr/bin/env python3
"""Checks that dependencies between rooms point one way, over all sources of plugin, host and contract.

    include_graph.py ROOT         names each include that the rules forbid, or that CMake does not link; exit code 1 if
                                  there is one
    include_graph.py --self-test  plants one violation of each rule in a small tree and expects it to be found

Two things must agree for an include: RULES below, and the link line of the room in its CMakeLists.txt. So a room is
compiled with headers of the rooms that it links, and no others.
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
EVENTS = ["host_stub/observe/events/", "host_stub/common/", "plugin_api/include/"]
LIBRARIES = r"Poco/|boost/|systemd/|prometheus/"
RULES = [
    (r"plugin_api/include/issuer/kit/", ["plugin_api/include/"], rf"Poco/|boost/|tl/|sys/|unistd\.h|{SOCKETS}"),
    (r"plugin_api/include/", ["plugin_api/include/issuer/lifecycle.h"], NOTHING_BUT_C_TYPES),
    (r"plugin_api/examples/go/", ["plugin_api/examples/go/", "plugin_api/include/"], r"Poco/|boost/"),
    (r"plugin_api/examples/etcd_lease/", ["plugin_api/examples/etcd_lease/", "plugin_api/include/"], r"boost/"),
    (r"plugin_api/", ["plugin_api/include/"], r"Poco/|boost/"),
    (r"vault_plugin/base/", ["vault_plugin/base/"], SOCKETS),
    (r"vault_plugin/renewal/", ["vault_plugin/renewal/", "vault_plugin/base/"],
     rf"Poco/|{SOCKETS}|{THREADS_AND_CLOCKS}"),
    (r"vault_plugin/wire/", ["vault_plugin/wire/", "vault_plugin/base/", "vault_plugin/renewal/facts.h",
                             "vault_plugin/renewal/login_facts.h", "vault_plugin/credential/secret.h"],
     rf"{SOCKETS}|{THREADS_AND_CLOCKS}"),
    (r"vault_plugin/config/", ["vault_plugin/config/", "vault_plugin/base/", "vault_plugin/config.h"], SOCKETS),
    (r"vault_plugin/credential/material\.cpp$", ["vault_plugin/credential/", "vault_plugin/base/"],
     r"Poco/Net/|sys/socket\.h|netinet/"),  # it reads a certificate's end
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
    (r"host_stub/common/", ["host_stub/common/", "plugin_api/include/issuer/kit/"], rf"{LIBRARIES}|{SOCKETS}"),
    (r"host_stub/loader/", ["host_stub/loader/", "host_stub/common/", "plugin_api/include/"],
     rf"systemd/|prometheus/|Poco/(?!SHA2Engine)|{SOCKETS}"),
    (r"host_stub/conformance/", ["host_stub/conformance/", "host_stub/loader/", "host_stub/common/",
                                 "plugin_api/include/"], rf"systemd/|prometheus/|boost/|{SOCKETS}"),
    (r"host_stub/control/", ["host_stub/control/", "host_stub/common/"], LIBRARIES),
    (r"host_stub/new_plugin/template/", ["host_stub/new_plugin/template/", "plugin_api/include/"], LIBRARIES),
    (r"host_stub/new_plugin/", ["host_stub/new_plugin/", "host_stub/common/"], rf"{LIBRARIES}|{SOCKETS}"),
    (r"host_stub/fleet/etcd/", ["host_stub/fleet/", "host_stub/common/", "plugin_api/include/",
                                "vault_plugin/transport/", "vault_plugin/base/"], r"boost/|systemd/|prometheus/"),
    (r"host_stub/fleet/runner/", ["host_stub/fleet/", "host_stub/registry/", *EVENTS],
     rf"{LIBRARIES}|{SOCKETS}"),
    (r"host_stub/fleet/[^/]+$", ["host_stub/fleet/", "host_stub/common/result.h", "plugin_api/include/issuer/lifecycle.h"],
     rf"Poco/(?!SHA2Engine)|boost/|systemd/|prometheus/|{SOCKETS}|{THREADS_AND_CLOCKS}"),  # decisions
    (r"host_stub/registry/", ["host_stub/registry/", "host_stub/loader/", *EVENTS], rf"{LIBRARIES}|{SOCKETS}"),
    (r"host_stub/observe/events/", EVENTS, rf"{LIBRARIES}|{SOCKETS}"),
    (r"host_stub/observe/journal/", ["host_stub/observe/journal/", *EVENTS], rf"{LIBRARIES}|{SOCKETS}"),
    (r"host_stub/observe/exec/", ["host_stub/observe/exec/", *EVENTS], rf"{LIBRARIES}|{SOCKETS}"),
    (r"host_stub/observe/fleet/", ["host_stub/observe/fleet/", *EVENTS], rf"{LIBRARIES}|{SOCKETS}"),
    (r"host_stub/observe/systemd/", ["host_stub/observe/systemd/", *EVENTS], rf"Poco/|boost/|prometheus/|{SOCKETS}"),
    (r"host_stub/observe/metrics/", ["host_stub/observe/metrics/", "host_stub/observe/fleet/", *EVENTS],
     rf"Poco/|boost/|systemd/|{SOCKETS}"),
    (r"host_stub/observe/web/", ["host_stub/observe/web/", "host_stub/observe/metrics/metrics.h",
                                 "host_stub/observe/fleet/", *EVENTS], r"boost/|systemd/|prometheus/"),
    (r"host_stub/(commands/|main\.cpp$)", ["host_stub/", "plugin_api/include/"], r"boost/|systemd/|prometheus/"),
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


ROOM = re.compile(r"^issuer_room\(([^)]*)\)", re.MULTILINE)


class Rooms:
    """The libraries of plugin and host: the files that each is made of, and the libraries that it links."""

    def __init__(self, root):
        self.sources, self.folders, self.links, self.passed_on = {}, {}, {}, {}
        for lists in [*root.glob("vault_plugin/**/CMakeLists.txt"), *root.glob("host_stub/**/CMakeLists.txt")]:
            for arguments in ROOM.findall(re.sub(r"#.*", "", lists.read_text(encoding="utf-8"))):
                self.add(lists.parent.relative_to(root), *arguments.split())

    def add(self, folder, name, *arguments):
        room, part, parts = "issuer_" + name, "sources", {"sources": [], "LINK": [], "PRIVATE": []}
        for argument in arguments:
            if argument in parts:
                part = argument
            else:
                parts[part].append(argument)
        self.links[room], self.passed_on[room] = {*parts["LINK"], *parts["PRIVATE"]}, set(parts["LINK"])
        for source in parts["sources"]:
            path = folder / source.strip('"').replace("${CMAKE_CURRENT_BINARY_DIR}/", "")
            self.sources[path.with_suffix("").as_posix()] = room
            self.folders.setdefault(path.parent.as_posix(), set()).add(room)

    def of(self, path):
        """Returns the rooms that a file may belong to: that of the source with its name; a header without one may
        belong to any room of its folder."""
        path = pathlib.PurePosixPath(path)
        room = self.sources.get(path.with_suffix("").as_posix())
        if room:
            return {room}
        return self.folders.get(path.parent.as_posix(), set()) if path.suffix == ".h" else set()

    def without_link(self, path, included):
        """Returns a room of `path` if none of its rooms links a room of the header that it includes."""
        users, needed = self.of(path), self.of(included)
        if users and needed and not any(self.seen_by(room) & needed for room in users):
            return min(users)
        return None

    def seen_by(self, room):
        """Returns the room, the libraries that it links, and those that these pass on."""
        seen, found = {room}, set(self.links[room])
        while found:
            seen |= found
            found = set().union(*(self.passed_on.get(other, set()) for other in found)) - seen
        return seen


def violations(root):
    root = pathlib.Path(root).resolve()
    rooms = Rooms(root)
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
            elif room := rooms.without_link(path, target):
                yield f"{path}: includes {target}, but {room} does not link that room; add it to its LINK"


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
    ("host_stub/fleet/bad.cpp", "mutex"),
    ("host_stub/fleet/bad.cpp", "Poco/Net/HTTPRequest.h"),
    ("host_stub/fleet/bad.cpp", "common/text.h"),
    ("vault_plugin/runtime/bad.cpp", "transport/exchange.h"),
    ("vault_plugin/instance.cpp", "issuer/lifecycle.h"),
    ("vault_plugin/abi/bad.cpp", "renewal/keeper.h"),
    ("vault_plugin/plugin.cpp", "loader/library.h"),
    ("vault_plugin/newroom/bad.cpp", "vector"),
    ("host_stub/loader/bad.cpp", "vault_plugin/config.h"),
    ("host_stub/loader/bad.cpp", "renewal/facts.h"),
    ("host_stub/loader/bad.cpp", "support/test_pki.h"),
    ("host_stub/common/bad.h", "loader/library.h"),
    ("host_stub/common/bad.h", "Poco/Exception.h"),
    ("host_stub/loader/bad.cpp", "registry/registry.h"),
    ("host_stub/loader/bad.cpp", "observe/events/event_sink.h"),
    ("host_stub/loader/bad.cpp", "Poco/JSON/Parser.h"),
    ("host_stub/conformance/bad.cpp", "registry/registry.h"),
    ("host_stub/control/bad.cpp", "registry/registry.h"),
    ("host_stub/new_plugin/bad.cpp", "issuer/lifecycle.h"),
    ("host_stub/new_plugin/template/bad.h", "common/text.h"),
    ("host_stub/registry/bad.cpp", "observe/fleet/fleet.h"),
    ("host_stub/registry/bad.cpp", "Poco/JSON/Parser.h"),
    ("host_stub/registry/bad.cpp", "control/server.h"),  # RULES forbid it, and so does the link line
    ("host_stub/observe/events/bad.h", "observe/fleet/fleet.h"),
    ("host_stub/observe/journal/bad.cpp", "observe/fleet/fleet.h"),
    ("host_stub/observe/journal/bad.cpp", "systemd/sd-journal.h"),
    ("host_stub/observe/exec/bad.cpp", "observe/journal/journal.h"),
    ("host_stub/observe/fleet/bad.cpp", "observe/metrics/metrics.h"),
    ("host_stub/observe/systemd/bad.cpp", "observe/fleet/fleet.h"),
    ("host_stub/observe/metrics/bad.cpp", "observe/web/server.h"),
    ("host_stub/observe/metrics/bad.cpp", "Poco/Net/TCPServer.h"),
    ("host_stub/observe/web/bad.cpp", "observe/metrics/exposition.h"),
    ("host_stub/observe/web/bad.cpp", "registry/registry.h"),
    ("host_stub/observe/newroom/bad.cpp", "vector"),
    ("host_stub/commands/bad.cpp", "boost/dll/shared_library.hpp"),
    ("host_stub/observe/metrics/unlinked.cpp", "observe/fleet/fleet.h"),
    ("host_stub/commands/run.cpp", "observe/metrics/metrics.h"),  # linked by a room that it links, for itself alone
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
    ("host_stub/commands/run.cpp", "config.h"),  # its own, not the plugin's of the same name
    ("host_stub/registry/registry.h", "observe/events/event_sink.h"),
    ("host_stub/observe/web/server.h", "observe/metrics/metrics.h"),
    ("host_stub/observe/web/server.cpp", "observe/events/event_sink.h"),  # linked by a room that it links
]
LINKED = """
issuer_room(loader loader/library.cpp)
issuer_room(events observe/events/event_sink.cpp)  # a comment (with brackets)
issuer_room(registry registry/registry.cpp LINK issuer_loader issuer_events)
issuer_room(fleet observe/fleet/fleet.cpp LINK issuer_events)
issuer_room(metrics observe/metrics/metrics.cpp LINK issuer_fleet)
issuer_room(unlinked observe/metrics/unlinked.cpp LINK issuer_events)
issuer_room(web
	"${CMAKE_CURRENT_BINARY_DIR}/observe/web/page.cpp"
	observe/web/server.cpp
	LINK issuer_host_common
	PRIVATE issuer_metrics)
issuer_room(commands commands/run.cpp LINK issuer_web)
"""
PRESENT = ["vault_plugin/config.h", "host_stub/commands/config.h", "vault_plugin/renewal/facts.h",
           "vault_plugin/transport/exchange.h", "vault_plugin/runtime/scheduler.h", "vault_plugin/runtime/runtime.h",
           "tests/support/test_pki.h", "host_stub/observe/fleet/fleet.h", "host_stub/observe/events/event_sink.h",
           "host_stub/observe/metrics/metrics.h", "host_stub/observe/metrics/exposition.h",
           "host_stub/observe/journal/journal.h", "host_stub/control/server.h", "host_stub/common/text.h", *(file for file, _ in FINE)]


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)

        def write(path, *included):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("".join(f'#include "{name}"\n' for name in included), encoding="utf-8")

        for path in PRESENT:
            write(path)
        (root / "host_stub/CMakeLists.txt").write_text(LINKED, encoding="utf-8")
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
