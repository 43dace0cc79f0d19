"""The names of egresses inside the gateway: a mail account and a modem may have one name, their counters must not."""

from otppi.api.egress import Channel

_MARK = "/"
"""Stands in no name that a person may give."""


def egress_name(channel: Channel, name: str) -> str:
    """Return the internal name of what is called `name` among the egresses of its channel: `mail/NAME`."""
    return name if channel is Channel.SMS else f"{channel.value}{_MARK}{name}"


def shown_name(channel: Channel, internal: str) -> str:
    """Return the name that a person gave."""
    return internal if channel is Channel.SMS else internal.removeprefix(f"{channel.value}{_MARK}")
