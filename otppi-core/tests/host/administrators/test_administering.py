"""The administrators of a gateway that runs: changes count at once, one hash at a time, and the audit is kept."""

import logging
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import AuthenticationFailed
from otppi.api.operations import Actor, Role
from otppi.host.administrators import administrators as module
from otppi.host.administrators.administrators import ORIGIN
from otppi.host.administrators.claim import ClaimState
from otppi.host.administrators.forgotten import number_hash
from otppi.host.administrators.second_factor import new_recovery_codes, new_secret
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.host.parts import registry_of
from otppi.host.runtime.registry import COMMAND_LINE
from otppi.host.settings.password_hash import is_password
from otppi.host.users import api_users
from otppi.testing.accounts import ACCOUNT_HASH, ACCOUNT_PASSWORD, account, person
from otppi.testing.waiting import PATIENCE, until

ADDRESS = "192.0.2.1"
STRANGER = Actor("", ORIGIN, Role.VIEWER, ADDRESS)


def test_a_change_counts_at_once_and_the_logins_are_in_the_audit_trail(host: Host, data: DataFolder) -> None:
    registry = registry_of(data, host)
    secret, (codes, hashes) = new_secret(), new_recovery_codes()
    registry.call("settings_import", {"document": {"administrators": [account("budi"), account("rina")]}}, COMMAND_LINE)
    assert host.administrators.authenticate("rina", ACCOUNT_PASSWORD, ADDRESS).result(PATIENCE).name == "rina"
    registry.call("administrator_block", {"username": "rina"}, person("budi"))
    assert host.administrators.find("rina") is None
    with pytest.raises(AuthenticationFailed):
        host.administrators.authenticate("rina", ACCOUNT_PASSWORD, ADDRESS).result(PATIENCE)
    values = {"totp_secret": secret, "recovery_hashes": hashes}
    registry.call("settings_put", {"path": "administrators.budi", "values": values}, COMMAND_LINE)
    assert host.administrators.check_code("budi", codes[0], ADDRESS)
    assert not host.administrators.check_code("budi", codes[0], ADDRESS)
    until(lambda: len(data.audit.newest(100)) == 8)
    told = [(one["operation"], one["actor"], one["outcome"]) for one in data.audit.newest(100)]
    assert sorted(told) == sorted(
        [  # a login is told by a thread of its own
            ("settings_import", "administrator", "done"),
            ("login", "rina", "done"),
            ("administrator_block", "budi", "done"),
            ("login", "rina", "refused"),
            ("settings_put", "administrator", "done"),
            ("account_recovery_used", "budi", "done"),
            ("login", "budi", "done"),
            ("login", "budi", "refused"),
        ]
    )
    kept = repr(data.audit.newest(100))
    assert not any(one in kept for one in (secret, codes[0], ACCOUNT_PASSWORD))
    assert "administrator_logins_failed_total" in host.services.samples()


def test_a_sender_s_and_an_administrator_s_hash_are_computed_one_at_a_time(
    host: Host, data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes 19 MiB."""
    at_once, most, lock = 0, 0, threading.Lock()

    def counted(password_hash: str, password: str) -> bool:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        try:
            return is_password(password_hash, password)
        finally:
            with lock:
                at_once -= 1

    monkeypatch.setattr(module, "is_password", counted)
    monkeypatch.setattr(api_users, "is_password", counted)
    for logins in (host.administrators, host.accounts):
        monkeypatch.setattr(logins._checks, "_patience", PATIENCE)  # on a busy machine some would be sent away
    document = {
        "administrators": [account("budi")],
        "api_users": [{"username": "app", "password_hash": ACCOUNT_HASH}],
    }
    registry_of(data, host).call("settings_import", {"document": document}, COMMAND_LINE)
    asked = []
    for number in range(4):
        asked.append(host.administrators.authenticate("budi", ACCOUNT_PASSWORD, f"192.0.2.{number}"))
        asked.append(host.accounts.authenticate("app", f"wrong {number}", f"192.0.2.{number}"))  # type: ignore[arg-type]
    for one in asked:
        assert one.exception(PATIENCE) is None or isinstance(one.exception(), AuthenticationFailed)
    assert most == 1


def test_a_new_device_says_what_comes_next(data: DataFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "boot").mkdir(mode=0o700)
    caplog.set_level(logging.INFO)
    code = data.claim.device_code.code
    running = Host(data, tmp_path / "boot")
    running.start()
    try:
        assert "otppi admin code" in caplog.text
        assert code not in caplog.text
        assert code.replace("-", "") not in caplog.text
        data.config.update({"administrators": [account("budi")]})
        running.services.tidy()
        assert (data.path / "claimed").exists()
        assert data.claim.state is ClaimState.DONE
    finally:
        running.stop()


def test_a_forgotten_password_s_code_goes_out_by_a_modem(host: Host, data: DataFolder, doubles: Any) -> None:
    registry = registry_of(data, host)
    number = "6281234567890"
    document = {
        "modems": [{"name": "m0", "type": "scripted", "default_modem": True}],
        "administrators": [account("budi", phone=number, phone_confirmed=number_hash(number))],
    }
    registry.call("settings_import", {"document": document}, COMMAND_LINE)
    until(lambda: registry.call("modems", {}, COMMAND_LINE)[0]["state"] == "ready")
    ticket = registry.call("password_forgotten", {"username": "budi"}, STRANGER)["ticket"]
    texts = until(lambda: [message.text for modem in doubles.modems for message in modem.outbox])
    (code,) = re.findall(r"\b[0-9]{8}\b", texts[0])
    wanted = {"ticket": ticket, "code": code, "new_password": "sepeda biru di atas awan"}
    assert registry.call("password_reset", wanted, STRANGER) is True
    assert host.administrators.authenticate("budi", wanted["new_password"], ADDRESS).result(PATIENCE).name == "budi"
    kept = b"".join(path.read_bytes() for path in data.path.rglob("*") if path.is_file())
    assert code.encode() not in kept, "nothing of it is on the card"
