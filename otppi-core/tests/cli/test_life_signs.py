"""What systemd hears of a gateway that it has started: at a real socket, from a real process."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from otppi.testing.ports import free_port
from otppi.testing.service_manager import ListeningManager
from otppi.testing.waiting import PATIENCE, until

Start = Callable[..., Any]
WATCHDOG = 1.5
SILENCE = 2 * WATCHDOG
QUIET = {"ingress-rest": {"http_enable": False, "https_enable": False}}


def rest(port: int) -> dict[str, Any]:
    return {"ingress-rest": {"http_enable": True, "http_port": port, "https_enable": False}}


def answers(port: int) -> int:
    """Ask once: nobody is waited for."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        client.request("GET", "/")
        return client.getresponse().status
    finally:
        client.close()


def pings(manager: ListeningManager) -> int:
    return len(manager.having("WATCHDOG"))


def falls_silent(manager: ListeningManager) -> None:
    """Wait until nothing was heard for twice the watchdog's time: systemd would have ended the service."""
    heard = [pings(manager)]
    same = threading.Event()

    def is_silent() -> bool:
        if same.wait(SILENCE) or pings(manager) == heard[-1]:
            return True
        heard.append(pings(manager))
        return False

    until(is_silent, lambda: f"it goes on: {heard}")


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ListeningManager]:
    with ListeningManager(tmp_path / "notify") as listening:
        monkeypatch.setenv("NOTIFY_SOCKET", listening.address)
        monkeypatch.setenv("WATCHDOG_USEC", str(round(WATCHDOG * 1_000_000)))
        yield listening


# -- the product's own process ----------------------------------------------------------------------------------------


def test_it_is_ready_when_the_api_and_the_pages_answer_and_lives_until_it_is_stopped(
    start: Start, manager: ListeningManager, otppi: Any
) -> None:
    api, pages = free_port(), free_port()
    gateway = start(document=rest(api) | {"administration": {"enable": True, "port": pages}})
    ready = manager.wait_for("READY", "1")
    assert answers(api) == 404
    assert answers(pages) in (200, 302, 303)
    assert otppi("status", "--data", gateway.data).code == 0, "the control socket listens"
    first = manager.told[0]
    assert (first.fields["STATUS"], first.process) == ("starts", gateway.process.pid)
    assert int(first.fields["EXTEND_TIMEOUT_USEC"]) >= 30_000_000
    assert {one.process for one in manager.told} == {gateway.process.pid}
    manager.wait_for("STATUS", "1 of 1 modems ready; open: ingress-rest, administration")
    manager.wait_for("WATCHDOG", "1", count=4)
    assert all(one.at >= ready.at for one in manager.having("WATCHDOG")), "before that it asks for more time"
    assert gateway.end() == 0
    stopping = manager.wait_for("STOPPING", "1")
    assert manager.status == "stops: modems finish what they send"
    assert not [one for one in manager.having("WATCHDOG") if one.at > stopping.at], "systemd's watchdog would go on"
    assert len(manager.having("READY")) == len(manager.having("STOPPING")) == 1


def test_a_port_that_is_taken_and_a_broker_that_is_away_hold_nothing_up(
    start: Start, manager: ListeningManager
) -> None:
    broker = {"ingress-mqtt": {"enable": True, "host": "127.0.0.1", "port": free_port(), "topic": "codes"}}
    with socket.create_server(("", 0)) as other:
        gateway = start(document=rest(other.getsockname()[1]) | broker)
        ready = manager.wait_for("READY")
        assert ready.fields["STATUS"].endswith("nothing is open; not open: ingress-mqtt, ingress-rest")
        gateway.wait_for("another program uses it")
    manager.wait_for("STATUS", "1 of 1 modems ready; open: ingress-rest; not open: ingress-mqtt")
    manager.wait_for("WATCHDOG")


def test_safe_mode_is_ready_too(start: Start, manager: ListeningManager) -> None:
    gateway = start("--safe-mode")
    assert manager.wait_for("READY").fields["STATUS"] == "no modem; nothing is open"
    manager.wait_for("WATCHDOG", count=2)
    assert gateway.end() == 0
    manager.wait_for("STOPPING")


def test_one_that_begins_again_stays_the_service_and_is_ready_anew(
    start: Start, manager: ListeningManager, otppi: Any
) -> None:
    gateway = start(document=QUIET)
    manager.wait_for("READY")
    manager.wait_for("WATCHDOG")
    assert otppi("restart", "--data", gateway.data).code == 0
    again = manager.wait_for("READY", count=2)
    assert again.process == gateway.process.pid
    manager.wait_for("WATCHDOG", count=pings(manager) + 2)
    assert not manager.having("STOPPING"), "systemd would end it when the time for a stop is over"
    began = next(one.at for one in manager.told if one.fields.get("STATUS", "").startswith("begins again"))
    between = [one for one in manager.told if began <= one.at <= again.at and "EXTEND_TIMEOUT_USEC" in one.fields]
    assert max(int(one.fields["EXTEND_TIMEOUT_USEC"]) for one in between) >= 120_000_000, "for the new program's start"
    assert gateway.end() == 0
    manager.wait_for("STOPPING")


def test_while_a_modem_finishes_more_time_is_asked_for(start: Start, manager: ListeningManager, otppi: Any) -> None:
    slow = {"name": "m0", "type": "simulated", "network_time": 3, "default_modem": True}
    gateway = start(document=QUIET | {"modems": [slow]})
    manager.wait_for("STATUS", "1 of 1 modems ready; nothing is open")
    sent = otppi("send", "081234567890", "slow", "--wait", "0.5", "--data", gateway.data, "--json")
    assert sent.json["state"] == "sending"
    assert gateway.end() == 0
    stopping = manager.wait_for("STOPPING")
    assert int(stopping.fields["EXTEND_TIMEOUT_USEC"]) >= 30_000_000


def test_one_that_stands_still_is_not_heard(start: Start, manager: ListeningManager) -> None:
    gateway = start(document=QUIET)
    manager.wait_for("WATCHDOG", count=2)
    gateway.process.send_signal(signal.SIGSTOP)
    falls_silent(manager)
    gateway.process.send_signal(signal.SIGCONT)
    manager.wait_for("WATCHDOG", count=pings(manager) + 2)
    assert gateway.end() == 0


def test_without_a_manager_it_is_as_before(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    gateway = start(document=QUIET)
    gateway.wait_for("the gateway runs")
    threads = {path.read_text().strip() for path in Path(f"/proc/{gateway.process.pid}/task").glob("*/comm")}
    assert "life signs" not in threads
    assert gateway.end() == 0
    assert "service manager" not in "".join(gateway.log)


# -- one in which something goes wrong --------------------------------------------------------------------------------

PROGRAM = """
import sys, threading
from pathlib import Path
from otppi.cli import foreground, life_signs, logs
from otppi.host.host import Host
from otppi.host.log.ring import LogRing
from otppi.host.runtime import liveness, supervisor
from otppi.host.runtime.supervisor import Supervised
from otppi_ingress_rest.ingress import RestIngress

data, mode = Path(sys.argv[1]), sys.argv[2]
released = threading.Event()
supervisor.WATCH_EVERY = 0.1
life_signs.Liveness = lambda services, takes: liveness.Liveness(services, takes, *map(float, sys.argv[4:]))
started, serve = Host.start, RestIngress.run

def start(host):
    started(host)
    threading.Thread(target=listen, args=(host,), daemon=True).start()

def listen(host):
    for line in sys.stdin:
        globals()[line.strip()](host)

def hold(host):
    # As a thread does that waits for ever while it has the lock of the message path.
    host.dispatch._lock.acquire()

def let_go(host):
    host.dispatch._lock.release()

def hang(host):
    # As the watch does where what it asks never answers.
    host.inbox.look = None
    next(one for one in host.services._services if one.name == "inbox").look = threading.Event().wait

def kill(host):
    # As memory that is used up does: the thread has died, and no other can be started.
    def cannot(self):
        raise RuntimeError("can't start new thread")
    supervisor.PromptThread.start = cannot
    housekeeping = host.services._threads["housekeeping"]
    class Dead:
        lives = False
        def end(self, timeout):
            return True
    housekeeping._thread = Dead()

def release(host):
    released.set()

def run(ingress):
    released.wait()
    serve(ingress)

Host.start = start
if mode == "held":
    RestIngress.run = run
log = logs.start("info", ring := LogRing())
foreground.LifeSigns = lambda manager: life_signs.LifeSigns(manager, float(sys.argv[3]))
foreground.run(data, data / "provision.json", log, ring, safe_mode=False)
log.drain(5)
"""


class Troubled:
    """A gateway to which a test says what is to go wrong."""

    def __init__(self, folder: Path, manager: ListeningManager, document: object, *arguments: str) -> None:
        data = folder / "data"
        data.mkdir(mode=0o700)
        (data / "provision.json").write_text(json.dumps(document))
        self._log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(data), *arguments],
            stdin=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=manager.environment(WATCHDOG) | {"RUNTIME_DIRECTORY": str(folder)},
        )

    def say(self, what: str) -> None:
        assert self.process.stdin
        print(what, file=self.process.stdin, flush=True)

    @property
    def log(self) -> str:
        return Path(self._log.name).read_text()

    def end(self) -> None:
        self.process.kill()
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self._log.close()


@pytest.fixture
def troubled(tmp_path: Path, manager: ListeningManager) -> Iterator[Callable[..., Troubled]]:
    started: list[Troubled] = []

    def begin(document: dict[str, Any], mode: str = "", *within: float) -> Troubled:
        """Begin, with the seconds for opening, for a look after the threads, for having one again: else many."""
        document = {"administration": {"enable": False}} | document
        seconds = (*within, *[PATIENCE] * 3)[:3]
        started.append(Troubled(tmp_path, manager, document, mode, *map(str, seconds)))
        return started[-1]

    yield begin
    for one in started:
        one.end()


def test_it_is_not_ready_before_its_api_listens(troubled: Callable[..., Troubled], manager: ListeningManager) -> None:
    port = free_port()
    gateway = troubled(rest(port), "held")
    manager.wait_for("STATUS", "starts: ingress-rest not open yet")
    until(lambda: "the gateway runs" in gateway.log)
    with pytest.raises(ConnectionRefusedError):
        answers(port)
    assert not manager.having("READY")
    gateway.say("release")
    manager.wait_for("READY")
    assert answers(port) == 404


def test_one_frontend_that_never_says_how_it_is_holds_the_others_up_for_a_while_only(
    troubled: Callable[..., Troubled], manager: ListeningManager
) -> None:
    document = rest(free_port()) | {"administration": {"enable": True, "port": free_port()}}
    gateway = troubled(document, "held", 1.0)
    assert manager.wait_for("READY").fields["STATUS"].endswith("open: administration; not open: ingress-rest")
    assert re.search(r"the gateway runs without ingress-rest, not open after 1 s", gateway.log)


def test_one_that_nobody_can_reach_is_never_ready(troubled: Callable[..., Troubled], manager: ListeningManager) -> None:
    gateway = troubled(rest(free_port()), "held", 1.0)
    until(lambda: "no frontend is open after 1 s: ingress-rest" in gateway.log)
    assert not manager.having("READY")
    gateway.say("release")  # late, but not too late for systemd, which has a time-out of its own
    manager.wait_for("READY")


@pytest.mark.parametrize(
    ("trouble", "within", "why"),
    [
        ("hold", (), "no message could be taken in for 0.5 s"),
        ("hang", (PATIENCE, 1.0), r"nobody has looked after the threads for \d+ s"),
        ("kill", (PATIENCE, PATIENCE, 1.0), "housekeeping died, and cannot be started again"),
    ],
)
def test_one_that_hangs_falls_silent_and_leaves_a_trace(
    troubled: Callable[..., Troubled], manager: ListeningManager, trouble: str, within: Sequence[float], why: str
) -> None:
    gateway = troubled(QUIET, "", *within)
    manager.wait_for("WATCHDOG", count=3)
    gateway.say(trouble)
    until(lambda: re.search(f"the gateway hangs: {why}; the service manager ends it", gateway.log), lambda: gateway.log)
    falls_silent(manager)
    assert re.fullmatch(f"hangs: {why}", manager.status)
    assert "most recent call first" in gateway.log
    assert gateway.process.poll() is None, "it is for systemd to end it"


def test_one_that_goes_on_is_heard_again(troubled: Callable[..., Troubled], manager: ListeningManager) -> None:
    gateway = troubled(QUIET)
    manager.wait_for("WATCHDOG", count=2)
    gateway.say("hold")
    until(lambda: manager.status.startswith("hangs"))
    count = pings(manager)
    gateway.say("let_go")
    manager.wait_for("WATCHDOG", count=count + 3)
    assert manager.status == "1 of 1 modems ready; nothing is open"
    assert "the gateway goes on" in gateway.log


def test_a_modem_that_is_away_is_no_matter(troubled: Callable[..., Troubled], manager: ListeningManager) -> None:
    troubled(QUIET | {"modems": [{"name": "gone", "type": "at", "port": "/dev/nowhere", "default_modem": True}]})
    manager.wait_for("READY")
    manager.wait_for("WATCHDOG", count=6)
    assert manager.status == "0 of 1 modems ready; nothing is open"
