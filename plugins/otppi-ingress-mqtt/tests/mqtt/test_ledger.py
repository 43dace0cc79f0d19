"""Which messages are the same ones again."""

from otppi_ingress_mqtt.ledger import Held, Ledger, digest

A, B = digest(b"t", b"a"), digest(b"t", b"b")


def _hold(ledger: Ledger, mid: int, name: bytes, qos: int = 1) -> Held:
    assert ledger.again(mid, name, duplicate=False) is None
    held = Held(mid, qos, name, "t", 0.0, 0, ledger.connection)
    ledger.hold(held, duplicate=False)
    return held


def test_what_comes_again_is_known() -> None:
    ledger = Ledger()
    first, second = _hold(ledger, 1, A), _hold(ledger, 2, A)
    assert ledger.connected(session_present=True) == 0
    assert ledger.again(1, A, duplicate=True) is first
    assert ledger.again(2, A, duplicate=False) is second  # a broker that forgets to say so
    assert ledger.again(3, A, duplicate=False) is None


def test_a_broker_that_numbers_anew() -> None:
    ledger = Ledger()
    first, second = _hold(ledger, 7, A), _hold(ledger, 8, B)
    ledger.connected(session_present=True)
    assert ledger.again(1, A, duplicate=True) is first
    assert ledger.again(2, B, duplicate=True) is second
    assert (first.mid, second.mid) == (1, 2)
    assert ledger.may_acknowledge(first)
    ledger.acknowledged(first)
    assert len(ledger) == 1


def test_an_identifier_is_used_again() -> None:
    ledger = Ledger()
    old = _hold(ledger, 1, A)
    ledger.connected(session_present=True)
    new = _hold(ledger, 1, B)
    assert not ledger.may_acknowledge(old)
    assert ledger.may_acknowledge(new)
    assert ledger.again(2, A, duplicate=False) is None  # a new one came, so the old one is not awaited any more


def test_an_acknowledgement_that_was_lost() -> None:
    ledger = Ledger()
    held = _hold(ledger, 1, A)
    assert ledger.may_acknowledge(held)
    ledger.acknowledged(held)
    ledger.connected(session_present=True)
    assert ledger.again(1, A, duplicate=False) is None
    assert ledger.again(1, A, duplicate=True) is held
    ledger.acknowledged(held)
    ledger.connected(session_present=True)
    ledger.connected(session_present=True)
    assert ledger.again(1, A, duplicate=True) is None  # it had its time


def test_a_session_that_is_gone() -> None:
    ledger = Ledger()
    held, done = _hold(ledger, 1, A), _hold(ledger, 2, B)
    ledger.may_acknowledge(done)
    assert ledger.connected(session_present=False) == 1
    assert not ledger.may_acknowledge(held)
    assert ledger.again(1, A, duplicate=True) is None


def test_what_is_left_to_the_broker() -> None:
    ledger = Ledger()
    held, leaving = _hold(ledger, 1, A), _hold(ledger, 2, B)
    leaving.leaving = True
    ledger.give_up()
    ledger.connected(session_present=True)
    assert ledger.again(1, A, duplicate=True) is None
    assert ledger.again(2, B, duplicate=True) is leaving
    assert not ledger.may_acknowledge(held)


def test_qos_2_is_known_until_it_is_released() -> None:
    ledger = Ledger()
    held = _hold(ledger, 1, A, 2)
    ledger.released(1)  # it has not been acknowledged
    ledger.may_acknowledge(held)
    ledger.acknowledged(held)
    ledger.connected(session_present=True)
    assert ledger.again(1, A, duplicate=True) is held
    ledger.released(1)
    assert len(ledger) == 0


def test_what_is_kept_is_bounded() -> None:
    ledger = Ledger()
    for mid in range(1, 3000):
        held = _hold(ledger, mid, A)
        ledger.may_acknowledge(held)
        ledger.acknowledged(held)
    assert len(ledger._acknowledged) == 1000
