"""TLS: the server's certificate is verified, by an authority of our own where one is set, and ours is shown."""

from typing import Any

import pytest

from otppi.testing.brokers.messenger import Messenger


@pytest.mark.parametrize("documented", [True, False])
def test_own_authority(run: Any, authority: Any, tools: Any, documented: bool) -> None:
    with Messenger(tls=authority.good(), documented=documented) as server:
        running = run(server.port, ssl=True, host="localhost", ca_file=str(authority.ca_file), timeout=60).connected()
        from otppi.api.ingress import Callback
        from otppi.wire.envelope import Answer, ResponseCode

        running.ingress.state_changed(Callback("sms"), Answer("echo", ResponseCode.SUCCESS, data="x" * 100_000))
        running.ingress.state_changed(Callback("sms"), Answer("echo", ResponseCode.SUCCESS, data="y" * 100_000))
        tools.eventually(lambda: running.says("echoes") == 2)
        assert running.stop() < 2.5


def test_our_own_certificate_is_shown(run: Any, authority: Any, tools: Any) -> None:
    ours = authority.client("gateway")
    with Messenger(tls=authority.good(), client_ca=authority.ca_file) as server:
        settings: dict[str, Any] = {"ssl": True, "host": "localhost", "ca_file": str(authority.ca_file)}
        without = run(server.port, tools.Gateway(), **settings)
        tools.eventually(lambda: without.says("attempts") >= 1)
        assert "certificate required" in without.says("last_problem") or "closed" in without.says("last_problem")
        run(server.port, certificate_file=str(ours.certificate), private_key_file=str(ours.key), **settings).connected()


def test_tls_on_one_side_only(run: Any, authority: Any, tools: Any) -> None:
    with Messenger() as plain, Messenger(tls=authority.good()) as secure:
        one = run(plain.port, ssl=True, verify_certificate=False)
        tools.eventually(lambda: one.says("attempts") >= 1)
        assert "does not seem to speak TLS at this port, and ssl is on" in one.says("last_problem")
        other = run(secure.port)
        tools.eventually(lambda: other.says("attempts") >= 1)
        assert "TLS" in other.says("last_problem")


def test_stopping_during_the_tls_handshake(run: Any, raw: Any, tools: Any) -> None:
    server = raw(lambda connection: connection.over.wait())
    running = run(server.port, ssl=True, timeout=60)
    tools.eventually(lambda: server.connections)
    assert running.stop() < 2.5
    late = run(server.port, tools.Gateway(), ssl=True, timeout=1)
    tools.eventually(lambda: late.says("attempts") >= 1)
    assert late.says("last_problem") == "the server did not answer within 1 s"
