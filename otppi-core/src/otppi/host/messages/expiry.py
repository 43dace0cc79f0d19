"""When a message expires: senders name moments, by clocks that may differ from that of this device."""

_FORGIVEN = 1800.0
"""Seconds by which a clock may differ from a waiting sender's before its message counts as an old one."""


def span(
    now: float, lifetime: float, date_time: int | None, expiration: int | None, *, direct: bool
) -> tuple[float, float | None]:
    """Return when a message expires.

    Args:
        now: Unix time, by the clock of this device.
        lifetime: Seconds that it lives where its sender names no end.
        date_time: When the sender made it, by the sender's clock.
        expiration: When it is worth nothing any more.
        direct: Whether the sender waits at the other end: then a message that seems some minutes old was made just now.

    Returns:
        The end by this clock, and the moment that the sender named, if any: the end as well, once the clock is right.
    """
    if expiration is not None:
        return float(expiration), float(expiration)
    if date_time is None:
        return now + lifetime, None
    if date_time > now:  # a sender's fast clock does not put the end off
        return now + lifetime, date_time + lifetime
    if direct and now - date_time <= _FORGIVEN:
        return now + lifetime, None
    return date_time + lifetime, date_time + lifetime
