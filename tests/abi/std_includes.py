#!/usr/bin/env python3
"""Checks that each source includes the standard headers of what it names, itself or through headers of ours.

    std_includes.py ROOT         names each source that leaves one to a precompiled header; exit code 1 if there is one
    std_includes.py --self-test  plants such a source in a small tree and expects it to be found

A precompiled header and the headers of libraries hide what is missing until a build without them: another compiler,
another release of Poco or of the C++ library.
"""
import pathlib
import re
import sys
import tempfile

# One header for each name; a name that several headers define is not judged.
HEADERS = {
    "algorithm": "ranges::sort ranges::find ranges::find_if ranges::any_of ranges::all_of ranges::none_of sort find_if "
                 "any_of all_of none_of max_element min_element lower_bound upper_bound remove_if copy_if",
    "array": "array to_array",
    "atomic": "atomic atomic_flag memory_order_relaxed",
    "charconv": "from_chars to_chars",
    "chrono": "chrono::",
    "condition_variable": "condition_variable condition_variable_any",
    "deque": "deque",
    "filesystem": "filesystem::",
    "fstream": "ifstream ofstream",
    "functional": "function",
    "limits": "numeric_limits",
    "map": "map multimap",
    "memory": "unique_ptr shared_ptr weak_ptr make_unique make_shared enable_shared_from_this",
    "mutex": "mutex lock_guard unique_lock scoped_lock recursive_mutex call_once",
    "numeric": "accumulate",
    "optional": "optional nullopt make_optional",
    "random": "mt19937 mt19937_64 random_device uniform_int_distribution",
    "set": "set multiset",
    "span": "span",
    "sstream": "ostringstream istringstream stringstream",
    "string": "string to_string stoi stoul",
    "string_view": "string_view",
    "thread": "thread jthread this_thread::",
    "tuple": "tuple make_tuple",
    "unordered_map": "unordered_map",
    "unordered_set": "unordered_set",
    "variant": "variant monostate holds_alternative",
    "vector": "vector",
}
HEADER_OF = {name.rstrip(":"): header for header, names in HEADERS.items() for name in names.split()}
NAMED = re.compile(r"\bstd::(" + "|".join(sorted(map(re.escape, HEADER_OF), key=len, reverse=True)) + r")\b")
# Headers that are guaranteed, or as good as guaranteed, to bring another one.
BROUGHT = {"string": {"string_view"}, "filesystem": {"string", "string_view", "chrono"}, "map": {"tuple"},
           "sstream": {"string", "string_view"}, "fstream": {"string", "string_view"}, "thread": {"chrono"},
           "mutex": {"chrono"}, "condition_variable": {"mutex", "chrono"}, "tl/expected.hpp": {"functional"}}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
ROOTS = ("plugin_api/include", "vault_plugin", "host_stub", "tests", "")


class Sources:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.includes = {}
        self.reached = {}

    def includes_of(self, file):
        if file not in self.includes:
            self.includes[file] = INCLUDE.findall(file.read_text(encoding="utf-8"))
        return self.includes[file]

    def ours(self, file, name):
        places = [file.parent / name, *(self.root / folder / name for folder in ROOTS)]
        return next((place.resolve() for place in places if place.is_file()), None)

    def reach(self, file, seen=None):
        """Returns the headers of others that the file includes, itself or through ours."""
        if file in self.reached:
            return self.reached[file]
        top, seen = seen is None, seen if seen is not None else set()
        seen.add(file)
        found = set()
        for name in self.includes_of(file):
            target = self.ours(file, name)
            if target is None:
                found |= {name} | BROUGHT.get(name, set())
            elif target not in seen:
                found |= self.reach(target, seen)
        if top:
            self.reached[file] = found
        return found

    def missing(self):
        for folder in ("plugin_api", "vault_plugin", "host_stub", "tests"):
            for file in sorted((self.root / folder).rglob("*")):
                if file.suffix not in (".h", ".cpp"):
                    continue
                code = COMMENT_OR_TEXT.sub("", file.read_text(encoding="utf-8"))
                for header in sorted({HEADER_OF[name] for name in NAMED.findall(code)} - self.reach(file)):
                    yield f"{file.relative_to(self.root)}: names what <{header}> declares, and does not include it"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "vault_plugin").mkdir()
        (root / "vault_plugin/own.h").write_text("#include <vector>\n")
        (root / "vault_plugin/fine.cpp").write_text('#include "own.h"\n#include <string>\nstd::vector<std::string> all;'
                                                    '\n// std::map\nconst char* text = "std::set";\n')
        (root / "vault_plugin/bad.cpp").write_text('#include "own.h"\nstd::vector<std::optional<int>> all;\n')
        found = list(Sources(root).missing())
    expected = ["vault_plugin/bad.cpp: names what <optional> declares, and does not include it"]
    if found != expected:
        sys.exit(f"expected {expected}, found {found}")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(Sources(sys.argv[1]).missing())
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)


main()
