"""Each fault of receiving, reports, USSD, ports and calls does what its row says, and none is without a test."""

from collections.abc import Callable

import pytest

from otppi.simulator import FAULTS, ModemPeer, ModemProfile, UssdForm
from otppi.simulator.faults.device import DEVICE_FAULTS
from otppi.simulator.faults.inbox import INBOX_FAULTS
from otppi.simulator.faults.reports import REPORT_FAULTS
from otppi.simulator.faults.ussd import USSD_FAULTS
from otppi.testing.terminal import Terminal
from otppi.wire import gsm7
from otppi.wire.charset import encode
from otppi.wire.status_report import SmsStatusReport
from otppi.wire.tpdu import parse_pdu_line

Check = Callable[[Terminal], None]
SENDS = "\r\n+CMGS: 0\r\n\r\nOK\r\n"
BALANCE = '+CUSD: 0,"Balance: 10000",15'
LONG = "x" * 300


def ussd(terminal: Terminal, seconds: float = 1.0) -> list[str]:
    return terminal.ask('AT+CUSD=1,"*123#",15', seconds)


def deliver(terminal: Terminal, *texts: str) -> list[str]:
    for text in texts:
        terminal.peer.deliver("+628110000001", text, terminal.now)
    return [line for line in terminal.listen().decode().split("\r\n") if line]


def reports(told: str) -> list[tuple[int, int]]:
    """Return TP-MR and TP-ST of the reports that were routed."""
    lines = told.split("\r\n")
    pdus = [lines[number + 1] for number, line in enumerate(lines) if line.startswith("+CDS:")]
    decoded = [SmsStatusReport.decode(parse_pdu_line(pdu)[1]) for pdu in pdus]
    return [(report.message_reference, report.status) for report in decoded]


def reported(terminal: Terminal, seconds: float = 1.0) -> list[tuple[int, int]]:
    """Send a message and return its reports."""
    terminal.ask("AT+CNMI=2,1,0,1,0")
    return reports(terminal.send("x", report=True, seconds=seconds))


def report_failed(terminal: Terminal) -> None:
    assert reported(terminal) == [(0, 0x46)]


def report_pending_only(terminal: Terminal) -> None:
    assert reported(terminal, 3600) == [(0, 0x30)]


def report_before_result(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,1,0,1,0")
    told = terminal.send("x", report=True)
    assert told.endswith(SENDS)
    assert reports(told) == [(0, 0)]


def report_twice(terminal: Terminal) -> None:
    assert reported(terminal) == [(0, 0), (0, 0)]


def report_late(terminal: Terminal) -> None:
    assert reported(terminal, 1.9) == []
    assert reports(terminal.listen(0.2).decode()) == [(0, 0)]


def reports_refused(terminal: Terminal) -> None:
    assert terminal.send("x", report=True) == "\r\n+CMS ERROR: 69\r\n"
    assert terminal.send("x") == SENDS


def part_refused(terminal: Terminal) -> None:
    assert terminal.send(LONG) == f"{SENDS}\r\n+CMS ERROR: 41\r\n"
    assert "ERROR" not in terminal.send(LONG)
    assert terminal.peer.network.part_count == 3


def part_lost(terminal: Terminal) -> None:
    assert terminal.send(LONG) == SENDS
    assert terminal.peer.network.part_count == 1


def reference_wraps(terminal: Terminal) -> None:
    assert [terminal.send("x").split()[1] for _ in range(3)] == ["254", "255", "0"]


def reference_constant(terminal: Terminal) -> None:
    assert [terminal.send("x") for _ in range(3)] == [SENDS] * 3


def storage_full(terminal: Terminal) -> None:
    assert terminal.listen() == b'\r\n^SMMEMFULL: "SM"\r\n'
    assert "+CMS ERROR: 322" in terminal.send("x")
    terminal.ask("AT+CNMI=2,1,0,0,0")
    assert deliver(terminal, "one", "two") == ['^SMMEMFULL: "SM"'] * 2
    assert terminal.listen(60) == b""
    assert terminal.ask("AT+CMGD=7") == ["OK", '+CMTI: "SM",7']
    assert terminal.ask("AT+CMGD=1,4") == ["OK", '+CMTI: "SM",1']
    assert terminal.send("x") == SENDS


def storage_full_unsent(terminal: Terminal) -> None:
    assert "+CMS ERROR: 322" in terminal.send("x")
    headers = [line for line in terminal.ask("AT+CMGL=4") if line.startswith("+CMGL: ")]
    assert (len(headers), headers[0][:10], headers[1][:10]) == (20, "+CMGL: 1,3", "+CMGL: 2,2")
    assert terminal.ask("AT+CMGR=2")[0].startswith("+CMGR: 2")
    assert terminal.ask("AT+CMGD=2") == ["OK"]
    assert terminal.send("x") == SENDS


def memory_me_absent(terminal: Terminal) -> None:
    assert terminal.ask('AT+CPMS="ME"') == ["+CMS ERROR: 302"]
    assert terminal.ask('AT+CPMS="SM","SM","ME"') == ["+CMS ERROR: 302"]
    assert terminal.ask("AT+CPMS=?") == ['+CPMS: ("SM"),("SM"),("SM")', "OK"]
    assert terminal.ask('AT+CPMS="SM"')[-1] == "OK"


def cmti_other_memory(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,1,0,0,0")
    assert deliver(terminal, "one") == ['+CMTI: "ME",1']
    assert terminal.ask("AT+CMGR=1") == ["OK"]
    terminal.ask('AT+CPMS="ME"')
    assert terminal.ask("AT+CMGR=1")[0].startswith("+CMGR: 0,,")


def gaps_in_memory(terminal: Terminal) -> None:
    terminal.ask("AT+CNMI=2,1,0,0,0")
    assert deliver(terminal, *"abc") == [f'+CMTI: "SM",{place}' for place in (3, 6, 9)]
    assert terminal.ask("AT+CPMS?")[0] == "+CPMS: " + ",".join(['"SM",2,20'] * 3)
    assert len(deliver(terminal, *"defghijklmnopqrst")) == 17
    assert terminal.peer.memory.full


def cmgl_broken(terminal: Terminal) -> None:
    deliver(terminal, "one")
    assert terminal.ask("AT+CMGL=4") == ["ERROR"]
    assert terminal.ask("AT+CMGR=1")[-1] == "OK"


def cmgl_incomplete(terminal: Terminal) -> None:
    deliver(terminal, *"abc")
    assert [line[:8] for line in terminal.ask("AT+CMGL=4")[::2]] == ["+CMGL: 1", "+CMGL: 3", "OK"]
    assert len(terminal.ask("AT+CMGR=2")) == 3


def header_without_fields(terminal: Terminal) -> None:
    deliver(terminal, "one")
    assert terminal.ask("AT+CMGL=4")[0].startswith("1,0,,")
    assert terminal.ask("AT+CMGR=1")[0].startswith("+CMGR: ,,")


def lines_behind_header(terminal: Terminal) -> None:
    deliver(terminal, "one")
    for command in ("AT+CMGL=4", "AT+CMGR=1"):
        assert terminal.ask(command)[1:3] == ["^RSSI: 18", "_OUWCTI: 4"]


def notifications_lost(terminal: Terminal) -> None:
    for mt in (1, 2):
        terminal.ask(f"AT+CNMI=2,{mt},0,1,0")
        assert deliver(terminal, "one") == []
    assert "+CDS" not in terminal.send("x", report=True)
    assert len(terminal.ask("AT+CMGL=4")) == 3 * 2 + 1


def cnmi_refused(terminal: Terminal) -> None:
    for settings in ("2,1,2,1,0", "2,1,2,2,0", "2,1,2,0,0", "2,2,0,0,0"):
        assert terminal.ask(f"AT+CNMI={settings}") == ["+CMS ERROR: 303"]
    assert terminal.ask("AT+CNMI=2,1,0,0,0") == ["OK"]


def routed_needs_cnma(terminal: Terminal) -> None:
    terminal.ask("AT+CSMS=1;+CNMI=2,2,0,1,0")
    assert len(deliver(terminal, "one", "two")) == 2, "the second waits for the first"
    ok, *second = terminal.ask("AT+CNMA")
    assert (ok, second[0][:5]) == ("OK", "+CMT:")
    again = [line for line in terminal.listen(60).decode().split("\r\n") if line]
    assert again == second * 2
    assert terminal.ask("AT+CNMI?")[0] == "+CNMI: 2,0,0,0,0"
    assert len(terminal.ask("AT+CMGL=4")) == 3, "in the end it is stored"


def getportmode_crash(terminal: Terminal) -> None:
    assert terminal.ask("AT") == ["OK"]
    assert terminal.ask("AT^GETPORTMODE", 3600) == []
    assert terminal.ask("AT", 3600) == []
    terminal.peer.unplug(terminal.now)
    terminal.peer.plug(terminal.now)
    assert terminal.ask("AT") == ["OK"]


def autobaud(terminal: Terminal) -> None:
    assert [terminal.ask("AT") for _ in range(4)] == [[], [], ["OK"], ["OK"]]
    terminal.ask("AT+CFUN=1,1", 2.0)
    assert [terminal.ask("ATE0")[-1:] for _ in range(3)] == [[], [], ["OK"]]


def brown_out(terminal: Terminal) -> None:
    def lost(_: int) -> bool:
        return "OK" not in terminal.ask("AT", 2.0)

    first = list(map(lost, range(100)))
    assert 0 < sum(first) < 10
    terminal.peer.heal()
    terminal.peer.inject("brown-out", terminal.now)
    assert list(map(lost, range(100))) == first, "it is the same whenever it is played"


def dialling(result: str) -> Callable[[Terminal], None]:
    def check(terminal: Terminal) -> None:
        assert terminal.ask("ATD*99#") == [result]
        assert terminal.ask("AT") == ["OK"]
        terminal.peer.heal()
        assert terminal.ask("ATD*99#") == ["CONNECT"]

    return check


def routed(terminal: Terminal) -> tuple[int, str]:
    """Let a message come to the line; give the length in its header, and its PDU."""
    terminal.ask("AT+CNMI=2,2,0,0,0")
    header, pdu = deliver(terminal, "a short text")
    return int(header.rpartition(",")[2]), pdu


def pdu_cut(terminal: Terminal) -> None:
    length, pdu = routed(terminal)
    assert len(parse_pdu_line(pdu)[1]) == length - 8


def pdu_with_parameter(terminal: Terminal) -> None:
    length, pdu = routed(terminal)
    assert len(parse_pdu_line(pdu.removesuffix(",0"))[1]) == length
    assert pdu.endswith(",0")


def ussd_padding(terminal: Terminal) -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, ussd_form=UssdForm.GSM7_HEX)))
    terminal.peer.inject("ussd-padding")
    request = gsm7.pack(gsm7.encode("*123#")).hex().upper()
    _, answer = terminal.ask(f'AT+CUSD=1,"{request}",15')
    octets = bytes.fromhex(answer.split('"')[1])
    assert len(octets) % 7 == 0
    assert gsm7.decode(gsm7.unpack(octets, len(octets) * 8 // 7)) == "Balance: 10000\r\r"


def ussd_ucs2_untold(terminal: Terminal) -> None:
    answer = ussd(terminal)[-1]
    assert bytes.fromhex(answer.split('"')[1]).decode("utf-16-be") == "Balance: 10000 \u2013 cr\u00e9dit"
    assert answer.endswith(",15")


def ussd_before_ok(terminal: Terminal) -> None:
    assert ussd(terminal) == [BALANCE, "OK"]


def ussd_late(terminal: Terminal) -> None:
    assert ussd(terminal, 1.9) == ["OK"]
    assert terminal.listen(0.2).decode().strip() == BALANCE


def ussd_is(*lines: str) -> Callable[[Terminal], None]:
    def check(terminal: Terminal) -> None:
        assert ussd(terminal, 3600) == list(lines)

    return check


def ussd_multiline(terminal: Terminal) -> None:
    lines = ussd(terminal)
    assert lines == ["OK", '+CUSD: 0,"Balance: 10000', "OK", "ERROR", '1 More",15']


def ussd_refused(terminal: Terminal) -> None:
    terminal.ask("AT+CMEE=1")
    assert ussd(terminal) == ["+CME ERROR: 30"]
    assert terminal.ask("AT+CUSD=2") == ["OK"]


def restart(terminal: Terminal) -> None:
    assert terminal.ask("AT+CMEE=1") == []
    assert terminal.ask("AT+CMEE=1") == ["OK"]
    terminal.peer.inject("restart", terminal.now, seconds=2.0)
    assert [terminal.ask("AT", 1.5), terminal.ask("AT", 1.5)] == [[], []]
    assert terminal.ask("AT+CMEE?") == ["+CMEE: 0", "OK"]


def restart_after_submit(terminal: Terminal) -> None:
    assert "+CMGS" not in terminal.send("x")
    assert (terminal.send("y"), terminal.peer.network.part_count) == (SENDS, 1)


def joins_refused(terminal: Terminal) -> None:
    assert terminal.ask("AT+CMGF=0;+CMGS=20") == ["ERROR"]
    assert terminal.ask("AT+CMGF=0;+CMEE=1") == ["OK"]
    assert terminal.send("x") == SENDS


def charset(name: str, operator: str) -> Check:
    def check(terminal: Terminal) -> None:
        assert terminal.ask("AT+CSCS?") == [f'+CSCS: "{name}"', "OK"]
        assert terminal.ask("AT+COPS?") == [f'+COPS: 0,0,"{operator}",7', "OK"]
        assert terminal.ask('AT+CSCA="+620000000001",145') == ["ERROR"]
        assert terminal.ask(f'AT+CSCS="{encode("IRA", name)}"') == ["OK"]
        assert terminal.ask("AT+COPS?") == ['+COPS: 0,0,"Simulated",7', "OK"]

    return check


def charset_stuck(terminal: Terminal) -> None:
    assert terminal.ask('AT+CSCS="IRA"') == ["ERROR"]


CHECKS: dict[str, Check] = {
    "report-failed": report_failed,
    "report-pending-only": report_pending_only,
    "report-before-result": report_before_result,
    "report-twice": report_twice,
    "report-late": report_late,
    "reports-refused": reports_refused,
    "part-refused": part_refused,
    "part-lost": part_lost,
    "reference-wraps": reference_wraps,
    "reference-constant": reference_constant,
    "storage-full": storage_full,
    "storage-full-unsent": storage_full_unsent,
    "memory-me-absent": memory_me_absent,
    "cmti-other-memory": cmti_other_memory,
    "gaps-in-memory": gaps_in_memory,
    "cmgl-broken": cmgl_broken,
    "cmgl-incomplete": cmgl_incomplete,
    "header-without-fields": header_without_fields,
    "lines-behind-header": lines_behind_header,
    "notifications-lost": notifications_lost,
    "cnmi-refused": cnmi_refused,
    "routed-needs-cnma": routed_needs_cnma,
    "pdu-cut": pdu_cut,
    "pdu-with-parameter": pdu_with_parameter,
    "getportmode-crash": getportmode_crash,
    "autobaud": autobaud,
    "brown-out": brown_out,
    "restart": restart,
    "restart-after-submit": restart_after_submit,
    "joins-refused": joins_refused,
    "charset-ucs2": charset("UCS2", "00530069006D0075006C0061007400650064"),
    "charset-hex": charset("HEX", "53696D756C61746564"),
    "charset-stuck": charset_stuck,
    "dial-no-carrier": dialling("NO CARRIER"),
    "dial-busy": dialling("BUSY"),
    "dial-error": dialling("ERROR"),
    "ussd-padding": ussd_padding,
    "ussd-ucs2-untold": ussd_ucs2_untold,
    "ussd-octets": ussd_is("OK", f'+CUSD: 0,"{b"Balance: 10000".hex().upper()}",0'),
    "ussd-release-first": ussd_is("OK", '+CUSD: 2,"Initiating Release",15', BALANCE),
    "ussd-empty-first": ussd_is("OK", '+CUSD: 0,""', BALANCE),
    "ussd-ended-by-network": ussd_is("OK", '+CUSD: 2,"Balance: 10000",15'),
    "ussd-before-ok": ussd_before_ok,
    "ussd-late": ussd_late,
    "ussd-no-dcs": ussd_is("OK", '+CUSD: 0,"Balance: 10000"'),
    "ussd-no-text": ussd_is("OK", "+CUSD: 0"),
    "ussd-multiline": ussd_multiline,
    "ussd-unsupported": ussd_is("OK", "+CUSD: 4"),
    "ussd-timed-out": ussd_is("OK", "+CUSD: 5"),
    "ussd-silent": ussd_is("OK"),
    "ussd-refused": ussd_refused,
}


def test_each_fault_has_a_check() -> None:
    assert list(CHECKS) == [*REPORT_FAULTS, *INBOX_FAULTS, *DEVICE_FAULTS, *USSD_FAULTS]


def test_the_table_is_in_the_order_of_its_rows() -> None:
    rows = [fault.row for fault in FAULTS.values()]
    assert rows == sorted(rows)


@pytest.mark.parametrize("name", CHECKS)
def test_fault(terminal: Terminal, name: str) -> None:
    terminal.peer.inject(name, terminal.now)
    CHECKS[name](terminal)


def test_a_late_result_carries_its_own_reference(terminal: Terminal) -> None:
    terminal.peer.inject("result-late", at=2)
    assert terminal.send("x") == SENDS
    assert terminal.send("x", seconds=1.9) == ""
    assert terminal.listen(0.2).decode() == "\r\n+CMGS: 1\r\n\r\nOK\r\n"
    assert terminal.send("x").split()[:2] == ["+CMGS:", "2"]


def test_a_part_is_refused_once_and_with_the_code_that_was_asked_for(terminal: Terminal) -> None:
    terminal.peer.inject("part-refused", at=2, code=38)
    answers = terminal.send("x" * 500).split("\r\n")
    assert [line for line in answers if "ERROR" in line] == ["+CMS ERROR: 38"]
    assert terminal.peer.network.part_count == 3
