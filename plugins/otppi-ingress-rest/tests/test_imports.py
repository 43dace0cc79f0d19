"""What a gateway with the REST API loads at rest: no library of megabytes that nothing has needed yet."""

import subprocess
import sys

from otppi.testing.waiting import PATIENCE

PROGRAM = """
import base64, socket, sys, threading
from pathlib import Path
from otppi.api.ingress import IngressContext
from otppi.cli import foreground  # the whole gateway
from otppi.host.core import load_plugins
from otppi.testing.stand_in import StandInGateway

kind = load_plugins(None).ingress_types["ingress-rest"]
values, _ = kind.section.validate({"http_port": 0, "https_enable": False, "bind_address": "127.0.0.1"})
ingress = kind.create(IngressContext(values, StandInGateway(), Path()))
thread = threading.Thread(target=ingress.run)
thread.start()
try:
    while not ingress.describe()["listening"]:
        thread.join(0.01)
    client = socket.create_connection(("127.0.0.1", ingress.describe()["http_port"]))
    client.sendall(b"GET /api/health HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
    print("ANSWER", client.recv(12).decode())
    client.close()
finally:
    ingress.stop()
    thread.join()
heavy = ("ssl", "subprocess", "tempfile", "asyncio", "email", "http.client", "xml", "zipfile")
print("HEAVY", [name for name in heavy if name in sys.modules])
"""


def test_a_gateway_that_serves_http_loads_nothing_for_tls_or_for_processes() -> None:
    """They take about two megabytes, and come where HTTPS is served, a modem was lost, or an unknown one is asked."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.stdout.splitlines() == ["ANSWER HTTP/1.1 200", "HEAVY []"], done.stderr
