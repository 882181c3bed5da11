"""A link between two processes that can swallow all bytes."""
import functools
import os
import select
import socket
import threading


def process_at(port):
    """Returns the id of the process of this user that has a TCP connection from this port of loopback; none: it is gone."""
    place = "0100007F:%04X" % port
    with open("/proc/net/tcp", encoding="ascii") as table:
        inode = next((row.split()[9] for row in table if row.split()[1] == place), None)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for descriptor in os.scandir(f"/proc/{pid}/fd"):
                if os.readlink(descriptor.path) == f"socket:[{inode}]":
                    return int(pid)
        except OSError:
            pass
    return None


class Link:
    """A TCP proxy before a process. While it swallows, all connections stay open and nothing arrives."""

    def __init__(self, target):
        self.target = target
        self._swallows = lambda client: False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.getsockname()[1]
        self._over = False
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self, when=None):
        """Swallows the bytes of all connections, or of those for which `when` says so, given their client's process id."""
        self._set((lambda client: when(client())) if when else (lambda client: True))

    def flow(self):
        self._set(lambda client: False)

    def close(self):
        self._over = True
        self.flow()
        self._server.close()

    def _set(self, swallows):
        self._swallows = swallows

    def _await_flow(self, client, near):
        """Waits while it swallows. A client that gives up meanwhile ends the connection: they would become too many."""
        gone = select.poll()
        gone.register(near, select.POLLRDHUP)
        while not self._over and self._swallows(client):
            if gone.poll(100):
                raise OSError("the client has gone")

    def _accept(self):
        while not self._over:
            try:
                near, place = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near, place[1]), daemon=True).start()

    def _serve(self, near, port):
        far = None
        try:
            client = functools.cache(lambda at=port: process_at(at))
            self._await_flow(client, near)
            host, _, port = self.target.partition(":")
            far = socket.create_connection((host, int(port)), 5)
            ends = {near.fileno(): (near, far), far.fileno(): (far, near)}
            bytes_wait = select.poll()
            for end in ends:
                bytes_wait.register(end, select.POLLIN)
            while not self._over:
                ready = bytes_wait.poll()
                self._await_flow(client, near)  # while it swallows, nothing is read
                for number, _ in ready:
                    end, other = ends[number]
                    data = end.recv(65536)
                    if not data:
                        return
                    other.sendall(data)
        except OSError:
            pass
        finally:
            for end in (near, far):
                if end is not None:
                    end.close()
