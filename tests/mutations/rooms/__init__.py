"""The mutations of every room: each file of this folder is a room's and has a list MUTATIONS of

    (name, file, text, replacement, promise, test...)

`text` stands once in `file`. `promise` is what is broken, with the place that makes it. A test is "program:filter", as
GoogleTest has filters, or "validate:CHECK" for the fixtures that break what CHECK asks for, or "schema:" for the
agreement of decoder and schema. When the source moves, the list moves with it.
"""

import importlib
import pathlib
from typing import NamedTuple


class Mutation(NamedTuple):
    room: str
    name: str
    file: str
    old: str
    new: str
    promise: str
    tests: list

    def programs(self):
        """The tests by their program."""
        found = {}
        for test in self.tests:
            program, which = test.split(":", 1)
            found.setdefault(program, []).extend([which] if which else [])
        return found


ROOMS = sorted(file.stem for file in pathlib.Path(__file__).parent.glob("[a-z]*.py"))
ALL = [Mutation(room, *entry[:5], list(entry[5:]))
       for room in ROOMS for entry in importlib.import_module(f"rooms.{room}").MUTATIONS]

names = [mutation.name for mutation in ALL]
assert len(set(names)) == len(names), f"two have one name: {sorted(n for n in names if names.count(n) > 1)}"
