"""The first page: what needs a person, then how everything is."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import cherrypy

from otppi.admin.pages.answers import drawn, perform, visit
from otppi.admin.pages.clock_offer import TRUSTS
from otppi.admin.pages.guide_steps import guide_card
from otppi.admin.pages.needs import Need, backup_need, needs
from otppi.admin.pages.who_claimed import NOT_YOU, who_claimed
from otppi.admin.parts import Parts
from otppi.api.operations import Role
from otppi.host.ingresses.described import state_of
from otppi.text import _, joined
from otppi.text.states import egress_said


@dataclass(frozen=True, slots=True)
class HomeTile:
    """How one service is.

    Attributes:
        title: What it is called.
        state, word: Its state, and the word for that.
        since: Since when, in Unix seconds; None where that makes no sense.
        problem: What is wrong with it, or was last.
        facts: What else there is to see of it.
        link: The page of it; empty where there is none.
        service: What it is called where it is stopped and started; empty where it is not.
    """

    title: str
    state: str
    word: str
    since: float | None = None
    problem: str = ""
    facts: tuple[tuple[str, Any], ...] = field(default=())
    link: str = ""
    service: str = ""

    @property
    def stopped(self) -> bool:
        """Whether it is to be started."""
        return self.state == "stopped"

    @property
    def connects(self) -> bool:
        """Whether people say of it that it is connected, rather than started."""
        return self.service.startswith("internet:")


def home(parts: Parts) -> bytes:
    """Draw the page."""
    status, modems = perform(parts, "status"), perform(parts, "modems")
    return drawn(
        parts,
        "home.html",
        needs=_needs(parts, status, modems),
        today=sum(one["usage"]["today"]["messages"] for one in modems),
        tiles=[
            *_tiles(status, modems, perform(parts, "services")),
            *_clock(parts),
            *_declared(parts),
        ],
        gateway=status,
        machine=perform(parts, "machine"),
        encrypted=_encrypted(),
        guide=guide_card(parts),
        claimed=who_claimed(parts) if visit().may(Role.ADMINISTRATOR) else None,
        not_you=NOT_YOU,
    )


def _needs(parts: Parts, status: Mapping[str, Any], modems: Sequence[Mapping[str, Any]]) -> list[Need]:
    """Return what needs whoever visits; nothing in safe mode, as all of it follows from that no plugin is there."""
    if parts.safe_mode:
        return []
    found = needs(status, modems)
    if visit().may(Role.ADMINISTRATOR):
        since = parts.claim.about
        found += backup_need(perform(parts, "backup_state")["made"], since and since[0], time.time())
    return found


def _tiles(
    status: Mapping[str, Any], modems: Sequence[Mapping[str, Any]], services: Sequence[Mapping[str, Any]]
) -> list[HomeTile]:
    """Return all tiles; those that may be stopped and started know by which name."""
    known = {one["service"] for one in services}
    links, accounts = status["internet"], status.get("mail_accounts", ())
    told = [*_modems(modems), *_internet(links), *_sources(status["ingresses"]), *_accounts(accounts)]
    told += (_plugins_own(one) for one in services if one["kind"] == "service")
    return [one if one.service in known else replace(one, service="") for one in told]


def _encrypted() -> str:
    """Return where this page is by HTTPS, which the port serves too (the gate knows the host); empty where it is."""
    return "" if visit().secure else f"https://{cherrypy.request.headers.get('Host', '')}/"


def _modems(modems: Sequence[Mapping[str, Any]]) -> Iterator[HomeTile]:
    for one in modems:
        facts: list[tuple[str, Any]] = [
            (_("Sent today"), one["usage"]["today"]["messages"]),
            (_("Waiting"), one["queued"]),
        ]
        facts += [(_("Operator"), one["operator"])] if one["operator"] else []
        yield HomeTile(
            _("Modem {name}", name=one["modem_id"]),
            one["state"],
            egress_said(one["state"]),
            one["since"],
            one["detail"] or one["unusable"],
            tuple(facts),
            f"/modems/show?modem={quote(one['modem_id'])}",
            f"modem:{one['modem_id']}",
        )


def _internet(links: Sequence[Mapping[str, Any]]) -> Iterator[HomeTile]:
    for one in links:
        state = str(one["state"])
        yield HomeTile(
            _("Internet by {name}", name=one["modem_id"]),
            state,
            egress_said(state),
            one.get("since"),
            one.get("detail") or "",
            ((_("Address"), one["address"]),) if one.get("address") else (),
            service=f"internet:{one['modem_id']}",
        )


def _sources(ingresses: Sequence[Mapping[str, Any]]) -> Iterator[HomeTile]:
    for one in ingresses:
        state, problem = state_of(one)
        for title, facts in _faces(one):
            word = egress_said(state)
            yield HomeTile(title, state, word, one["since"], problem or "", facts, service=one["name"])


def _faces(ingress: Mapping[str, Any]) -> list[tuple[str, tuple[tuple[str, Any], ...]]]:
    """Return what an ingress is to people: the REST API is one by HTTP and one by HTTPS, each at its port."""
    ports = [(kind, ingress[f"{kind}_port"]) for kind in ("http", "https") if f"{kind}_port" in ingress]
    if ports:
        return [(f"{ingress['title']} {kind.upper()}", ((_("Port"), str(port)),)) for kind, port in ports]
    return [(ingress["title"], ((_("Server"), ingress["server"]),) if "server" in ingress else ())]


def _accounts(accounts: Sequence[Mapping[str, Any]]) -> Iterator[HomeTile]:
    for one in accounts:
        name, state = one["mail_account"], one["state"]
        problem = one["detail"] or one["unusable"]
        yield HomeTile(name, state, egress_said(state), one["since"], problem, service=f"mail:{name}")


def _plugins_own(one: Mapping[str, Any]) -> HomeTile:
    state = one["state"]
    return HomeTile(one["title"], state, egress_said(state), one["since"], one["problem"], service=one["service"])


def _clock(parts: Parts) -> Iterator[HomeTile]:
    """Yield how the clock is, where it is the gateway's to keep."""
    told = perform(parts, "clock")
    if told["set_here"]:
        level, word = TRUSTS[told["trust"]]
        facts = ((_("Time Zone"), told["time_zone"]),) if told["time_zone"] else ()
        yield HomeTile(_("Clock"), level, word, problem=joined("; ", told["troubles"]), facts=facts, link="/clock")


def _declared(parts: Parts) -> Iterator[HomeTile]:
    """Yield what the declared pages say of themselves."""
    with parts.waiting():
        tiles = parts.pages.tiles(visit().actor, visit().language)
    for one in tiles:
        link = f"/pages/{one.page.key}"
        if one.tile is None:
            yield HomeTile(one.page.title, "bad", _("does not work"), problem=one.trouble, link=link)
        else:
            yield HomeTile(one.page.title, one.tile.level, one.tile.text, link=link if one.tile.link else "")
