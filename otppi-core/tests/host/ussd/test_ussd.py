"""USSD sessions and `request-ussd`: one session a modem, replies, time-outs, who is told, and nothing of it in logs."""

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from otppi.api.errors import ModemLost, NotDone, NotSupported
from otppi.api.events import UssdAnswer, UssdStatus
from otppi.api.ingress import Origin, Sender
from otppi.host.messages.refusal import NotAccepted
from otppi.host.modems.worker import modem_workers
from otppi.host.ussd import sessions as sessions_module
from otppi.host.ussd.answers import ask
from otppi.host.ussd.sessions import SessionState, UssdSession, UssdSessions
from otppi.testing.bench import DispatchBench
from otppi.testing.scripted import ScriptedModem, until
from otppi.testing.waiting import PATIENCE
from otppi.wire.envelope import Answer, ResponseCode, parse

APP = Origin("ingress-rest", Sender("app"))
OTHER = Origin("ingress-rest", Sender("other"))
SILENT = object()
MENU = UssdAnswer(UssdStatus.REPLY_WANTED, "1 Pulsa\n2 Paket")


class Phone:
    """A bench with one modem that answers USSD by a script."""

    def __init__(self, bench: DispatchBench) -> None:
        self.bench = bench
        self.sessions = UssdSessions(lambda: modem_workers(bench.dispatch.workers()))
        self.script: deque[object] = deque()
        self.asked: list[str] = []
        self.modem = self.add("m0")

    def add(self, name: str, **options: Any) -> ScriptedModem:
        modem: Any = self.bench.add(name, **options)

        def ussd(text: str) -> None:
            self.asked.append(text)
            answer = self.script.popleft() if self.script else "Pulsa Rp10.000"
            if isinstance(answer, Exception):
                raise answer
            if answer is not SILENT:
                self.say(answer, name)

        modem.ussd = ussd
        modem.cancel_ussd = lambda: self.asked.append("cancelled")
        return modem  # type: ignore[no-any-return]

    def say(self, answer: object, name: str = "m0") -> None:
        """Let the network say something."""
        said = answer if isinstance(answer, UssdAnswer) else UssdAnswer(UssdStatus.FINISHED, str(answer))
        self.sessions.answered(name, said)

    def start(self, code: str = "*123#") -> UssdSession:
        return self.sessions.start("m0", code, APP)

    def request(self, *, origin: Origin = APP, wait: float = 5.0, **data: Any) -> Answer:
        answer: Answer = self.ticket(data, origin).answer(wait)
        return answer

    def ticket(self, data: Any, origin: Origin = APP) -> Any:
        body = {"modem_id": "m0", "ussd_code": "*123#", **data} if isinstance(data, dict) else data
        return ask(self.sessions, parse(json.dumps({"command": "request-ussd", "data": body}).encode()), origin)


@pytest.fixture
def phone(bench: DispatchBench) -> Iterator[Phone]:
    phone = Phone(bench)
    yield phone
    phone.sessions.stop()


def data_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.data, dict)
    return answer.data


def refusal(call: Callable[[], object]) -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        call()
    return caught.value


# -- the sessions ------------------------------------------------------------------------------------------------------


def test_a_code_is_answered(phone: Phone) -> None:
    session = phone.start()
    assert session.exchange.result(PATIENCE) == UssdAnswer(UssdStatus.FINISHED, "Pulsa Rp10.000")
    assert session.state is SessionState.ENDED
    assert phone.sessions.sessions() == []
    assert not phone.sessions.busy("m0")


def test_an_answer_that_comes_long_after_and_messages_meanwhile(phone: Phone) -> None:
    phone.script.append(SILENT)
    session = phone.start()
    until(lambda: session.state is SessionState.SENDING)
    phone.bench.end(phone.bench.enqueue())
    assert not session.exchange.done()
    phone.say("late")
    assert session.exchange.result(PATIENCE).text == "late"


def test_one_session_a_modem_and_the_second_is_told_who_has_it(phone: Phone) -> None:
    phone.add("m1")
    phone.script.append(SILENT)
    session = phone.start()
    until(lambda: phone.asked, "the first modem is asked, so that the silence is its own")
    busy = refusal(lambda: phone.sessions.start("m0", "*1#", OTHER))
    assert busy.code is ResponseCode.QUEUE_FULL
    assert "ingress-rest/app has a USSD session on m0" in busy.cause
    (shown,) = phone.sessions.sessions()
    assert shown["session"] == session.session_id
    assert (shown["modem_id"], shown["owner"]) == ("m0", "ingress-rest/app")
    assert phone.sessions.start("m1", "*1#", OTHER).exchange.result(PATIENCE).text == "Pulsa Rp10.000"
    until(lambda: session.state is SessionState.SENDING)
    phone.say("now")
    phone.start().exchange.result(PATIENCE)


def test_replies(phone: Phone) -> None:
    phone.script.extend([MENU, MENU, "Pulsa Rp10.000"])
    session = phone.start()
    assert session.exchange.result(PATIENCE) == MENU
    assert session.state is SessionState.REPLY_WANTED
    assert phone.sessions.busy("m0")
    assert refusal(lambda: phone.sessions.reply(session.session_id, "1", Sender("other"))).code is ResponseCode.FAILED
    for wanted in (MENU, UssdAnswer(UssdStatus.FINISHED, "Pulsa Rp10.000")):
        assert phone.sessions.reply(session.session_id, "1", APP.sender).exchange.result(PATIENCE) == wanted
    assert phone.asked == ["*123#", "1", "1"]
    assert "wants no reply" in refusal(lambda: phone.sessions.reply(session.session_id, "1", APP.sender)).cause
    assert "no such" in refusal(lambda: phone.sessions.reply("nonsense", "1", APP.sender)).cause


def test_cancelling(phone: Phone) -> None:
    assert not phone.sessions.cancel("m0")
    phone.script.extend([MENU, SILENT])
    phone.start().exchange.result(PATIENCE)
    assert phone.sessions.cancel("m0")
    until(lambda: phone.asked == ["*123#", "cancelled"])
    session = phone.start()
    until(lambda: session.state is SessionState.SENDING)
    assert phone.sessions.cancel("m0")
    assert "cancelled" in refusal(lambda: session.exchange.result(PATIENCE)).cause
    phone.say("too late")
    assert phone.start().exchange.result(PATIENCE).text == "Pulsa Rp10.000"


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (NotDone("the modem refused it"), ResponseCode.FAILED, "refused it"),
        (NotSupported("no USSD"), ResponseCode.FAILED, "no USSD"),
        (ModemLost("it was unplugged"), ResponseCode.NO_MODEM, "unplugged"),
        (ZeroDivisionError("a bug"), ResponseCode.UNCONFIRMED, "ZeroDivisionError"),
    ],
)
def test_what_the_modem_raises(phone: Phone, error: Exception, code: ResponseCode, cause: str) -> None:
    phone.script.append(error)
    refused = refusal(lambda: phone.start().exchange.result(PATIENCE))
    assert refused.code is code
    assert cause in refused.cause
    assert phone.start().exchange.result(PATIENCE).text == "Pulsa Rp10.000"


def test_a_modem_that_is_not_there_or_not_ready(phone: Phone) -> None:
    assert refusal(lambda: phone.sessions.start("m9", "*1#", APP)).code is ResponseCode.NO_MODEM
    phone.modem.openings.extend([ModemLost("it is away")] * 50)
    phone.modem.lose()
    until(lambda: phone.bench.worker("m0").status.state.value == "recovering")
    assert "recovering" in refusal(phone.start).cause


def test_a_modem_that_ingresses_may_not_use(phone: Phone) -> None:
    phone.add("own", send_from_api=False)
    assert phone.request(modem_id="own").code is ResponseCode.NO_MODEM
    assert phone.sessions.start("own", "*1#", APP).exchange.result(PATIENCE)


def test_a_network_that_never_answers(phone: Phone) -> None:
    phone.sessions.timeouts = {"m0": 0.1}
    phone.script.append(SILENT)
    session = phone.start()
    refused = refusal(lambda: session.exchange.result(PATIENCE))
    assert refused.code is ResponseCode.UNCONFIRMED
    until(lambda: phone.asked == ["*123#", "cancelled"])
    phone.say("much too late")
    assert phone.start().exchange.result(PATIENCE).text == "Pulsa Rp10.000"


def test_a_modem_that_has_no_time(phone: Phone) -> None:
    phone.sessions.timeouts = {"m0": 0.1}
    phone.modem.gate.clear()
    record = phone.bench.enqueue()
    until(phone.modem.sending.is_set)
    session = phone.start()
    phone.say("of somebody else")
    refused = refusal(lambda: session.exchange.result(PATIENCE))
    assert (refused.code, refused.retry_after) == (ResponseCode.QUEUE_FULL, 30)
    phone.modem.gate.set()
    phone.bench.end(record)
    phone.sessions.timeouts = {}
    phone.start().exchange.result(PATIENCE)
    assert phone.asked == ["*123#"]


def test_a_reply_that_nobody_gives(phone: Phone) -> None:
    phone.sessions.timeouts = {"m0": 0.1}
    phone.script.append(MENU)
    session = phone.start()
    assert session.exchange.result(PATIENCE) == MENU
    until(lambda: session.state is SessionState.ENDED)
    until(lambda: phone.asked == ["*123#", "cancelled"])


def test_the_network_ends_a_session_that_waits_for_a_reply(phone: Phone) -> None:
    phone.script.append(MENU)
    session = phone.start()
    assert session.exchange.result(PATIENCE) == MENU
    phone.say(UssdAnswer(UssdStatus.TIMED_OUT))
    assert session.state is SessionState.ENDED
    assert not phone.sessions.busy("m0")


def test_stopping(phone: Phone) -> None:
    phone.script.append(SILENT)
    session = phone.start()
    phone.sessions.stop()
    assert "is stopping" in refusal(phone.start).cause
    assert "stopped" in refusal(lambda: session.exchange.result(PATIENCE)).cause
    assert not any(
        isinstance(thread, threading.Timer) and thread.is_alive() and not thread.finished.is_set()
        for thread in threading.enumerate()
    )


def test_sessions_are_forgotten(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    first = phone.start()
    first.exchange.result(PATIENCE)
    assert phone.sessions.find(first.session_id, APP.sender) is first
    assert phone.sessions.find(first.session_id, OTHER.sender) is None
    for _ in range(70):
        phone.start().exchange.result(PATIENCE)
    assert phone.sessions.find(first.session_id, APP.sender) is None
    last = phone.start()
    last.exchange.result(PATIENCE)
    monkeypatch.setattr(sessions_module, "_KEPT_FOR", -1.0)
    assert phone.sessions.find(last.session_id, APP.sender) is None


# -- request-ussd ------------------------------------------------------------------------------------------------------


def test_request_and_reply(phone: Phone) -> None:
    phone.script.append(MENU)
    answer = phone.request(id=7)
    assert (answer.code, answer.http_status) == (ResponseCode.SUCCESS, 200)
    data = data_of(answer)
    session = data.pop("session")
    assert data == {
        "id": "7",
        "modem_id": "m0",
        "state": "reply-wanted",
        "text": MENU.text,
        "reply_wanted": True,
        "ussd_content": MENU.text,
        "replyable": True,
    }
    answer = phone.request(ussd_code="Paket 1", session=session)
    assert data_of(answer)["text"] == "Pulsa Rp10.000"
    assert data_of(answer)["reply_wanted"] is False
    assert phone.request(ussd_code="1", session=session).code is ResponseCode.FAILED


def test_who_does_not_wait_gets_202_and_is_called_back(phone: Phone) -> None:
    phone.script.append(SILENT)
    ticket = phone.ticket({})
    answer = ticket.answer()
    assert (answer.code, answer.http_status) == (ResponseCode.SUCCESS, 202)
    finals: list[Answer] = []
    ticket.when_final(finals.append)
    (session,) = phone.sessions.sessions()
    until(lambda: phone.asked)
    assert finals == []
    phone.say("Pulsa Rp5")
    (final,) = finals
    assert data_of(final)["text"] == "Pulsa Rp5"
    assert data_of(final)["session"] == session["session"]
    ticket.when_final(finals.append)
    assert len(finals) == 2


def test_a_code_that_comes_again_from_its_broker_is_not_run_again(phone: Phone) -> None:
    broker = Origin("ingress-rabbitmq", Sender("ingress-rabbitmq"), kept_by_source=True)
    again = replace(broker, redelivered=True)
    first = data_of(phone.request(origin=broker, id="7"))
    assert data_of(phone.request(origin=again, id="7")) == first
    assert phone.asked == ["*123#"]
    others: tuple[tuple[dict[str, Any], Origin], ...] = (
        ({"id": "8"}, again),
        ({"id": "7", "ussd_code": "*100#"}, again),
        ({"id": "7"}, replace(OTHER, redelivered=True)),
    )
    for data, origin in others:
        answer = phone.request(origin=origin, **data)
        assert (answer.code, data_of(answer)["state"]) == (ResponseCode.UNCONFIRMED, "unconfirmed")
        assert "may have been run before" in data_of(answer)["cause"]
    assert phone.asked == ["*123#"]


def test_several_at_once(phone: Phone) -> None:
    phone.add("m1")
    items = [{"modem_id": name, "ussd_code": "*123#"} for name in ("m0", "m1", "m9")]
    answer = phone.ticket(items).answer(5)
    assert isinstance(answer.data, list)
    assert [one["response_code"] for one in answer.data] == ["0000", "0000", "1101"]
    assert answer.code is ResponseCode.NO_MODEM


@pytest.mark.parametrize(
    ("said", "code", "state"),
    [
        (UssdAnswer(UssdStatus.FINISHED), "0000", "finished"),
        (UssdAnswer(UssdStatus.ENDED, "Terima kasih"), "0000", "ended"),
        (UssdAnswer(UssdStatus.ENDED), "1207", "unconfirmed"),
        (UssdAnswer(UssdStatus.TIMED_OUT), "1207", "unconfirmed"),
        (UssdAnswer(UssdStatus.NOT_SUPPORTED), "1102", "failed"),
        (UssdAnswer(UssdStatus.OTHER_CLIENT), "1102", "failed"),
        (NotDone("no network service"), "1102", "failed"),
    ],
)
def test_response_codes(phone: Phone, said: object, code: str, state: str) -> None:
    phone.script.append(said)
    answer = phone.request()
    assert answer.code.value == code
    assert data_of(answer)["state"] == state
    assert ("cause" in data_of(answer)) is (code != "0000")


@pytest.mark.parametrize("code", ["balance", '*123#"', "*123#;+CFUN=0", "*1 #", "*123#>1", "*é#"])
def test_what_is_no_code_is_named(phone: Phone, code: str) -> None:
    answer = phone.request(ussd_code=code)
    assert answer.code is ResponseCode.MALFORMED
    assert data_of(answer)["errors"][0]["field"] == "data.ussd_code"
    answer = phone.ticket([{"modem_id": "m0", "ussd_code": "*1#"}, {"modem_id": "m0", "ussd_code": "x"}]).answer()
    assert data_of(answer)["errors"][0]["field"] == "data[1].ussd_code"
    assert phone.asked == []


def test_no_text_is_logged_or_shown(phone: Phone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    phone.script.extend([UssdAnswer(UssdStatus.REPLY_WANTED, "rahasia"), NotDone("refused")])
    session = phone.start("*771*4321#")
    session.exchange.result(PATIENCE)
    phone.say("rahasia lain")
    for text in ("4321", "rahasia"):
        assert text not in caplog.text + repr(session) + str(phone.sessions.sessions())


def test_a_session_ends_in_time_where_no_thread_can_be_started(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its timer it would have held the modem's USSD for ever."""

    def cannot_start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    phone.sessions.timeouts = {"m0": 0.05}
    phone.script.append(SILENT)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Timer, "start", cannot_start)
        session = phone.start()
    phone.sessions.look()

    def looked() -> bool:
        phone.sessions.look()
        return session.exchange.done()

    until(looked)
    assert refusal(lambda: session.exchange.result(0)).code is ResponseCode.UNCONFIRMED
    assert not phone.sessions.busy("m0")
