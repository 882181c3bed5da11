#!/usr/bin/env python3
"""The small host once more, in Python: nothing but ctypes stands between it and a plugin.

    ./host.py /path/to/plugin.so '{"address": "https://…", …}' 10
"""
import _ctypes
import ctypes
import os
import signal
import sys
import threading
from ctypes import CFUNCTYPE, POINTER, byref, c_char, c_char_p, c_int32, c_int64, c_size_t, c_void_p, sizeof
from ctypes import c_uint16, c_uint32, c_uint64

OK, E_TIMEOUT = 0, 4
EVENT_KINDS = {1: "renewal", 2: "state"}
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


def name(names, code):
    """Codes grow: one that this host does not know is no error."""
    return names[code] if 0 <= code < len(names) else "unknown"


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


def run(plugin, config, limit, done):
    """Runs one instance until `limit` events were seen (0: for ever), or until `done` is set."""
    seen = 0

    @RECORD
    def on_event(_, event):  # comes on a thread of the plugin: print, leave a note, return
        nonlocal seen
        e = event.contents
        if e.kind not in EVENT_KINDS:
            return  # of a later version
        print(EVENT_KINDS[e.kind], f"state={name(STATES, e.state)}",
              f"result={name(RESULTS, e.result)}", f"reason={e.reason}", f"ttl_ms={e.ttl_ms}", e.detail, flush=True)
        seen += 1
        if seen == limit:
            done.set()

    @LOG
    def on_log(_, level, component, text):
        if level >= 1 and str(component) != "events":
            print(f"{component}: {text}", file=sys.stderr)

    host = Host(sizeof(Host), 1, 0, None, on_log, HOST_EXTENSION(lambda _, __: None))
    recorder = Recorder(sizeof(Recorder), 0, None, on_event)
    error = Error(sizeof(Error))
    instance = c_void_p()
    text = ctypes.create_string_buffer(config.encode())

    def check(code):
        if code != OK:
            raise PluginError(f"error {code}: {error.message.decode()}")

    about = plugin.descriptor.contents
    print("plugin", about.id.decode(), about.version.decode(), flush=True)
    check(plugin.create(byref(host), Str(ctypes.addressof(text), len(text) - 1), byref(instance), byref(error)))
    try:
        check(plugin.set_recorder(instance, byref(recorder), byref(error)))
        check(plugin.start(instance, byref(error)))
        done.wait()
        code = E_TIMEOUT
        while code == E_TIMEOUT:
            code = plugin.stop(instance, 5000, byref(error))
        check(code)
    finally:
        plugin.destroy(instance, None)


def main(arguments):
    if len(arguments) not in (2, 3):
        print("usage: host.py PLUGIN.so CONFIG_JSON [EVENTS]", file=sys.stderr)
        return 2
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    path = os.path.abspath(arguments[0])  # a path without a slash would be searched for elsewhere
    try:
        library = ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_LOCAL)
        run(find(library, path), arguments[1], int(arguments[2]) if len(arguments) == 3 else 0, done)
    except (OSError, PluginError) as error:
        print(error, file=sys.stderr)
        return 1
    _ctypes.dlclose(library._handle)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
