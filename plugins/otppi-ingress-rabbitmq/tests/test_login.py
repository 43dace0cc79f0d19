"""TLS, user names, virtual hosts and permissions: what is wrong is said, and no secret with it."""

import json
from typing import Any

import pytest

from otppi.testing.scripted import until
from otppi_ingress_rabbitmq.settings import SECTION

SMS = {"id": 1, "receiver": "08126666666", "message": "OTP Anda adalah 1234"}
BODY = json.dumps({"command": "send-sms", "data": SMS}).encode()
SECRET = "a-secret-of-the-test"


def problem(served: Any) -> str:
    until(lambda: served["last_problem"])
    assert not served["connected"]
    return str(served["last_problem"])


def test_tls_with_a_certificate_that_nobody_looks_at(client: Any, serve: Any, make_proxy: Any, authority: Any) -> None:
    proxy = make_proxy(pair=authority.wrong_name())
    serve(client.declare(), port=proxy.port, ssl=True, verify_certificate=False).until(consumer="consuming")


def test_a_certificate_of_the_gateway_is_shown(
    client: Any, gateway: Any, serve: Any, make_proxy: Any, authority: Any
) -> None:
    queue, mine = client.declare(), authority.client("gateway")
    proxy = make_proxy(pair=authority.good(), ca_file=authority.ca_file)
    tls = {"port": proxy.port, "ssl": True, "ca_file": str(authority.ca_file)}
    served = serve(queue, **tls)
    assert problem(served)
    served.stop()
    serve(queue, **tls, certificate_file=str(mine.certificate), private_key_file=str(mine.key)).until(
        consumer="consuming"
    )


def test_tls_where_the_server_has_none_and_the_other_way_round(client: Any, serve: Any, rabbitmq: Any) -> None:
    served = serve(client.declare(), ssl=True, timeout=2)
    assert problem(served)
    served = serve(client.declare(), port=rabbitmq.tls_port, timeout=2)
    assert f"port {rabbitmq.tls_port} does not speak AMQP 0-9-1 without TLS" in problem(served)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"password": SECRET}, "username or password is wrong"),
        ({"virtual_host": "/other"}, "virtual_host /other is refused: "),
    ],
)
def test_a_login_that_is_wrong(
    client: Any, serve: Any, caplog: pytest.LogCaptureFixture, changes: dict[str, str], says: str
) -> None:
    served = serve(client.declare(), **changes)
    assert problem(served).startswith(says)
    assert SECRET not in caplog.text + str(served.ingress.describe())


def test_permissions_that_are_missing_are_told(client: Any, gateway: Any, serve: Any, rabbitmq: Any) -> None:
    rabbitmq.manage("PUT", "users/limited", password=SECRET, tags="")
    rabbitmq.manage("PUT", "permissions/%2F/limited", configure="", write="", read="")
    try:
        queue = client.declare()
        client.publish(queue, BODY)
        login = {"username": "limited", "password": SECRET}
        served = serve(queue, **login)
        refused = problem(served)  # the server's words differ from version to version: "access to", "read access to"
        assert refused.startswith(f"queue {queue} cannot be used: ACCESS_REFUSED")
        assert f"'{queue}'" in refused
        name = client.name()
        missing = serve(name, **login)
        assert problem(missing).startswith(f"queue {name} does not exist, and cannot be declared: ACCESS_REFUSED")
        # Reading is all that it needs for a queue that exists.
        rabbitmq.manage("PUT", "permissions/%2F/limited", configure="", write="", read=".*")
        served.until(done=1)
    finally:
        rabbitmq.manage("DELETE", "users/limited")


def test_the_permissions_of_the_readme_are_enough(client: Any, gateway: Any, serve: Any, rabbitmq: Any) -> None:
    dead, answers, queue, missing = client.declare(), client.declare(), client.declare(), client.name()
    rabbitmq.manage("PUT", "users/limited", password=SECRET, tags="")
    rabbitmq.manage(
        "PUT",
        "permissions/%2F/limited",
        configure=f"^{missing}$",
        write=r"^amq\.default$",
        read=f"^({queue}|{missing})$",
    )
    try:
        login = {"username": "limited", "password": SECRET}
        serve(queue, **login).until(consumer="consuming")
        client.publish(queue, BODY, reply_to=answers)
        assert client.answer(answers)["response_code"] == "0000"
        serve(missing, **login, dead_letter_queue=dead).until(consumer="consuming")
        client.publish(missing, b"junk")
        assert client.get(dead)[2] == b"junk"
    finally:
        rabbitmq.manage("DELETE", "users/limited")


def test_a_virtual_host_of_its_own(client: Any, gateway: Any, serve: Any, rabbitmq: Any) -> None:
    rabbitmq.manage("PUT", "vhosts/otp")
    rabbitmq.manage("PUT", "permissions/otp/guest", configure=".*", write=".*", read=".*")
    try:
        served = serve("sms", virtual_host="otp").until(consumer="consuming")
        served.stop()
        assert not client.exists("sms")
    finally:
        rabbitmq.manage("DELETE", "vhosts/otp")


@pytest.mark.parametrize("key", ["bulk_queue", "dead_letter_queue", "inbox_topic"])
def test_what_is_published_may_not_go_to_where_commands_come_from(key: str) -> None:
    """A command that is rejected would come again for ever."""
    _, [problem] = SECTION.validate({"enable": True, key: "sms"})
    assert str(problem) == f"ingress-rabbitmq.{key}: must not be the same as queue"
