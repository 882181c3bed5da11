#!/usr/bin/env python3
"""The small host once more, in Python: nothing but ctypes stands between it and a plugin. With a second build it swaps to
that one and back after each renewal.

    ./host.py /path/to/plugin.so '{"address": "https://…", …}' 10 [/path/to/other_plugin.so]
"""
import ctypes
import os
import queue
import signal
import sys
from ctypes import CFUNCTYPE, POINTER, byref, c_char, c_char_p, c_int32, c_int64, c_size_t, c_void_p, sizeof
from ctypes import c_uint16, c_uint32, c_uint64

OK, E_TIMEOUT = 0, 4
RENEWAL = 1
EVENT_KINDS = {RENEWAL: "renewal", 2: "state", 3: "login"}
RESULTS = ["-", "success", "failure", "not_renewable"]
STATES = ["stopped", "starting", "active", "retrying", "capped", "not_renewable", "no_expiry", "denied", "expired"]


class Str(ctypes.Structure):
    _fields_ = [("ptr", c_void_p), ("len", c_size_t)]

    def __str__(self):
        return ctypes.string_at(self.ptr, self.len).decode() if self.len else ""


class Error(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("code", c_int32), ("message", c_char * 256)]


class Event(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("kind", c_int32), ("result", c_int32), ("state", c_int32),
                ("reason", c_int32), ("attempt", c_uint32), ("unix_ms", c_int64), ("ttl_ms", c_int64),
                ("expires_unix_ms", c_int64), ("next_unix_ms", c_int64), ("latency_us", c_uint64), ("detail", Str)]


RECORD = CFUNCTYPE(None, c_void_p, POINTER(Event))
LOG = CFUNCTYPE(None, c_void_p, c_int32, Str, Str)
HOST_EXTENSION = CFUNCTYPE(c_void_p, c_void_p, c_char_p)
WRITE = CFUNCTYPE(None, c_void_p, Str)


class Recorder(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("ctx", c_void_p), ("record", RECORD)]


class Host(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("abi_major", c_uint16), ("abi_minor", c_uint16), ("ctx", c_void_p),
                ("log", LOG), ("get_extension", HOST_EXTENSION)]


class Descriptor(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("id", c_char_p), ("name", c_char_p),
                ("version", c_char_p), ("config_schema", c_char_p)]


INSTANCE, ERROR = c_void_p, POINTER(Error)


class Lifecycle(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("abi_major", c_uint16), ("abi_minor", c_uint16),
                ("descriptor", POINTER(Descriptor)),
                ("create", CFUNCTYPE(c_int32, POINTER(Host), Str, POINTER(INSTANCE), ERROR)),
                ("destroy", CFUNCTYPE(c_int32, INSTANCE, ERROR)),
                ("start", CFUNCTYPE(c_int32, INSTANCE, ERROR)),
                ("stop", CFUNCTYPE(c_int32, INSTANCE, c_uint32, ERROR)),
                ("set_recorder", CFUNCTYPE(c_int32, INSTANCE, POINTER(Recorder), ERROR)),
                ("get_extension", CFUNCTYPE(c_void_p, c_char_p))]


class Handover(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32),
                ("export_state", CFUNCTYPE(c_int32, INSTANCE, WRITE, c_void_p, ERROR)),
                ("import_state", CFUNCTYPE(c_int32, INSTANCE, Str, ERROR))]


class Secrets(ctypes.Structure):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32),
                ("lend", CFUNCTYPE(c_int32, INSTANCE, WRITE, c_void_p, ERROR)),
                ("take", CFUNCTYPE(c_int32, INSTANCE, Str, ERROR))]


def name(names, code):
    """Codes grow: one that this host does not know is no error."""
    return names[code] if 0 <= code < len(names) else "unknown"


def say(line):
    """Writes a line at once: print would let another thread's line in between its parts."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class PluginError(Exception):
    pass


def find(library, path):
    """The table, when it is one this host can drive."""
    try:
        table = Lifecycle.in_dll(library, "issuer_lifecycle_v1")
    except ValueError:
        raise PluginError(f"{path} exports no issuer_lifecycle_v1") from None
    if table.abi_major != 1 or table.struct_size < sizeof(Lifecycle):
        raise PluginError(f"{path} speaks another version of the contract")
    if not all(getattr(table, slot) for slot, _ in Lifecycle._fields_[3:]):
        raise PluginError(f"{path} has a gap in its table")
    return table


def load(path):
    """The plugin in a library that stays loaded until the program ends."""
    path = os.path.abspath(path)  # a path without a slash would be searched for elsewhere
    return find(ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_LOCAL), path)


def borrowed(text):
    """The text for a call, and the buffer, which must outlive it."""
    buffer = ctypes.create_string_buffer(text)
    return Str(ctypes.addressof(buffer), len(text)), buffer


class Issuer:
    """One instance of one build of a plugin."""

    def __init__(self, plugin, config, host, recorder):
        self.plugin, self.host, self.recorder = plugin, host, recorder
        self.error, self.self = Error(sizeof(Error)), c_void_p()
        text, _buffer = borrowed(config)
        self.check(plugin.create(byref(host), text, byref(self.self), byref(self.error)))

    def check(self, code):
        if code != OK:
            raise PluginError(f"error {code}: {self.error.message.decode()}")

    def start(self):
        self.check(self.plugin.set_recorder(self.self, byref(self.recorder), byref(self.error)))
        self.check(self.plugin.start(self.self, byref(self.error)))

    def stop(self):
        code = E_TIMEOUT
        while code == E_TIMEOUT:
            code = self.plugin.stop(self.self, 5000, byref(self.error))
        self.check(code)

    def destroy(self):
        """Ends the instance, which no longer runs."""
        self.check(self.plugin.destroy(self.self, byref(self.error)))

    def handover(self):
        table = self.plugin.get_extension(b"issuer.handover/1")
        return Handover.from_address(table) if table else None

    def give_state_to(self, successor):
        old, new = self.handover(), successor.handover()
        states = []
        if old and new:
            old.export_state(self.self, WRITE(lambda _, state: states.append(ctypes.string_at(state.ptr, state.len))),
                             None, None)
        for state in states:
            text, _buffer = borrowed(state)
            new.import_state(successor.self, text, None)  # refused, the new one begins with a look-up

    def secrets(self):
        table = self.plugin.get_extension(b"issuer.secrets/1")
        return Secrets.from_address(table) if table else None

    def lend_to(self, other):
        """Lends what the other instance cannot read again. No copy is made here, and where nothing is lent or taken,
        the other one reads its own sources.
        """
        lender, taker = self.secrets(), other.secrets()
        same = self.plugin.descriptor.contents.id == other.plugin.descriptor.contents.id
        if lender and taker and same:
            lender.lend(self.self, WRITE(lambda _, secrets: taker.take(other.self, secrets, None)), None, None)

    def swapped(self, plugin, config):
        """The issuer as an instance of another build, which runs. On an error the old one goes on."""
        successor = Issuer(plugin, config, self.host, self.recorder)
        try:
            self.stop()
            self.give_state_to(successor)
            self.lend_to(successor)
            self.plugin.set_recorder(self.self, None, None)
            successor.start()
        except PluginError:
            successor.lend_to(self)  # it may have used up what it was lent
            successor.destroy()
            self.start()
            raise
        self.destroy()
        say(f"swapped to {plugin.descriptor.contents.version.decode()}")
        return successor


def run(builds, config, limit, news):
    """Runs one instance of the first of `builds` until `limit` events were seen (0: for ever), or until `news` has None.
    """
    @RECORD
    def on_event(_, event):  # comes on a thread of the plugin: print, leave a note, return
        e = event.contents
        if e.kind not in EVENT_KINDS:
            return  # of a later version
        say(f"{EVENT_KINDS[e.kind]} state={name(STATES, e.state)} result={name(RESULTS, e.result)} reason={e.reason} "
            f"ttl_ms={e.ttl_ms} {e.detail}")
        news.put(e.kind)

    @LOG
    def on_log(_, level, component, text):
        if level >= 1 and str(component) != "events":
            print(f"{component}: {text}", file=sys.stderr)

    host = Host(sizeof(Host), 1, 1, None, on_log, HOST_EXTENSION(lambda _, __: None))
    recorder = Recorder(sizeof(Recorder), 0, None, on_event)
    about = builds[0].descriptor.contents
    say(f"plugin {about.id.decode()} {about.version.decode()}")
    issuer = Issuer(builds[0], config, host, recorder)
    try:
        issuer.start()
        seen = 0
        while (limit == 0 or seen < limit) and (kind := news.get()) is not None:
            seen += 1
            if kind == RENEWAL and len(builds) == 2:
                builds.reverse()
                issuer = issuer.swapped(builds[0], config)
    finally:
        issuer.stop()
        issuer.destroy()


def main(arguments):
    if len(arguments) not in (2, 3, 4):
        print("usage: host.py PLUGIN.so CONFIG_JSON [EVENTS [OTHER_PLUGIN.so]]", file=sys.stderr)
        return 2
    path, config, limit, *other = [*arguments, "0"] if len(arguments) == 2 else arguments
    news = queue.SimpleQueue()  # of each event its kind; None on a signal, whose handler may interrupt a put
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: news.put(None))
    try:
        run([load(one) for one in [path, *other]], config.encode(), int(limit), news)
    except (OSError, PluginError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
