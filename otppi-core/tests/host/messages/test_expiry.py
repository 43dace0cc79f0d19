"""When a message expires whose sender names moments."""

import pytest

from otppi.host.messages.expiry import span


@pytest.mark.parametrize(
    ("date_time", "expiration", "direct", "ends"),
    [
        (None, None, False, (1600.0, None)),
        (None, 1300, False, (1300.0, 1300.0)),
        (900, 1300, True, (1300.0, 1300.0)),
        (900, None, False, (1500.0, 1500.0)),
        (100, None, False, (700.0, 700.0)),
        (100, None, True, (1600.0, None)),  # the clock of the device is 15 minutes fast, or the sender's slow
        (5000, None, True, (1600.0, 5600.0)),  # or the other way round: it may be put right
        (
            -1000,
            None,
            True,
            (-400.0, -400.0),
        ),  # more than half an hour: an old message, or a cause that names the clock
    ],
)
def test_what_a_sender_names(
    date_time: int | None, expiration: int | None, direct: bool, ends: tuple[float, float | None]
) -> None:
    assert span(1000.0, 600.0, date_time, expiration, direct=direct) == ends
