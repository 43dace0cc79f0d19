"""Topic names and topic filters: what MQTT allows, and which name a filter catches (MQTT 5, 4.7 and 4.8.2)."""

from collections.abc import Mapping
from typing import Any

from otppi_ingress_mqtt.text import _

_LONGEST = 65_535
"""Octets of a UTF-8 string in MQTT (MQTT 5, 1.5.4)."""
_SHARE = "$share/"


def name_problem(topic: str) -> str | None:
    """Return why nothing can be published to a topic, or None."""
    if not topic:
        return _("must not be empty")
    if "+" in topic or "#" in topic:
        return _("must not hold the wildcards + and #")
    if topic.startswith("$"):
        return _("must not begin with $, which is for the broker's own topics")
    return _problem(topic)


def filter_problem(topic: str) -> str | None:
    """Return why a topic cannot be subscribed to, or None; `$share/GROUP/TOPIC` is one that can."""
    shared, plain = _split(topic)
    if shared is not None and (group_problem(shared) or not shared):
        return _("must have the form $share/GROUP/TOPIC, and a GROUP without + and #")
    if not plain:
        return _("must not be empty")
    levels = plain.split("/")
    if any("+" in level and level != "+" for level in levels):
        return _("must hold + only as a whole level, as in otp/+/send")
    if any("#" in level and level != "#" for level in levels) or "#" in levels[:-1]:
        return _("must hold # only as its last level, as in otp/#")
    return _problem(topic)


def group_problem(group: str) -> str | None:
    """Return why this cannot be the name of a group of subscribers, or None; none may be empty."""
    return _("must not hold /, + or #") if any(sign in group for sign in "/+#") else _problem(group)


def subscription(values: Mapping[str, Any]) -> str:
    """Return the filter that is subscribed to."""
    topic, group = str(values["topic"]), str(values["shared_group"])
    return topic if is_shared(topic) or not group else f"{_SHARE}{group}/{topic}"


def is_shared(topic: str) -> bool:
    """Whether the broker gives each message of this subscription to one of its members only."""
    return topic.startswith(_SHARE)


def catches(topic_filter: str, topic: str) -> bool:
    """Whether a message to a topic comes by a subscription (MQTT 5, 4.7.1)."""
    wanted, levels = _split(topic_filter)[1].split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True  # also the level above: sport/# catches sport
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)


def _split(topic_filter: str) -> tuple[str | None, str]:
    """Take group and filter of a shared subscription apart; the group is None where it is not shared."""
    if not is_shared(topic_filter):
        return None, topic_filter
    group, _slash, plain = topic_filter.removeprefix(_SHARE).partition("/")
    return group, plain


def _problem(topic: str) -> str | None:
    if any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 for sign in topic):
        return _("must not hold control characters")
    try:
        size = len(topic.encode())
    except UnicodeEncodeError:
        return _("must not hold half of a surrogate pair")
    return _("is too long") if size > _LONGEST else None
