"""Back-off: growing, capped, never in step, and from the beginning after a success."""

from hypothesis import given
from hypothesis import strategies as st

from otppi.kit.net.back_off import Backoff


@given(st.floats(0.01, 10), st.floats(1, 100), st.integers(1, 60))
def test_it_grows_to_its_cap(first: float, factor: float, count: int) -> None:
    cap = first * factor
    backoff = Backoff(first, cap)
    for number in range(count):
        base = min(first * 2**number, cap)
        assert 0.8 * base <= backoff.delay() <= 1.2 * base * 1.000001
    backoff.reset()
    assert backoff.delay() <= 1.2 * first


def test_devices_do_not_come_back_in_step() -> None:
    assert len({Backoff().delay() for _ in range(20)}) > 10
