"""What the first boot writes, and that a power cut on the way, a damaged document or a second boot make no harm."""

import json
import os
from pathlib import Path

import pytest

from otppi.api.errors import InvalidSettings
from otppi.host.identity.first_boot import DeviceFiles, first_boot, main, restore_network
from otppi.host.identity.identity import make, read


@pytest.fixture
def device(tmp_path: Path) -> DeviceFiles:
    """A device whose card has not been used yet."""
    (tmp_path / "boot/firmware").mkdir(parents=True)
    return DeviceFiles(root=tmp_path, user=None)


def _give(device: DeviceFiles, **more: object) -> dict[str, object]:
    document = {**make(ssid="OTP-Pi-TEST", passphrase="of the brochure").document(), **more}
    device.given.write_text(json.dumps(document))
    return document


def _everything(device: DeviceFiles) -> dict[str, bytes]:
    return {str(one.relative_to(device.root)): one.read_bytes() for one in device.root.rglob("*") if one.is_file()}


def test_nobody_has_personalised_it(device: DeviceFiles) -> None:
    first_boot(device)
    identity = read(json.loads(device.kept.read_bytes()))
    told = device.told.read_bytes().decode()
    for secret in (identity.ssid, identity.passphrase, identity.written_code):
        assert secret in told
    assert told.count("\r\n") == told.count("\n")  # any computer's editor shows its lines
    assert f"psk={identity.passphrase}\n" in device.access_point.read_text()
    assert (device.data / "device-code").read_text() == f"{identity.device_code}\n"


def test_no_two_devices_are_the_same(device: DeviceFiles, tmp_path: Path) -> None:
    other = DeviceFiles(root=tmp_path / "other", user=None)
    other.told.parent.mkdir(parents=True)
    first_boot(device)
    first_boot(other)
    one, two = (read(json.loads(each.kept.read_bytes())) for each in (device, other))
    assert one.passphrase != two.passphrase
    assert one.device_code != two.device_code


def test_the_card_brings_it(device: DeviceFiles) -> None:
    document = _give(device, time_zone="Asia/Jayapura", settings={"sms": {"country_code": "62"}})
    first_boot(device)
    assert not device.given.exists()
    assert not device.told.exists()
    assert (device.data / "device-code").read_text() == f"{document['device_code']}\n"
    assert json.loads((device.data / "first-settings.json").read_bytes()) == {
        "sms": {"country_code": "62"},
        "clock": {"time_zone": "Asia/Jayapura"},
    }


def test_settings_of_the_card_are_not_kept_elsewhere(device: DeviceFiles) -> None:
    _give(device, settings={"api_users": [{"username": "app", "password": "a secret of the card"}]})
    first_boot(device)
    found = [name for name, content in _everything(device).items() if b"a secret of the card" in content]
    assert found == ["var/lib/otppi/first-settings.json"]


def test_only_root_and_the_gateway_read_it(device: DeviceFiles) -> None:
    _give(device)
    first_boot(device)
    written = (device.kept, device.access_point, device.data / "device-code", device.data / "first-settings.json")
    assert {one.stat().st_mode & 0o777 for one in written} == {0o600}
    assert device.data.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can give a file away")
def test_the_gateway_owns_its_folder(device: DeviceFiles) -> None:
    first_boot(DeviceFiles(root=device.root, user="nobody"))
    owners = {one.stat().st_uid for one in (device.data, *device.data.iterdir())}
    assert owners == {65534}
    assert device.kept.stat().st_uid == 0


def test_power_cut_before_the_document_was_taken_away(device: DeviceFiles) -> None:
    """It stayed on the card for good, with the passwords in it: the first boot was done."""
    document = _give(device)
    first_boot(device)
    before = _everything(device)
    device.given.write_text(json.dumps(document | {"settings": {"api_users": []}}))
    first_boot(device)
    assert _everything(device) == before


def test_second_boot_changes_nothing(device: DeviceFiles) -> None:
    first_boot(device)
    before = _everything(device)
    _give(device)  # a card that is put into another computer, and back
    first_boot(device)
    device.given.unlink()
    assert _everything(device) == before


def test_power_cut_at_each_step(device: DeviceFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was written before the power went, the next boot makes the device of the brochure of it."""
    import otppi.host.identity.first_boot as module

    class PowerCut(Exception):  # noqa: N818 - it is no error of the program
        pass

    document = _give(device)
    write, step = module._write, 0
    for last in range(1, 7):
        step = 0

        def cut(path: Path, content: bytes, last: int = last) -> None:
            nonlocal step
            step += 1
            if step == last:
                raise PowerCut
            write(path, content)

        monkeypatch.setattr(module, "_write", cut)
        try:
            first_boot(device)
            break
        except PowerCut:
            assert device.given.exists()
            assert not device.kept.exists()
    assert step == 5
    assert f"psk={document['passphrase']}\n" in device.access_point.read_text()
    assert (device.data / "device-code").read_text() == f"{document['device_code']}\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[1]", "document must be an object"),
        (b'{"ssid": "x"}', "passphrase is missing"),
        (b"{" + b" " * 300_000, "it has more than 256 KiB"),
        # Of an attack: JSON that is no UTF-8, in a value and in the name of a field; the device had no access point.
        (b'{"ssid": "x", "settings": {"sms": "\\ud800"}}', "passphrase is missing"),
        (json.dumps(make().document() | {"settings": {"sms": "\ud800"}}).encode(), "it is not JSON in UTF-8"),
        (b'{"\\ud800": 1}', "? is not a field of a device"),
    ],
)
def test_document_that_cannot_be_used(device: DeviceFiles, content: bytes, told: str) -> None:
    device.given.write_bytes(content)
    first_boot(device)
    lines = device.told.read_text()
    assert "otppi-device.json" in lines
    assert told in lines
    assert device.kept.exists()
    assert device.access_point.exists()
    assert not device.given.exists()
    assert device.told_on_console.read_text() == lines


def test_commands_for_the_console_in_names_of_fields(device: DeviceFiles) -> None:
    """Whoever had the card could have the console of the device show anything, and more than it holds."""
    names = ["\x1b[2J", "\x9b31m", "two\nlines", r"\4{eth0}", "x" * 200_000, *(f"k{number}" for number in range(99))]
    device.given.write_text(json.dumps(dict.fromkeys(names, 0)))
    first_boot(device)
    told = device.told_on_console.read_bytes().decode("ascii")
    assert set(told) - {"\r", "\n"} <= set(map(chr, range(32, 127))) - {"\\"}
    assert max(map(len, told.splitlines())) < 130
    assert len(told.splitlines()) < 25


def test_document_is_a_folder(device: DeviceFiles) -> None:
    device.given.mkdir()
    first_boot(device)
    assert "it cannot be read (Is a directory)" in device.told.read_text()
    assert device.kept.exists()


def test_boot_partition_takes_nothing(device: DeviceFiles, caplog: pytest.LogCaptureFixture) -> None:
    """Full, torn or read-only: the device had no access point, no code, and told nobody why."""
    device.told.mkdir()
    (device.told / "a file").touch()
    device.in_use.mkdir()
    first_boot(device)
    identity = read(json.loads(device.kept.read_bytes()))
    assert identity.passphrase in device.told_on_console.read_text()
    assert identity.passphrase in device.access_point.read_text()
    assert device.told_on_console.stat().st_mode & 0o777 == 0o600
    assert f"{device.told} cannot be written" in caplog.text


def test_time_zone_beside_other_settings_of_the_clock(device: DeviceFiles) -> None:
    """Settings of the clock took the place of the time zone."""
    _give(device, time_zone="Asia/Jayapura", settings={"clock": {"ntp": True}})
    first_boot(device)
    taken = json.loads((device.data / "first-settings.json").read_bytes())
    assert taken == {"clock": {"time_zone": "Asia/Jayapura", "ntp": True}}


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can give a file away")
def test_no_link_of_the_gateways_is_followed(device: DeviceFiles, tmp_path: Path) -> None:
    """A first boot that is repeated finds a folder that is the gateway's."""
    other = tmp_path / "of root"
    other.write_text("kept")
    device.data.mkdir(parents=True)
    for name in ("device-code", "first-settings.json", "device-code.new"):
        (device.data / name).symlink_to(other)
    first_boot(DeviceFiles(root=device.root, user="nobody"))
    assert (other.read_text(), other.stat().st_uid) == ("kept", 0)


def test_card_says_that_it_is_in_use(device: DeviceFiles) -> None:
    _give(device)
    first_boot(device)
    assert "OTP-Pi-TEST" in device.in_use.read_text()
    assert "of the brochure" not in device.in_use.read_text()


def test_document_that_cannot_be_read(device: DeviceFiles) -> None:
    """As on a boot partition that a power cut has torn."""
    device.given.symlink_to(device.given)
    first_boot(device)
    assert device.kept.exists()
    assert "cannot be read (Too many levels of symbolic links)" in device.told.read_text()


@pytest.mark.parametrize("passphrase", [r"back\slash", " in front", "semi;colon", "#hash it", "a=b [c] d"])
def test_passphrase_in_a_key_file(device: DeviceFiles, passphrase: str) -> None:
    """As GLib's key file format wants it (the twin's tests ask NetworkManager itself)."""
    document = make(ssid="OTP-Pi-TEST", passphrase="of the brochure").document()
    if passphrase.startswith(" "):  # no identity has such a one
        with pytest.raises(InvalidSettings):
            read({**document, "passphrase": passphrase})
        return
    _give(device, passphrase=passphrase)
    first_boot(device)
    assert "psk=" + passphrase.replace("\\", r"\\") + "\n" in device.access_point.read_text()


def test_access_point_is_brought_back(device: DeviceFiles) -> None:
    document = _give(device)
    first_boot(device)
    before = device.access_point.read_bytes()
    device.access_point.write_text("[connection]\n")
    restore_network(device)
    assert device.access_point.read_bytes() == before
    assert str(document["passphrase"]).encode() in before


def test_damaged_record_brings_nothing_back(device: DeviceFiles) -> None:
    device.kept.parent.mkdir(parents=True)
    device.kept.write_text('{"ssid": "x"}')
    with pytest.raises(InvalidSettings):
        restore_network(device)
    assert not device.access_point.exists()


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["anything"]) == 2
    assert "restore-network" in capsys.readouterr().err


def test_reset_of_the_network_forgets_what_people_have_changed(device: DeviceFiles) -> None:
    _give(device)
    first_boot(device)
    for path in device.changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("changed")
    restore_network(device)
    assert [path for path in device.changed if path.exists()] == []
    assert device.access_point.exists()
