"""What the gateway may have done as root, in the card image: units that are tight, and rules that allow no others."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from otppi.kit.at import usb_power

ROOT = Path(__file__).parents[2]
PPP = ROOT / "overlays/mobile-internet/etc"
POWER = ROOT / "overlays/power/etc"
RESET = ROOT / "overlays/reset/etc"
UPDATE = ROOT / "overlays/update/etc"
UNITS = {
    PPP / "systemd/system/otppi-ppp@.service": ("0123456789abcdef", 2.8),
    POWER / "systemd/system/otppi-usb-power@.service": ("1-1.2", 1.5),
    RESET / "systemd/system/otppi-read-stick@.service": ("sda1", 1.0),
}
"""The units, each with an instance, and the exposure that systemd may find at most."""
ALARMS = ROOT / "overlays/alarms/etc"
SIGNALS = [RESET / "systemd/system/otppi-signal@.service", ALARMS / "systemd/system/otppi-alarm@.service"]
"""Their programs are shell scripts; what else is said of units is tried of them, too."""
RULES = [
    PPP / "polkit-1/rules.d/50-otppi-ppp.rules",
    POWER / "polkit-1/rules.d/50-otppi-usb-power.rules",
    RESET / "polkit-1/rules.d/50-otppi-reset.rules",
    ALARMS / "polkit-1/rules.d/50-otppi-alarm.rules",
    UPDATE / "polkit-1/rules.d/50-otppi-update.rules",
    UPDATE / "polkit-1/rules.d/50-otppi-security-updates.rules",
]

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


def analyze(folder: Path, unit: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Have systemd read a unit whose Python is that of the test."""
    copy = folder / unit.name
    text = unit.read_text().replace("/opt/otppi/bin/python", sys.executable)
    role = "alarms" if "alarm" in unit.name else "reset"
    copy.write_text(text.replace("/usr/lib/otppi/", f"{ROOT}/overlays/{role}/usr/lib/otppi/"))
    (folder / "otppi.service").write_text("[Service]\nExecStart=/bin/true\n")  # that it is bound to
    environment = os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_COLORS": "0"}
    command = ["systemd-analyze", *arguments, str(copy)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@needs_systemd
@pytest.mark.parametrize("unit", [*UNITS, *SIGNALS], ids=lambda one: one.name)
def test_systemd_understands_every_line_of_a_unit(tmp_path: Path, unit: Path) -> None:
    done = analyze(tmp_path, unit, "verify", "--man=no")
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_a_line_that_it_does_not_understand_is_found(tmp_path: Path) -> None:
    unit = tmp_path / "source@.service"
    unit.write_text(next(iter(UNITS)).read_text() + "ProtectEverything=yes\n")
    (tmp_path / "read").mkdir()
    assert "ProtectEverything" in analyze(tmp_path / "read", unit, "verify", "--man=no").stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_a_unit_is_exposed_to_little(tmp_path: Path, unit: Path) -> None:
    done = analyze(tmp_path, unit, "security", "--offline=yes", "--no-pager", f"--threshold={UNITS[unit][1] * 10:.0f}")
    assert done.returncode == 0, done.stdout[-200:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_a_unit_starts_a_module_that_is_there_isolated_from_its_surroundings(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    python, isolated, option, module, instance = line.split()
    assert (python, isolated, option, instance) == ("/opt/otppi/bin/python", "-I", "-m", "%i")
    program = f"import importlib.util; assert importlib.util.find_spec({module!r})"
    subprocess.run([sys.executable, "-I", "-c", program], check=True)


def test_pppd_is_root_with_two_capabilities_and_three_kinds_of_devices() -> None:
    unit = next(iter(UNITS)).read_text()
    assert "\nCapabilityBoundingSet=CAP_NET_ADMIN CAP_DAC_READ_SEARCH\n" in unit
    assert re.findall(r"^DeviceAllow=(\S+)", unit, re.MULTILINE) == ["/dev/ppp", "char-ttyUSB", "char-ttyACM"]
    assert "\nDevicePolicy=closed\n" in unit


def test_the_reader_of_sticks_has_a_user_of_its_own_and_one_device_to_read() -> None:
    unit = (RESET / "systemd/system/otppi-read-stick@.service").read_text()
    assert "\nUser=otppi-stick\n" in unit
    assert "\nDevicePolicy=closed\n" in unit
    assert re.findall(r"^DeviceAllow=(.*)$", unit, re.MULTILINE) == ["/dev/%i r"]
    assert "\nPrivateNetwork=yes\n" in unit
    assert "\nRestrictAddressFamilies=none\n" in unit
    assert not re.search(r"^(ReadWritePaths|StateDirectory|BindPaths)=", unit, re.MULTILINE)
    assert "/var/lib/otppi" in re.findall(r"^InaccessiblePaths=(.*)$", unit, re.MULTILINE)[0]


@needs_systemd
@pytest.mark.parametrize("unit", SIGNALS, ids=lambda one: one.name)
def test_the_signal_is_exposed_to_little(tmp_path: Path, unit: Path) -> None:
    done = analyze(tmp_path, unit, "security", "--offline=yes", "--no-pager", "--threshold=16")
    assert done.returncode == 0, done.stdout[-200:]


@pytest.mark.parametrize("unit", [*UNITS, *SIGNALS], ids=lambda one: one.name)
def test_no_unit_starts_by_itself(unit: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.read(unit)
    assert parser.sections() == ["Unit", "Service"]


def test_the_modules_that_pppd_may_not_load() -> None:
    lines = (PPP / "modules-load.d/otppi-ppp.conf").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["ppp_generic", "ppp_async"]


# -- polkit -----------------------------------------------------------------------------------------------------------

# What polkit gives a rule (polkit(8), AUTHORIZATION RULES), and the answers of the rules of each file to each question.
POLKIT = """
const fs = require("fs"), vm = require("vm");
const [files, questions] = JSON.parse(fs.readFileSync(0, "utf8"));
const answers = questions.map(([user, id, details]) => {
    for (const file of files) {
        const rules = [];
        const polkit = {Result: {NO: "no", YES: "yes"}, addRule: (rule) => rules.push(rule)};
        vm.runInNewContext(fs.readFileSync(file, "utf8"), {polkit});
        for (const rule of rules) {
            const subject = {user, groups: [user], active: false, local: false};
            const answer = rule({id, lookup: (key) => details[key]}, subject);
            if (answer !== undefined && answer !== null) return answer;
        }
    }
    return null;
});
console.log(JSON.stringify(answers));
"""
MANAGE = "org.freedesktop.systemd1.manage-units"
Question = tuple[str, str, dict[str, str]]


def answers(*questions: Question) -> list[str | None]:
    """Return what the rules say, one after another; None where they leave it to others."""
    done = subprocess.run(
        ["node", "-e", POLKIT],
        input=json.dumps([[str(one) for one in RULES], questions]),
        capture_output=True,
        text=True,
        check=True,
    )
    said: list[str | None] = json.loads(done.stdout)
    return said


def asks(unit: str, verb: str = "start", *, user: str = "otppi", action: str = MANAGE) -> Question:
    return user, action, {"unit": unit, "verb": verb}


PPPD = "otppi-ppp@0123456789abcdef.service"
DEVICES = ["1-1", "1-1.2", "12-10.4.4.1"]


def test_the_gateway_may_start_and_stop_its_units() -> None:
    power = [asks(f"otppi-usb-power@{device}.service") for device in DEVICES]
    assert set(answers(asks(PPPD), asks(PPPD, "stop"), *power)) == {"yes"}


def test_the_gateway_may_have_sticks_read_and_signals_shown() -> None:
    reads = [asks(f"otppi-read-stick@{one}.service") for one in ("sda", "sda1", "sdzz12", "sdab")]
    shows = [asks(f"otppi-signal@{one}.service", verb) for one in ("reading", "done", "refused")
             for verb in ("start", "stop")]  # fmt: skip
    assert set(answers(asks("otppi-reset-network.service"), *reads, *shows)) == {"yes"}


def test_the_gateway_may_have_alarms_shown() -> None:
    shows = [asks(f"otppi-alarm@{one}.service", verb) for one in ("light", "sound", "both", "test")
             for verb in ("start", "stop")]  # fmt: skip
    assert set(answers(*shows)) == {"yes"}
    others = [asks(f"otppi-alarm@{one}.service") for one in ("", "light\n", "x", "../light")]
    others += [asks("otppi-alarm@light.service", "restart"), asks("otppi-alarm@light.service", user="nobody")]
    assert set(answers(*others)) == {None}


def test_the_gateway_may_not_have_other_devices_read() -> None:
    devices = [
        "mmcblk0",
        "mmcblk0p2",
        "nvme0n1",
        "sda123",
        "sd",
        "../sda",
        "sda1\n",
        "sda/1",
        "loop0",
        "SDA",
        "vda",
        "",
    ]
    reads = [asks(f"otppi-read-stick@{one}.service") for one in devices]
    others = [asks("otppi-read-stick@sda.service", "stop"), asks("otppi-reset-network.service", "stop")]
    shows = [asks(f"otppi-signal@{one}.service") for one in ("", "done\n", "x", "done;reboot")]
    assert set(answers(*reads, *others, *shows)) == {None}


def test_the_gateway_may_start_what_updates() -> None:
    units = ["otppi-update.service", "otppi-version-back@keep.service", "otppi-version-back@settings.service"]
    units += ["otppi-security-updates@fetch.service", "otppi-security-updates@install.service"]
    assert answers(*map(asks, units)) == ["yes"] * len(units)
    others = ["otppi-self-test.service", "otppi-version-back@x.service", "otppi-security-updates@end.service"]
    stopped = [asks(one, "stop") for one in units]
    assert answers(*map(asks, others), *stopped) == [None] * (len(others) + len(units))


UPDATING = {"otppi-update.service": 2.5, "otppi-self-test.service": 1.8, "otppi-version-back@.service": 5.0}
"""The units of updates that have a sandbox, and the exposure of each."""


@needs_systemd
@pytest.mark.parametrize("name", UPDATING)
def test_the_units_of_updates_are_exposed_to_little(tmp_path: Path, name: str) -> None:
    unit = UPDATE / "systemd/system" / name
    done = analyze(tmp_path, unit, "security", "--offline=yes", "--no-pager", f"--threshold={UPDATING[name] * 10:.0f}")
    assert done.returncode == 0, done.stdout[-200:]


def test_the_unit_of_every_device_that_is_asked_for_may_be_started() -> None:
    for device in DEVICES:
        assert usb_power._DEVICE.fullmatch(device)


@pytest.mark.parametrize("user", ["root", "otppi-stick", "otppi2", "pi", "nobody", "OTPPI", ""])
def test_others_are_not_spoken_of(user: str) -> None:
    assert answers(asks(PPPD, user=user), asks("otppi-usb-power@1-1.service", user=user)) == [None, None]


def test_other_units_are_left_to_other_rules() -> None:
    units = [
        "ssh.service",
        "otppi.service",
        "otppi-ppp@.service",
        "otppi-ppp@../x.service",
        "otppi-ppp@0123456789ABCDEF.service",
        "otppi-ppp@0123456789abcde.service",
        "otppi-ppp@0123456789abcdef0.service",
        f"{PPPD}\n",
        f"\n{PPPD}",
        f"{PPPD}\nssh.service",
        f"ssh.service\n{PPPD}",
        f"x{PPPD}",
        "otppi-ppp@0123456789abcdefxservice",
        "otppi-ppp@0123456789abcdef.service.d",
        "otppi-ppp@0123456789abcdef.socket",
        "otppi-usb-power@.service",
        "otppi-usb-power@usb1.service",
        "otppi-usb-power@1-1:1.0.service",
        "otppi-usb-power@1-1..2.service",
        "otppi-usb-power@../1-1.service",
        "otppi-usb-power@1-1.service\n",
        "otppi-usb-power@\n1-1.service",
        "otppi-usb-power@1/1.service",
        r"otppi-usb-power@1\x2d1.service",
        "otppi-usb-power@1-1.2.3.4.5.6.7.8.service",
    ]
    assert set(answers(*map(asks, units))) == {None}


def test_other_verbs_are_left_to_other_rules() -> None:
    verbs = ["restart", "try-restart", "reload", "kill", "reset-failed", "set-property", "ref", "start\n", "", "START"]
    assert set(answers(*(asks(PPPD, verb) for verb in verbs))) == {None}
    stops = [asks("otppi-usb-power@1-1.service", verb) for verb in ("stop", *verbs)]
    assert set(answers(*stops)) == {None}, "power that is away has to come back"


def test_other_actions_are_left_to_other_rules() -> None:
    actions = ["org.freedesktop.systemd1.manage-unit-files", "org.freedesktop.login1.reboot", f"{MANAGE}2", ""]
    assert set(answers(*(asks(PPPD, action=action) for action in actions))) == {None}


def test_what_is_not_said_is_not_allowed() -> None:
    assert answers(("otppi", MANAGE, {}), ("otppi", MANAGE, {"unit": PPPD}), ("otppi", MANAGE, {"verb": "start"})) == [
        None,
        None,
        None,
    ]
