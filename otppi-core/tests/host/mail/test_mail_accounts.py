"""Mail accounts of a type that a plugin brings: the core names none, and an account lives as its settings say."""

import json
from typing import Any

import pytest

from otppi.api.egress import Channel, EgressState
from otppi.api.errors import Blocked, InvalidSettings
from otppi.api.ingress import Origin, Sender
from otppi.api.mail import MailContext, MailType
from otppi.api.settings import text
from otppi.host.data_folder import DataFolder
from otppi.host.host import Host
from otppi.testing.scripted import ScriptedMailAccount, until
from otppi.wire.envelope import parse

ORIGIN = Origin("test", Sender("app"))


class Accounts:
    """What the type made."""

    def __init__(self) -> None:
        self.made: list[ScriptedMailAccount] = []
        self.contexts: list[MailContext] = []
        self.sickness: Exception | None = None

    def make(self, context: MailContext) -> ScriptedMailAccount:
        self.contexts.append(context)
        self.made.append(ScriptedMailAccount(context.settings["name"]))
        self.made[-1].sickness = self.sickness
        return self.made[-1]


@pytest.fixture
def accounts(doubles: Any) -> Accounts:
    made = Accounts()
    doubles.plugins.mail_types["test"] = MailType(
        key="test",
        title="Test",
        help="For tests.",
        create=made.make,
        settings=(text("password", "Password", "A secret.", secret=True),),
    )
    return made


def use(data: DataFolder, host: Host, *items: dict[str, Any]) -> None:
    document = {"mail_accounts": [{"type": "test"} | item for item in items]}
    host.apply(data.config.update(document))


def workers(host: Host) -> list[Any]:
    return [one for one in host.dispatch.workers() if one.channel is Channel.MAIL]


def send(host: Host, command: str, **item: Any) -> Any:
    envelope = parse(json.dumps({"command": command, "data": item}).encode())
    return host.gateway.submit(envelope, ORIGIN).answer(20)


def test_an_e_mail_goes_from_the_door_to_an_account(accounts: Accounts, data: DataFolder, host: Host) -> None:
    use(data, host, {"name": "office", "password": "made-up"})
    until(lambda: workers(host)[0].status.state is EgressState.READY)
    answer = send(host, "send-mail", receiver="One@Example.com", subject="Kode", message="made-up text")
    assert (answer.code.value, answer.data["state"], answer.data["mail_account"]) == ("0000", "sent", "office")
    (account,) = accounts.made
    (sent,) = account.attempts
    assert (sent.destination, sent.subject, sent.text) == ("One@example.com", "Kode", "made-up text")
    assert accounts.contexts[0].settings["password"] == "made-up"
    assert host.gateway.health()["mail_accounts"][0]["sent"] == 1


def test_an_address_is_blocked_however_it_is_written(accounts: Accounts, data: DataFolder, host: Host) -> None:
    use(data, host, {"name": "office"})
    until(lambda: workers(host)[0].status.state is EgressState.READY)
    assert send(host, "block-msisdn", receiver="One@Example.com").data["receiver"] == "one@example.com"
    assert send(host, "send-mail", receiver="ONE@example.COM", message="x").code.value == "1204"
    assert send(host, "unblock-msisdn", receiver="one@example.com").code.value == "0000"
    assert send(host, "send-mail", receiver="one@example.com", message="x").code.value == "0000"
    assert len(accounts.made[0].attempts) == 1


def test_a_code_to_an_address_is_verified_however_that_is_written(
    accounts: Accounts, data: DataFolder, host: Host
) -> None:
    use(data, host, {"name": "office"})
    until(lambda: workers(host)[0].status.state is EgressState.READY)
    asked = send(host, "request-otp", receiver="One@Gmail.com", reference="login", message="%s")
    assert asked.code.value == "0000"
    otp = accounts.made[0].attempts[0].text
    assert send(host, "verify-otp", receiver="one@gmail.com", reference="login", otp=otp).code.value == "0000"


@pytest.mark.parametrize("receiver", ["x@y, z@w.example", "@", "one@example", "one@two@example.com"])
def test_what_is_no_address_is_malformed(accounts: Accounts, data: DataFolder, host: Host, receiver: str) -> None:
    use(data, host, {"name": "office"})
    for command in ("send-mail", "block-msisdn"):
        assert send(host, command, receiver=receiver, message="x").code.value == "1206"
    assert accounts.made[0].attempts == []


def test_a_change_opens_that_account_anew_and_no_other(accounts: Accounts, data: DataFolder, host: Host) -> None:
    use(data, host, {"name": "one", "password": "a"}, {"name": "two", "password": "b"})
    one, two = accounts.made
    until(lambda: one.is_open and two.is_open)
    use(data, host, {"name": "one", "password": "c"}, {"name": "two", "password": "b"})
    until(lambda: not one.is_open)
    assert [worker.egress for worker in workers(host)] == [accounts.made[2], two]
    use(data, host, {"name": "two", "password": "b"})
    assert [worker.egress for worker in workers(host)] == [two]
    assert two.opened == 1
    assert [worker.name for worker in host.dispatch.workers()] == ["scripted", "mail/two"]


def test_a_blocked_account_is_tried_again_when_its_settings_change(
    accounts: Accounts, data: DataFolder, host: Host
) -> None:
    accounts.sickness = Blocked("535 5.7.8 wrong password")
    use(data, host, {"name": "office", "password": "wrong"})
    until(lambda: workers(host)[0].status.state is EgressState.BLOCKED)
    assert accounts.made[0].opened == 1
    accounts.sickness = None
    use(data, host, {"name": "office", "password": "right"})
    until(lambda: workers(host)[0].status.state is EgressState.READY)
    assert (accounts.made[0].opened, accounts.made[1].opened) == (1, 1)


def test_a_daily_limit_is_that_of_its_settings(accounts: Accounts, data: DataFolder, host: Host) -> None:
    use(data, host, {"name": "office", "daily_limit": 1})
    until(lambda: workers(host)[0].status.state is EgressState.READY)
    assert send(host, "send-mail", receiver="one@example.com", message="x" * 500).code.value == "0000"
    answer = send(host, "send-mail", receiver="two@example.com", message="x")
    assert (answer.code.value, "office" in answer.data["cause"]) == ("1101", True)


def test_a_type_that_no_plugin_brings_is_a_problem_of_its_field(data: DataFolder) -> None:
    with pytest.raises(InvalidSettings) as caught:
        data.config.update({"mail_accounts": [{"name": "office", "type": "smtp"}]})
    assert [problem.field for problem in caught.value.problems] == ["mail_accounts[0].type"]


def test_an_account_that_is_renamed_keeps_what_counts_for_its_limit(
    accounts: Accounts, data: DataFolder, host: Host
) -> None:
    use(data, host, {"name": "office", "daily_limit": 1})
    until(lambda: workers(host)[0].status.state is EgressState.READY)
    assert send(host, "send-mail", receiver="one@example.com", message="x").code.value == "0000"
    use(data, host, {"name": "front", "renamed_from": "office", "daily_limit": 1})
    (worker,) = workers(host)
    assert (worker.title.endswith("front"), worker.account.describe()["today"]["messages"]) == (True, 1)
