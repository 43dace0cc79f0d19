"""What the simulated modem answers to each AT command but AT+CMGS."""

import pytest

from otppi.simulator import ModemPeer, ModemProfile
from otppi.simulator.commands import COMMANDS
from otppi.testing.terminal import Terminal

OK = ["OK"]
ERROR = ["ERROR"]
PROFILE = ModemProfile()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("AT", OK),
        ("at", OK),
        ("ATZ", OK),
        ("AT&F", OK),
        ("ATE0V1Q0X4S0=0", OK),
        ("ATE0;+CMEE=1", OK),
        ("ATH", OK),
        ("ATI", ["OTP-Pi", "Simulated Modem", "Revision: SIM-1.0", f"IMEI: {PROFILE.imei}", "OK"]),
        ("AT+CMEE?", ["+CMEE: 0", "OK"]),
        ("AT+CMEE=?", ["+CMEE: (0-2)", "OK"]),
        ("AT+CGMI", ["OTP-Pi", "OK"]),
        ("AT+CGMM", ["Simulated Modem", "OK"]),
        ("AT+CGMR", ["SIM-1.0", "OK"]),
        ("AT+CGSN", [PROFILE.imei, "OK"]),
        ("AT+GSN", [PROFILE.imei, "OK"]),
        ("AT+CIMI", [PROFILE.imsi, "OK"]),
        ("AT+CCID", [f"+CCID: {PROFILE.iccid}", "OK"]),
        ("AT+ICCID", [f"+ICCID: {PROFILE.iccid}", "OK"]),
        ("AT^ICCID", [f"^ICCID: {PROFILE.iccid}", "OK"]),
        ("AT+QCCID", [f"+QCCID: {PROFILE.iccid}", "OK"]),
        ("AT+CPIN?", ["+CPIN: READY", "OK"]),
        ("AT+CPINR", ["+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,10,10", "OK"]),
        ('AT+CLCK="SC",2', ["+CLCK: 0", "OK"]),
        ('AT+CLCK="SC",1,"1234"', OK),
        ('AT+CLCK="PN",2', ERROR),
        ("AT+CSCA?", [f'+CSCA: "{PROFILE.smsc}",145', "OK"]),
        ("AT+CREG?", ["+CREG: 0,1", "OK"]),
        ("AT+CGREG?", ["+CGREG: 0,1", "OK"]),
        ("AT+CEREG?", ["+CEREG: 0,1", "OK"]),
        ("AT+CREG?;+CSQ", ["+CREG: 0,1", "+CSQ: 21,99", "OK"]),
        ("AT+COPS?", ['+COPS: 0,0,"Simulated",7', "OK"]),
        ("AT+CSQ", ["+CSQ: 21,99", "OK"]),
        ("AT+CMGF?", ["+CMGF: 0", "OK"]),
        ("AT+CMGF=0", OK),
        ("AT+CMGF=1", ERROR),
        ("AT+CSMS?", ["+CSMS: 0,1,1,1", "OK"]),
        ("AT+CSMS=1", ["+CSMS: 1,1,1", "OK"]),
        ("AT+CPMS?", ["+CPMS: " + ",".join(['"SM",0,20'] * 3), "OK"]),
        ('AT+CPMS="ME","ME"', ["+CPMS: 0,50,0,50,0,20", "OK"]),
        ('AT+CPMS="ME","ME","ME"', ["+CPMS: 0,50,0,50,0,50", "OK"]),
        ('AT+CPMS="XX"', ["+CMS ERROR: 302"]),
        ("AT+CPMS=", ERROR),
        ("AT+CNMI?", ["+CNMI: 2,0,0,0,0", "OK"]),
        ("AT+CNMI=2,1,0,2", OK),
        ("AT+CNMI=2,4,0,0,0", ["+CMS ERROR: 303"]),
        ("AT+CMMS=2", OK),
        ('AT+CSCS="GSM"', OK),
        ("AT+CSCS?", ['+CSCS: "GSM"', "OK"]),
        ("AT+CMGL=4", OK),
        ("AT+CMGR=1", OK),
        ("AT+CMGR=99", ["+CMS ERROR: 321"]),
        ("AT+CMGR=x", ERROR),
        ("AT+CMGD=1", OK),
        ("AT+CNMA", ["+CMS ERROR: 340"]),
        ("AT+CUSD?", ["+CUSD: 1", "OK"]),
        ("AT+CFUN?", ["+CFUN: 1", "OK"]),
        ("AT+CFUN=9", ERROR),
        ("AT+CBC", ["+CBC: 0,100", "OK"]),
        ("AT+CPBS?", ERROR),
        ("AT^CURC=0", ERROR),
        ("AT+", ERROR),
        ("ATD123;", ERROR),
        ('AT+CSCA="', ERROR),
        ("nothing for a modem", []),
        ("\x00\x00AT", OK),
    ],
)
def test_answer(terminal: Terminal, command: str, answer: list[str]) -> None:
    assert terminal.ask(command) == answer


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_command_is_upset_by_nonsense(terminal: Terminal, name: str) -> None:
    for rest in ("", "?", "=?", "=", "=,", '="', '="x",y,', "=-1", "=99999999999", "=" + "9" * 5000, "=1,1,1,1,1,1,1"):
        terminal.ask(f"AT{name}{rest}")
        terminal.peer.plug(terminal.now)
        assert terminal.ask("ATE0")[-1] == "OK"


@pytest.mark.parametrize(
    ("level", "answer"), [(0, "ERROR"), (1, "+CME ERROR: 16"), (2, "+CME ERROR: incorrect password")]
)
def test_cmee_says_how_errors_are_told(level: int, answer: str) -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, pin="1234")))
    terminal.ask(f"AT+CMEE={level}")
    assert terminal.ask('AT+CPIN="0000"') == [answer]


def test_echo(terminal: Terminal) -> None:
    terminal.ask("ATE1")
    assert terminal.type(b"AT\r") == b"AT\r\r\nOK\r\n"
    assert terminal.type(b"ATE0\r") == b"ATE0\r\r\nOK\r\n"
    assert terminal.type(b"AT\r") == b"\r\nOK\r\n"


def test_bytes_may_come_one_by_one_and_in_heaps(terminal: Terminal) -> None:
    for byte in b"AT+CSQ":
        assert terminal.type(bytes([byte])) == b""
    assert terminal.type(b"\r\n") == b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n"
    assert terminal.type(b"AT\r\nAT\r\nAT+CSQ\r") == b"\r\nOK\r\n" * 2 + b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n"


def test_one_command_after_the_other_takes_its_time(terminal: Terminal) -> None:
    terminal.peer.receive(b"AT\rAT\r", 1.0)
    assert terminal.peer.advance(1.0019) == b""
    assert terminal.peer.advance(1.002) == b"\r\nOK\r\n"
    assert terminal.peer.advance(1.0039) == b""
    assert terminal.peer.advance(1.004) == b"\r\nOK\r\n"


def test_pin_puk_and_the_time_that_a_sim_needs() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, pin="1234", puk="87654321", sim_ready_delay=2.0)))
    terminal.ask("AT+CMEE=1")
    assert terminal.ask("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert terminal.ask('AT+CLCK="SC",2') == ["+CLCK: 1", "OK"]
    assert terminal.ask("AT+CIMI") == ["+CME ERROR: 11"]
    assert terminal.ask("AT+CMGL=4") == ["+CMS ERROR: 311"]
    for left in (2, 1, 0):
        assert terminal.ask('AT+CPIN="9999"') == ["+CME ERROR: 16"]
        assert terminal.ask("AT+CPINR")[0] == f"+CPINR: SIM PIN,{left},3"
    assert terminal.ask("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
    assert terminal.ask("AT+CIMI") == ["+CME ERROR: 12"]
    assert terminal.ask('AT+CPIN="1234"') == ["+CME ERROR: 12"]
    assert terminal.ask('AT+CPIN="00000000","4321"') == ["+CME ERROR: 16"]
    assert terminal.ask('AT+CPIN="87654321","4321"') == OK
    assert terminal.ask("AT+CPIN?") == ["+CME ERROR: 14"]
    terminal.listen(2.0)
    assert terminal.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]


def test_registration_and_radio(terminal: Terminal) -> None:
    terminal.ask("AT+CREG=2")
    assert terminal.ask("AT+CREG?") == ['+CREG: 2,1,"0001","00000001"', "OK"]
    assert terminal.ask("AT+CFUN=4") == ["+CREG: 0", "OK"]
    assert terminal.ask("AT+CREG?") == ["+CREG: 2,0", "OK"]
    assert terminal.ask("AT+COPS?") == ["+COPS: 0", "OK"]
    assert terminal.ask("AT+CFUN=1") == ["+CREG: 1", "OK"]
    assert terminal.ask("AT+COPS=3,2") == OK
    assert terminal.ask("AT+COPS?") == ['+COPS: 0,2,"00101",7', "OK"]


def test_reset_takes_the_port_away_and_the_settings_back(terminal: Terminal) -> None:
    terminal.ask("AT+CMEE=2")
    terminal.ask('AT+CSCA="+621"')
    assert terminal.ask("AT+CFUN=1,1", 0.5) == OK
    assert not terminal.peer.plugged
    assert terminal.ask("AT", 0.1) == []
    terminal.listen(1.0)
    assert terminal.peer.plugged
    assert terminal.ask("AT+CMEE?") == ["+CMEE: 0", "OK"]
    assert terminal.ask("AT+CSCA?") == ['+CSCA: "+621",145', "OK"]


def test_only_the_configured_commands_tell_the_iccid() -> None:
    terminal = Terminal(ModemPeer(ModemProfile(echo=False, iccid_commands=("^ICCID",))))
    assert terminal.ask("AT+CCID") == ERROR
    assert terminal.ask("AT^ICCID") == [f"^ICCID: {PROFILE.iccid}", "OK"]


def test_a_line_that_comes_again_is_obeyed_anew_up_to_what_cannot_be_read() -> None:
    for terminal in (Terminal(ModemPeer(ModemProfile(echo=False))) for _ in range(2)):
        for _ in range(2):
            assert terminal.ask("AT+CMEE=0") == OK
            assert terminal.ask("AT+CMEE=2;!+CMEE=1") == ERROR
            assert terminal.ask("AT+CMEE?") == ["+CMEE: 2", "OK"]
