"""`otppi status`: how the gateway, its modems and its ingresses are."""

from collections.abc import Iterable, Sequence
from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _, spoken
from otppi.cli.output import cell, columns, moment, show
from otppi.text.states import egress_said, login_said, said, step_said

MODEM_COLUMNS = {
    "modem_id": "MODEM",
    "state": "STATE",
    "sent": "SENT",
    "queued": "QUEUED",
    "signal_dbm": "DBM",
    "operator": "OPERATOR",
    "registration": "REGISTRATION",
    "detail": "DETAIL",
}
"""What fits into 80 columns; `otppi modem list` has the IMEI as well."""
_OF_THREAD = frozenset({"name", "title", "state", "since", "failures", "last_error"})
"""What is told of every ingress; the rest is what it says of itself."""


def _shown(options: Options, answer: Any) -> int:
    show(options, answer, _lines(answer))
    return Exit.DONE


def _lines(answer: dict[str, Any]) -> list[str]:
    lines = [
        _(
            "gateway runs, {able}, version {version}, since {started}, {queued} queued",
            able=_able(answer["modems"]),
            version=answer["version"],
            started=moment(answer["started"]),
            queued=answer["queued"],
        ),
        "",
        *modem_table(answer["modems"], MODEM_COLUMNS),
        *recovery_lines(answer["modems"]),
    ]
    ingresses = [one | {"now": _now(one)} for one in answer["ingresses"]]
    lines += (
        ["", *columns(ingresses, {"name": "INGRESS", "state": "STATE", "now": "NOW"})]
        if ingresses
        else ["", _("no ingress is enabled")]
    )
    lines += service_table(answer["services"])
    lines += ["", *_received(answer["inbox"], answer["webhook"])]
    lines += [_internet(link) for link in answer["internet"]]
    lines += _logins(_("failed logins"), answer["logins"])
    lines += _logins(_("failed logins of administrators"), answer.get("administrator_logins", {"last": None}))
    problems = [answer["power_supply"], *answer["problems"]]
    lines += [_("warning: {warning}", warning=cell(warning)) for warning in answer["warnings"]]
    return lines + [_("problem: {problem}", problem=cell(problem)) for problem in problems if problem]


def _able(modems: Sequence[dict[str, Any]]) -> str:
    """Say how many modems can send; those that somebody has stopped are left out."""
    wanted = [one for one in modems if one["state"] != "stopped"]
    if not wanted:
        return _("no modem")
    ready = sum(one["state"] == "ready" and not one["unusable"] for one in wanted)
    return _.plural(
        "{ready} of {count} modem can send", "{ready} of {count} modems can send", count=len(wanted), ready=ready
    )


def service_table(services: Sequence[dict[str, Any]]) -> list[str]:
    """List the services of plugins, and the gateway's own that failed."""
    shown = [
        {"name": one["name"], "state": spoken(said(one["state"])), "now": _service_now(one)}
        for one in services
        if one["name"].startswith("service ") or one["failures"] or one["state"] != "running"
    ]
    return ["", *columns(shown, {"name": "SERVICE", "state": "STATE", "now": "NOW"})] if shown else []


def _service_now(service: dict[str, Any]) -> str:
    if error := service["last_error"]:
        return _failed(service["failures"], error)
    about = service["about"]
    return ", ".join(f"{key} {cell(value)}" for key, value in about.items()) if isinstance(about, dict) else cell(about)


def _failed(count: int, error: str) -> str:
    return _.plural(
        "failed {count} time, last with {error}", "failed {count} times, last with {error}", count=count, error=error
    )


def modem_table(modems: Sequence[dict[str, Any]], titles: dict[str, str]) -> list[str]:
    """List modems; the detail of one that works is the limit that keeps it from sending."""
    return columns(
        [one | {"state": egress_said(one["state"]), "detail": one["detail"] or one["unusable"]} for one in modems],
        titles,
    )


def recovery_lines(modems: Iterable[dict[str, Any]]) -> list[str]:
    """Return what was done and will be done for the modems that had to be, or have to be, recovered."""
    return [
        _("modem {modem_id}: {recovery}", modem_id=cell(modem["modem_id"]), recovery=_recovery(modem))
        for modem in modems
        if modem["last_recovery"] or modem["next_step"]
    ]


def _recovery(modem: dict[str, Any]) -> str:
    last, planned = modem["last_recovery"], modem["next_step"]
    taken = cell({spoken(step_said(step)): count for step, count in modem["recoveries"].items() if count})
    told = (
        _(
            "{taken}; last {step} at {at}: {cause}",
            taken=taken,
            step=step_said(last["step"]),
            at=moment(last["at"]),
            cause=cell(last["cause"]),
        )
        if last
        else _("nothing yet")
    )
    return (
        _("{told}; next {step}, not before {at}", told=told, step=step_said(planned["step"]), at=moment(planned["at"]))
        if planned
        else told
    )


def _received(inbox: dict[str, Any], webhook: dict[str, Any]) -> list[str]:
    lines = [
        _(
            "inbox: {unread} unread of {messages}, {incomplete} waiting for parts",
            unread=inbox["unread"],
            messages=inbox["messages"],
            incomplete=inbox["incomplete"],
        )
    ]
    if webhook["server"]:
        now = _(", last error: {last_error}", last_error=cell(webhook["last_error"])) if webhook["last_error"] else ""
        counts = _(
            "{waiting} waiting, {delivered} delivered, {given_up} given up",
            waiting=webhook["waiting"],
            delivered=webhook["delivered"],
            given_up=webhook["given_up"],
        )
        lines.append(_("webhook {server}: {counts}{now}", server=cell(webhook["server"]), counts=counts, now=now))
    return lines


def _internet(link: dict[str, Any]) -> str:
    detail = f" ({cell(link['detail'])})" if link["detail"] else ""
    return _(
        "internet by {modem_id}: {state}{detail}",
        modem_id=cell(link["modem_id"]),
        state=cell(said(link["state"])),
        detail=detail,
    )


def _logins(whose: str, logins: dict[str, Any]) -> list[str]:
    """Tell of failed logins, where there were any since the start."""
    if not (last := logins["last"]):
        return []
    counts = cell({spoken(login_said(reason)): count for reason, count in logins["failed"].items() if count})
    who = _(" as {user}", user=cell(last["user"])) if last["user"] else ""
    return [
        _(
            "{whose}: {counts}; last from {address}{who} at {at}",
            whose=whose,
            counts=counts,
            address=cell(last["address"]),
            who=who,
            at=moment(last["at"]),
        )
    ]


def _now(ingress: dict[str, Any]) -> str:
    if stalled := ingress.get("stalled"):
        return cell(_("does not answer: {stalled}", stalled=stalled))
    if error := ingress["last_error"]:
        return _failed(ingress["failures"], error)
    from otppi.kit.net.link import is_link

    if is_link(ingress):
        return _broker(ingress)
    own = {key: value for key, value in ingress.items() if key not in _OF_THREAD}
    return ", ".join(f"{key} {cell(value)}" for key, value in own.items())


def _broker(ingress: dict[str, Any]) -> str:
    """Return how the connection to a broker is, and what came by it."""
    counts = [_("{count} taken", count=ingress["taken"])] if "taken" in ingress else []
    counts += [_("{count} in flight", count=ingress["in_flight"])] if "in_flight" in ingress else []
    problem = [_("last: {last_problem}", last_problem=ingress["last_problem"])] if ingress["last_problem"] else []
    return cell(f"{ingress['server']}: {', '.join([ingress['detail'], *counts, *problem])}")


OWN = {"status": Own(show=_shown)}
