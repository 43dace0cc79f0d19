"""What goes on in a device while it is recorded: people change settings, applications send, the network is reset."""

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol

from otppi.simulator.network import SimulatedNetwork
from otppi.simulator.profile import ModemProfile
from otppi.testing.waiting import until
from tests.image.machine.application import SLOW, Reached, ask
from tests.image.powercut.judgement import ACCESS_POINT, BROCHURES
from tests.image.powercut.recording import Recording

OWNER: Final = "sari"
PASSWORD: Final = "kursi hijau di teras"
COUNTER: Final = "otp.per_hour"
"""A setting that is counted up."""
PROFILE: Final = ModemProfile(
    imei="350000000000010", operator="Telkomsel", operator_code="51010", network_time=1.5, report_delay=2.0
)
MODEM: Final = "m1"
_BURST: Final = 12
"""Messages at once: the last one waits for longer than the five seconds after which it is noted on the card."""
_NOTED_AFTER: Final = 15.0
"""Seconds after which one that still waits must be on the card; a busy computer included."""


class Device(Reached, Protocol):
    """What is used."""

    def otppi(self, *arguments: str, given: str = "") -> str:
        """Run the product's command line."""

    def modem_in_use(self, network: SimulatedNetwork) -> AbstractContextManager[object]:
        """Plug a modem in, and have the device use it under the name of `MODEM`."""

    def reset_network(self) -> None:
        """Bring the access point back to what the brochure says."""

    def change_network(self, ssid: str) -> bool:
        """Change the access point's name, and confirm it; return whether that was acknowledged."""

    def crash(self) -> None:
        """Kill the gateway, and have it started again."""


class Administration:
    """The API of the administration, for one who is logged in."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._headers: dict[str, str] = {"Content-Type": "application/json"}

    def log_in(self) -> None:
        """Log in."""
        told, cookie = self._ask("POST", "/admin/api/session", {"username": OWNER, "password": PASSWORD})
        self._headers |= {"X-CSRF-Token": told["token"], "Cookie": cookie.partition(";")[0]}

    def is_logged_in(self) -> bool:
        """Say whether there is a gateway that knows the session."""
        connection = http.client.HTTPConnection("127.0.0.1", self._device.ports[8888], timeout=SLOW)
        try:
            connection.request("GET", "/admin/api/session", headers=self._headers)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def do(self, operation: str, **arguments: Any) -> Any:
        """Carry an operation out and return its result."""
        return self._ask("POST", f"/admin/api/operations/{operation}", {"arguments": arguments})[0]["result"]

    def _ask(self, method: str, path: str, body: object) -> tuple[Any, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._device.ports[8888], timeout=SLOW)
        try:
            connection.request(method, path, json.dumps(body).encode(), self._headers)
            answer = connection.getresponse()
            told = answer.read().decode()
            assert answer.status < 300, f"{path}: {answer.status} {told}"
            return json.loads(told), answer.headers.get("Set-Cookie", "")
        finally:
            connection.close()


def work(device: Device, recording: Recording, seconds: float) -> None:
    """Use a device that was just started for the first time, for so long and until all that was sent has arrived.

    Raises:
        AssertionError: Something is refused, or does not come.
    """
    with recording.going_on():
        with recording.changing(f"administrator {OWNER}", True):
            device.otppi("admin", "add", OWNER, "--password-stdin", given=f"{PASSWORD}\n")
        administration = Administration(device)
        administration.log_in()
        network = SimulatedNetwork(listener=lambda message: recording.tell("arrived", message.text))
        recording.begin(f"modem {MODEM}", True)
        with device.modem_in_use(network):
            recording.done(f"modem {MODEM}", True)
            people = _Changer(device, recording, administration, seconds)
            with ThreadPoolExecutor() as threads:
                for one in [threads.submit(work) for work in (_Sender(device, recording, seconds), people)]:
                    one.result()
            report(recording, administration)


class _Sender:
    """An application that sends in bursts, faster than the modem does."""

    def __init__(self, device: Device, recording: Recording, seconds: float) -> None:
        self._device, self._recording, self._seconds = device, recording, seconds
        self._number = 0

    def __call__(self) -> None:
        end = time.monotonic() + self._seconds
        while time.monotonic() < end:
            ids = [self._send() for _ in range(_BURST)]
            self._look(ids[-1], time.monotonic())

    def _send(self) -> str:
        self._number += 1
        message = {"id": self._number, "receiver": f"0812{self._number:08d}", "message": f"kode {self._number}"}
        command = json.dumps({"command": "send-sms", "data": message}).encode()
        told = self._asked("POST", "/api/message?wait=0", command)
        message_id: str = told["message_id"]
        self._recording.tell("taken", message_id, self._number)
        return message_id

    def _asked(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        """Ask until there is an answer: the gateway may be starting."""

        def answered() -> dict[str, Any] | None:
            try:
                status, told = ask(self._device, 8899, method, path, body)
            except (OSError, http.client.HTTPException):
                return None
            if status in (429, 503):
                return None
            assert status in (200, 202), told
            data: dict[str, Any] = json.loads(told)["data"]
            return data

        return until(answered, f"{path} is answered", SLOW)

    def _look(self, message_id: str, taken: float) -> None:
        """Wait for the end of a message; note it where it is on its way for long."""
        noted = False

        def ended() -> bool:
            nonlocal noted
            state = self._asked("GET", f"/api/messages/{message_id}")["state"]
            if state in ("queued", "sending"):
                if not noted and time.monotonic() - taken > _NOTED_AFTER:
                    noted = True
                    self._recording.tell("waits", message_id)
                return False
            self._recording.tell("ended", message_id, state)
            return True

        until(ended, "the last message has ended", SLOW)


class _Changer:
    """People who change one thing after the other, each as soon as the one before was acknowledged."""

    def __init__(self, device: Device, recording: Recording, administration: Administration, seconds: float) -> None:
        self._device, self._recording, self._seconds = device, recording, seconds
        self._administration = administration
        self._state: dict[str, Any] = {}
        self._backup: tuple[dict[str, Any], str] | None = None

    def __call__(self) -> None:
        end, number = time.monotonic() + self._seconds, 0
        while time.monotonic() < end:
            number += 1
            self._change(number)
            if number % 12 == 2:
                self._change_network(f"OTP-Pi-{number}")
            if number % 12 == 5:
                with self._recording.changing(ACCESS_POINT, BROCHURES):
                    self._device.reset_network()
            if number % 12 == 6:
                report(self._recording, self._administration)
            if number % 12 == 7:
                self._device.crash()
                self._begin_again()
            if number % 12 == 9:
                self._back_up()
            if number % 12 == 0:
                self._restore()

    def _change(self, number: int) -> None:
        do = self._administration.do
        with self._changing(COUNTER, number):
            do("settings_set", path=COUNTER, value=str(number))
        receiver = f"62813{number % 7:07d}"
        blocked = True if number // 7 % 2 == 0 else None
        with self._changing(f"blocked {receiver}", blocked):
            do("block_add" if blocked else "block_remove", receiver=receiver)
        if number % 4 == 0:
            self._administration.log_in()  # to change accounts wants a password of the last five minutes
            with self._changing(f"administrator rina{number}", True):
                do("administrator_add", username=f"rina{number}", password=PASSWORD, role="viewer")

    @contextmanager
    def _changing(self, what: str, value: Any) -> Iterator[None]:
        with self._recording.changing(what, value):
            yield
        self._state[what] = value

    def _change_network(self, ssid: str) -> None:
        self._recording.begin(ACCESS_POINT, ssid)
        if self._device.change_network(ssid):
            self._recording.done(ACCESS_POINT, ssid)

    def _begin_again(self) -> None:
        """Wait until the gateway has gone, with all sessions, and the next one answers; log in."""
        until(lambda: not self._administration.is_logged_in(), "the gateway has gone", SLOW)

        def answers() -> bool:
            try:
                self._administration.log_in()
            except (OSError, http.client.HTTPException):
                return False
            return True

        until(answers, "the gateway answers", SLOW)

    def _back_up(self) -> None:
        told = self._administration.do("backup_create", new_passphrase=PASSWORD)
        self._backup = dict(self._state), told["content"]

    def _restore(self) -> None:
        """Bring the state of the backup back: all of it or nothing, from when that is acknowledged."""
        assert self._backup is not None
        before, content = self._backup
        changed = [(what, before.get(what)) for what in self._state]
        self._administration.log_in()
        check = self._administration.do("restore_check", content=content, passphrase=PASSWORD)["check"]
        for what, value in changed:
            self._recording.begin(what, value)
        self._administration.do("restore", check=check)
        for what, value in changed:
            self._recording.done(what, value)
        self._state = dict(before)
        self._begin_again()


def report(recording: Recording, administration: Administration) -> None:
    """Read the report: what it tells is on the card."""
    told = administration.do("report", limit=200)
    for one in told["messages"]:
        recording.tell("reported", one["message_id"])
