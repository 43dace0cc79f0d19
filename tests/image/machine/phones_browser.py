"""A browser on the phone: Chromium runs on this computer, and each of its connections begins in the phone's network.

A relay in the machine takes them (SOCKS5, RFC 1928). It listens where this computer reaches it, then moves into the
phone's network namespace (setns(2)), so that what it connects to is reached by the phone's radio, and by nothing else.
"""

import shlex
from typing import Final

from tests.image.machine.machine import RELAY, Machine
from tests.image.machine.station import NAMESPACE

_RELAY: Final = f"""
import contextlib, os, socket, socketserver, threading

def copy(take, give):
    with contextlib.suppress(OSError):
        while piece := take.recv(65536):
            give.sendall(piece)
        give.shutdown(socket.SHUT_WR)

class Connection(socketserver.StreamRequestHandler):
    def read(self, size):
        return self.connection.recv(size, socket.MSG_WAITALL)

    def handle(self):
        self.read(self.read(2)[1])
        self.wfile.write(bytes((5, 0)))
        asked = self.read(5)  # version, CONNECT, 0, a name as Chromium has it always, its length
        assert asked[:4] == bytes((5, 1, 0, 3)), asked
        to = (self.read(asked[4]).decode(), int.from_bytes(self.read(2)))
        with socket.create_connection(to) as there:
            self.wfile.write(bytes((5, 0, 0, 1)) + bytes(6))
            back = threading.Thread(target=copy, args=(there, self.connection))
            back.start()
            copy(self.connection, there)
            back.join()

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 64

server = Server(("", {RELAY}), Connection)
with open("/run/netns/{NAMESPACE}") as phone:
    os.setns(phone.fileno(), os.CLONE_NEWNET)
server.serve_forever()
"""


def proxy(machine: Machine) -> str:
    """Start the relay, when the phone is switched on, and return the proxy that a browser is to use."""
    machine.run(
        # The firewall's own set for what is open for a while (overlays/firewall): the device's rules stay as they are.
        f"nft add element inet otppi trial_lan '{{ tcp . {RELAY} timeout 1h }}' && "
        f"printf %s {shlex.quote(_RELAY)} >/run/relay.py; "
        "setsid /usr/bin/python3 /run/relay.py >/run/relay.log 2>&1 </dev/null &"
    )
    machine.until(f"ss --no-header --listening --tcp --numeric | grep :{RELAY}", "the relay listens")
    return f"socks5://127.0.0.1:{machine.ports[RELAY]}"
