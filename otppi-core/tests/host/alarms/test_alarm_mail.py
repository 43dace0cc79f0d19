"""Alarms by e-mail, as far as there is an egress for it: here an account of a type that a plugin brings."""

from collections.abc import Callable
from typing import Any

import pytest

from otppi.api.errors import InvalidSettings
from otppi.api.mail import MailType
from otppi.testing.scripted import ScriptedMailAccount, until

from .conftest import ADI, PHONE, Alarmed


@pytest.fixture
def accounts(doubles: Any) -> list[ScriptedMailAccount]:
    made: list[ScriptedMailAccount] = []

    def make(context: Any) -> ScriptedMailAccount:
        made.append(ScriptedMailAccount(context.settings["name"]))
        return made[-1]

    doubles.plugins.mail_types["test"] = MailType(key="test", title="Test", help="For tests.", create=make, settings=())
    return made


def test_an_alarm_by_e_mail(accounts: list[ScriptedMailAccount], alarmed: Callable[..., Alarmed]) -> None:
    here = alarmed()
    reader = {**ADI, "phone": PHONE, "email": "adi@example.com", "language": "id"}
    here.change({"administrators": [reader], "mail_accounts": [{"name": "office", "type": "test"}]})
    here.change({"alarms": {"email": True}})
    until(lambda: accounts and accounts[0].is_open)
    here.lose(here.modems[0])
    here.watch(12)
    until(lambda: accounts[0].outbox)
    (sent,) = accounts[0].outbox
    assert sent.destination == "adi@example.com"
    assert accounts[0].subjects[0].endswith(": alarm")
    assert sent.text.startswith("Modem m0 tidak mengirim: ")
    assert here.texts() == []
    assert here.call("alarms_test")[0]["state"] == "sent"
    assert accounts[0].outbox[-1].text == "Ini uji coba: alarm perangkat ini datang lewat cara ini.\n"


def test_an_account_is_needed(accounts: list[ScriptedMailAccount], alarmed: Callable[..., Alarmed]) -> None:
    here = alarmed()
    with pytest.raises(InvalidSettings) as refused:
        here.change({"administrators": [{**ADI, "email": "adi@example.com"}], "alarms": {"email": True}})
    assert [str(one.reason) for one in refused.value.problems] == ["needs a mail account that is active"]
    assert accounts == []
