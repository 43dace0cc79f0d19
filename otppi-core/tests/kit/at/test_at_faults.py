"""Each fault that real modems were seen with, and what the driver makes of it (the table of what real modems do)."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from otppi.api.errors import ModemBlocked, ModemLost, ModemUnfit, NotSent, Rejected, SendError, Unconfirmed
from otppi.simulator import FAULTS, ModemProfile
from otppi.simulator.faults.usb import USB_FAULTS
from otppi.testing.scripted import RecordedHooks

ARRIVED, LOST = True, False


@dataclass(frozen=True, slots=True)
class Case:
    """A fault that strikes when the modem is open, and what becomes of the message that is sent then.

    `error` is None where it is sent; `arrived` is whether the network has it all the same; `heals` whether the next
    message goes out without anybody's help; `silent` what the modem does not give, so that a time-out ends it.
    """

    fault: str
    error: type[SendError] | None = None
    arrived: bool = LOST
    heals: bool = False
    silent: Literal["prompt", "result", ""] = ""
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.fault, *map(str, self.options.values())])


CASES = (
    Case("echo-on-mid-session"),
    Case("echo-stuck"),
    Case("stale-edit-mode", NotSent, heals=True, silent="prompt"),
    Case("boot-garbage", NotSent, heals=True),
    Case("first-at-ignored", NotSent, heals=True, silent="prompt"),
    Case("prompt-without-space"),
    Case("prompt-without-newline"),
    Case("prompt-two-spaces"),
    Case("prompt-with-newline"),
    Case("pdu-too-early", NotSent, heals=True),
    Case("no-prompt", NotSent, silent="prompt"),
    Case("no-prompt", NotSent, heals=True, silent="prompt", options={"at": 1}),
    Case("error-at-prompt", NotSent),
    Case("error-at-prompt", options={"at": 1}),  # it may be the two commands in one line: they are tried one by one
    Case("error-but-editing", options={"at": 1}),
    Case("urc-in-reply"),
    Case("urc-before-prompt"),
    Case("urc-before-result"),
    Case("urc-with-body"),
    Case("unknown-line"),
    Case("ok-in-text"),
    Case("late-reply", options={"seconds": 0.2}),
    Case("late-reply", NotSent, heals=True, silent="prompt", options={"seconds": 1.0, "at": 1}),
    Case("odd-errors"),
    Case("command-not-support", Unconfirmed),
    Case("modem-error", Unconfirmed),
    Case("na", Unconfirmed),
    Case("bare-lf"),
    Case("blank-lines"),
    Case("cpin-without-ok"),
    *(
        Case("cms-error", error, options={"code": code})
        for error, codes in (
            (NotSent, (38, 41, 42, 47, 111, 314, 331, 332, 615, 616, 256, 522, 21, 27, 330)),
            (ModemUnfit, (8, 10, 50, 310, 311, 312, 313, 315, 316, 317, 318, 322, 208, 211)),
            (Rejected, (1, 28, 30, 96, 305)),
            (Unconfirmed, (300, 500, 9999)),
        )
        for code in codes
    ),
    *(
        Case("cms-error-at-prompt", error, options={"code": code})
        for code, error in (
            (38, NotSent),
            (8, ModemUnfit),
            (1, Rejected),
            (330, NotSent),
            (304, Rejected),
            (500, NotSent),
        )
    ),
    Case("cme-error", NotSent),
    Case("cme-error", ModemUnfit, options={"code": 10}),
    Case("cme-error", Unconfirmed, options={"code": 100}),
    Case("sim-busy", NotSent),
    Case("sim-initialising", NotSent),
    Case("cmee-refused"),
    Case("cmee-text-only"),
    Case("result-lost-sent", Unconfirmed, ARRIVED, silent="result"),
    Case("result-lost-unsent", Unconfirmed, silent="result"),
    Case("result-late", options={"seconds": 0.2}),
    Case("result-late", Unconfirmed, ARRIVED, heals=True, silent="result", options={"seconds": 0.9, "at": 1}),
    Case("pin-required", ModemUnfit),
    Case("pin-last-try", ModemUnfit),
    Case("puk-required", ModemUnfit),
    Case("storage-full", NotSent, heals=True),
    Case("storage-full-unsent", ModemUnfit),
    Case("csca-empty", NotSent, heals=True),
    Case("registration-lost", NotSent),
    Case("registration-stuck", NotSent),
    Case("silence", NotSent, silent="prompt"),
    Case("unplug-before-prompt", ModemLost, heals=True, options={"seconds": 0.05}),
    Case("unplug-after-prompt", Unconfirmed, heals=True, options={"seconds": 0.05}),
    Case("unplug-after-submit-sent", Unconfirmed, ARRIVED, heals=True, options={"seconds": 0.05}),
    Case("unplug-after-submit-unsent", Unconfirmed, heals=True, options={"seconds": 0.05}),
    Case("quote-lost"),
    Case("quote-lost-before-prompt"),
    Case("quote-lost-before-result"),
    Case("slow-line"),
    Case("small-buffer", NotSent, silent="prompt"),
    Case("cmms-error"),
    Case("noise"),
    Case("autobaud", NotSent, heals=True, silent="prompt"),
    Case("brown-out", Unconfirmed, ARRIVED, heals=True, options={"seconds": 0.05, "code": 10}),
    Case("restart", NotSent, heals=True, silent="prompt", options={"seconds": 0.1}),
    Case("restart-after-submit", Unconfirmed, heals=True, silent="result", options={"seconds": 0.1}),
    Case("joins-refused"),
    *(Case(fault) for fault in ("charset-ucs2", "charset-hex", "charset-stuck")),
    # What does not touch the sending of one short message
    *(Case(fault) for fault in FAULTS if fault.startswith(("ussd-", "report-", "reports-", "reference-", "dial-"))),
    *(Case(fault) for fault in ("part-refused", "part-lost", "getportmode-crash", "notifications-lost")),
    *(Case(fault) for fault in ("memory-me-absent", "cmti-other-memory", "gaps-in-memory", "cnmi-refused")),
    *(Case(fault) for fault in ("header-without-fields", "lines-behind-header", "pdu-cut", "pdu-with-parameter")),
    *(Case(fault) for fault in ("cmgl-broken", "cmgl-incomplete", "routed-needs-cnma")),
    *(Case(fault) for fault in USB_FAULTS),
)


def test_every_fault_has_a_case() -> None:
    assert {case.fault for case in CASES} == set(FAULTS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_becomes_of_a_message_and_of_the_next_one(driver: Any, case: Case) -> None:
    driver.modem.open()
    driver.peer.inject(case.fault, **case.options)
    if case.silent:
        driver.give_up_after(**{case.silent: 0.4})
    if case.error is None:
        assert len(driver.send("first").progress.references) == 1
    else:
        with pytest.raises(SendError) as caught:
            driver.send("first")
        assert type(caught.value) is case.error, caught.value
        assert "first" not in f"{caught.value!r} {caught.value}"
        if issubclass(case.error, ModemLost):
            driver.reopen()
    if not case.heals:
        driver.peer.heal()
    driver.give_up_after()
    driver.send_at_last("second")
    expected = ["first"] if case.error is None or case.arrived else []
    assert driver.texts == [*expected, "second"]
    assert driver.rack.network.part_count == len(expected) + 1


@pytest.mark.parametrize(
    ("maker", "code", "error"),
    [
        ("Quectel", 512, NotSent),
        ("Quectel", 528, Unconfirmed),
        ("SIMCOM_Ltd", 512, Unconfirmed),
        ("SIMCOM_Ltd", 529, ModemUnfit),
        ("Cinterion", 517, NotSent),  # bytes were lost on the line: with a pause behind the prompt it may go
        ("u-blox", 512, Unconfirmed),
        ("Generic", 512, Unconfirmed),
    ],
)
def test_a_makers_own_number_is_read_by_its_makers_table(
    make_driver: Any, maker: str, code: int, error: type[SendError]
) -> None:
    driver = make_driver(profile=ModemProfile(manufacturer=maker))
    driver.modem.open()
    driver.peer.inject("cms-error", code=code)
    with pytest.raises(SendError) as caught:
        driver.send("first")
    assert type(caught.value) is error, caught.value


OPENS = (
    *sorted(
        set(FAULTS)
        - {
            "first-at-ignored",
            "silence",
            "late-reply",
            "small-buffer",
            "cpin-without-ok",
            "pin-required",
            "pin-last-try",
            "brown-out",
        }
        - {"puk-required", "sim-busy", "sim-initialising", "registration-lost", "registration-stuck", "csca-empty"}
    ),
    "first-at-ignored",
    "small-buffer",
    "cpin-without-ok",
    "csca-empty",
)
REFUSES = {
    "silence": ModemLost,
    "pin-required": ModemBlocked,
    "pin-last-try": ModemBlocked,
    "puk-required": ModemBlocked,
    "registration-lost": ModemLost,
    "registration-stuck": ModemLost,
}


TOLD_IMEI = {"imei-cloned": "350000000000006", "imei-missing": ""}


@pytest.mark.parametrize("fault", OPENS)
def test_a_modem_with_this_fault_is_opened_and_read(driver: Any, fault: str) -> None:
    driver.peer.inject(fault)
    driver.modem.open()
    identity = driver.modem.identity()
    assert identity.imei == TOLD_IMEI.get(fault, driver.peer.profile.imei)
    assert identity.registration == "home network"
    driver.peer.heal()
    driver.send_at_last("second")
    assert driver.texts == ["second"]


@pytest.mark.parametrize("fault", REFUSES)
def test_a_modem_with_this_fault_cannot_be_opened_until_it_is_healed(driver: Any, fault: str) -> None:
    driver.peer.inject(fault)
    with pytest.raises(ModemLost) as caught:
        driver.modem.open()
    assert type(caught.value) is REFUSES[fault]
    assert caught.value.cause
    driver.peer.heal()
    driver.reopen()
    driver.send("second")
    assert driver.texts == ["second"]


@pytest.mark.parametrize("fault", ["sim-busy", "sim-initialising"])
def test_a_sim_that_is_busy_is_waited_for(driver: Any, fault: str) -> None:
    driver.peer.inject(fault, seconds=0.5)
    driver.modem.open()
    driver.send()
    assert driver.texts == ["a text"]


def test_late_answers_bring_nothing_out_of_step(driver: Any) -> None:
    driver.peer.inject("late-reply", at=4, seconds=1.0, command="+C")
    driver.reopen()
    identity = driver.modem.identity()
    assert (identity.imei, identity.imsi) == (driver.peer.profile.imei, driver.peer.profile.imsi)


def test_a_modem_that_is_not_ready_for_the_pdu_gets_a_pause_from_then_on(driver: Any) -> None:
    driver.modem.open()
    driver.peer.inject("pdu-too-early")
    with pytest.raises(NotSent):
        driver.send("0")
    for number in range(3):
        driver.send(str(number))
    assert driver.texts == ["0", "1", "2"]


def test_a_pdu_that_is_refused_in_spite_of_a_pause_and_of_small_chunks_is_rejected(driver: Any) -> None:
    driver.modem.open()
    driver.peer.inject("cms-error", code=304)
    for _ in range(2):
        with pytest.raises(NotSent):
            driver.send()
    with pytest.raises(Rejected):
        driver.send()


def test_a_network_that_is_out_of_order_asks_for_a_wait(driver: Any) -> None:
    driver.modem.open()
    driver.peer.inject("cms-error", code=38)
    with pytest.raises(NotSent) as caught:
        driver.send()
    assert caught.value.retry_after == 2.0
    assert caught.value.code == "+CMS ERROR: 38"
    assert caught.value.cause == "network out of order"


@pytest.mark.parametrize("failing", [1, 2, 3])
@pytest.mark.parametrize("fault", ["no-prompt", "cms-error", "error-at-prompt"])
def test_a_message_of_several_parts_goes_on_at_the_part_that_failed(driver: Any, fault: str, failing: int) -> None:
    driver.modem.open()
    driver.send("first")  # it is known then that the modem takes two commands in one line
    driver.peer.inject(fault, at=failing)
    message = driver.message("".join(chr(ord("a") + number % 26) for number in range(400)))
    if fault == "no-prompt":
        driver.give_up_after(prompt=2.0)
    with pytest.raises(NotSent):
        driver.modem.send(message)
    driver.give_up_after()
    assert len(message.progress.references) == failing - 1
    assert message.progress.segments == 3
    driver.modem.send(message)
    assert driver.texts == ["first", message.text]
    assert driver.rack.network.part_count == 4
    references = {part.submit.user_data.concatenation.reference for part in driver.rack.network.parts[1:]}
    assert references == {message.progress.concatenation_reference}


def test_an_unconfirmed_part_is_not_sent_again_by_itself(driver: Any) -> None:
    driver.modem.open()
    driver.peer.inject("result-lost-sent", at=2)
    driver.give_up_after(result=2.0)
    message = driver.message("x" * 400)
    dispatched: list[int] = []
    hooks = RecordedHooks(lambda: dispatched.append(driver.rack.network.part_count))
    with pytest.raises(Unconfirmed):
        driver.modem.send(message, hooks)
    assert (len(message.progress.references), driver.rack.network.part_count) == (1, 2)
    assert dispatched == [0, 1]


def test_an_attempt_after_an_unconfirmed_one_asks_for_duplicates_to_be_rejected(driver: Any) -> None:
    driver.modem.open()
    driver.modem.send(driver.message("first"))
    driver.modem.send(driver.message("second", again=True))
    assert [part.submit.reject_duplicates for part in driver.rack.network.parts] == [False, True]
