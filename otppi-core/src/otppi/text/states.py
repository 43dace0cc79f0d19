"""The words for states: what programs read stays as it is, and people read it in their language."""

from otppi.text import Text, _

_STATES = {
    # of a message
    "queued": _("queued"),
    "sending": _("sending"),
    "sent": _("sent"),
    "delivered": _("delivered"),
    "undelivered": _("undelivered"),
    "failed": _("failed"),
    "expired": _("expired"),
    "blocked": _("blocked"),
    "unconfirmed": _("unconfirmed"),
    "lost": _("lost"),
    # of an egress, an ingress, a thread
    "starting": _("starting"),
    "ready": _("ready"),
    "recovering": _("recovering"),
    "absent": _("absent"),
    "stopped": _("stopped"),
    "running": _("running"),
    "waiting to be started again": _("waiting to be started again"),
    "blocked until its settings are changed": _("blocked until its settings are changed"),
    "stalled": _("stalled"),
    # of a port, a device, a message that came in
    "found": _("found"),
    "held": _("held"),
    "refused": _("refused"),
    "silent": _("silent"),
    "new": _("new"),
    "used": _("used"),
    "asking": _("asking"),
    "read": _("read"),
    "unread": _("unread"),
    # of a finding
    "warning": _("warning"),
    "problem": _("problem"),
    # of the gateway
    "ok": _("ok"),
    "degraded": _("degraded"),
    "down": _("down"),
    # of a USSD session
    "reply-wanted": _("reply-wanted"),
    "ended": _("ended"),
    # of a connection to the internet
    "waiting": _("waiting"),
    "dialling": _("dialling"),
    "negotiating": _("negotiating"),
    "connecting": _("connecting"),
    "connected": _("connected"),
    # of a plugin
    "loaded": _("loaded"),
    "off": _("off"),
    "safe mode": _("safe mode"),
}


_OF_EGRESSES = {"blocked": _.in_context("a modem's state", "blocked")}  # a person has to do something, as no number has


_STEPS = {
    "re-initialise": _.in_context("a step of recovery", "re-initialise"),
    "radio": _.in_context("a step of recovery", "radio"),
    "reset": _.in_context("a step of recovery", "reset"),
    "power": _.in_context("a step of recovery", "power"),
}
_LOGINS = {
    "wrong": _.in_context("why a login failed", "wrong"),
    "throttled": _.in_context("why a login failed", "throttled"),
    "unchecked": _.in_context("why a login failed", "unchecked"),
    "token": _.in_context("why a login failed", "token"),
}

ORIGINS = {
    "administration": _.in_context("where a message comes from", "administration"),
    "command-line": _.in_context("where a message comes from", "command-line"),
    "alarms": _.in_context("where a message comes from", "alarms"),
}
"""What messages come from that no ingress took in: a person sent them, or the gateway itself."""


def origin_said(origin: str) -> str:
    """Return the words for where a message comes from; the key of an ingress stays as it is."""
    return ORIGINS.get(origin, origin)


def step_said(step: str) -> str:
    """Return the words for a step against a modem that does not work (`otppi.api.modem.RecoveryStep`)."""
    return _STEPS.get(step, step)


def login_said(reason: str) -> str:
    """Return the words for why a login failed (`otppi.api.events.LoginFailed`)."""
    return _LOGINS.get(reason, reason)


def said(state: str) -> str:
    """Return the words for a state; one that is not known, or is in words already, stays as it is."""
    return state if isinstance(state, Text) else _STATES.get(state, state)


def egress_said(state: str) -> str:
    """Return the words for a state of a modem, a mail account or one of its ports."""
    return _OF_EGRESSES.get(state) or said(state)
