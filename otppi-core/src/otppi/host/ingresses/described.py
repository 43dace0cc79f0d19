"""How an ingress is, in one word and a sentence, by what `Ingresses.describe` tells of it."""

from collections.abc import Mapping
from typing import Any

from otppi.host.runtime.frontends import Frontend
from otppi.kit.net.link import is_link


def state_of(ingress: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return how an ingress is, and what is wrong: one that is a connection is as that is, while its thread runs."""
    if stalled := ingress.get("stalled"):
        return "stalled", stalled
    if not is_link(ingress):
        return ingress["state"], ingress["last_error"]
    running = "connected" if ingress["connected"] else "connecting"
    state = running if ingress["state"] == "running" else ingress["state"]
    return state, ingress["last_problem"] or ingress["last_error"]


def frontend_of(ingress: Mapping[str, Any]) -> Frontend:
    """Return whether an ingress is open: one that says neither that it listens nor that it is connected, as it runs."""
    state, problem = state_of(ingress)
    listens = state == "running" and ingress.get("listening", True)
    is_open = state == "connected" if is_link(ingress) else listens
    known = problem or ("" if state in ("running", "connecting") else state)
    return Frontend(ingress["name"], is_open, "" if is_open else known)
