"""Programs that run beside a test, and waiting for what they do."""
import signal
import socket
import subprocess
import threading
import time

PATIENCE_S = 60


def wait_for(condition, what, limit_s=PATIENCE_S, pause_s=0.1):
    """Returns the first true value of the condition."""
    until = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"after {limit_s} s it has not come: {what}")
        time.sleep(pause_s)


def free_ports(count):
    """Returns ports at which nothing listens. etcd cannot be asked to choose its own."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Process:
    """A program whose lines are read all the time, so that it never waits for its reader."""

    def __init__(self, command, environment=None):
        self.lines = []
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env=environment)
        self._reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")))
        self._reader.start()

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGKILL, limit_s=PATIENCE_S):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(limit_s)
        self._reader.join()
        self.process.stdout.close()
        return code
