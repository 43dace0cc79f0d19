"""`otppi status`: how the gateway, its modems and its ways in are."""

from collections.abc import Iterable, Sequence
from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.output import cell, columns, moment, show

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


def _shown(options: Options, answer: Any) -> int:
    show(options, answer, _lines(answer))
    return Exit.DONE


def _lines(answer: dict[str, Any]) -> list[str]:
    lines = [
        f"gateway {answer['status']}, version {answer['version']}, running since {moment(answer['started'])}, "
        f"{answer['queued']} queued",
        "",
        *modem_table(answer["modems"], MODEM_COLUMNS),
        *recovery_lines(answer["modems"]),
    ]
    ways = [one | {"now": _now(one)} for one in answer["ingresses"]]
    lines += (
        ["", *columns(ways, {"name": "WAY IN", "state": "STATE", "now": "NOW"})]
        if ways
        else ["", "no way in is enabled"]
    )
    lines += ["", *_received(answer["inbox"], answer["webhook"])]
    lines += [_internet(link) for link in answer["internet"]]
    lines += _logins(answer["logins"])
    problems = [answer["power_supply"], *answer["problems"]]
    lines += [f"warning: {cell(warning)}" for warning in answer["warnings"]]
    return lines + [f"problem: {cell(problem)}" for problem in problems if problem]


def modem_table(modems: Sequence[dict[str, Any]], titles: dict[str, str]) -> list[str]:
    """List modems; the detail of one that works is the limit that keeps it from sending."""
    return columns([one | {"detail": one["detail"] or one["unusable"]} for one in modems], titles)


def recovery_lines(modems: Iterable[dict[str, Any]]) -> list[str]:
    """Tell what was done and will be done for the modems that had to be, or have to be, cured."""
    return [
        f"modem {cell(modem['modem_id'])}: {_recovery(modem)}"
        for modem in modems
        if modem["last_recovery"] or modem["next_step"]
    ]


def _recovery(modem: dict[str, Any]) -> str:
    last, planned = modem["last_recovery"], modem["next_step"]
    taken = cell({step: count for step, count in modem["recoveries"].items() if count})
    told = f"{taken}; last {last['step']} at {moment(last['at'])}: {cell(last['cause'])}" if last else "nothing yet"
    return f"{told}; next {planned['step']}, not before {moment(planned['at'])}" if planned else told


def _received(inbox: dict[str, Any], webhook: dict[str, Any]) -> list[str]:
    lines = [f"inbox: {inbox['unread']} unread of {inbox['messages']}, {inbox['incomplete']} waiting for parts"]
    if webhook["server"]:
        now = f", last error: {cell(webhook['last_error'])}" if webhook["last_error"] else ""
        counts = f"{webhook['waiting']} waiting, {webhook['delivered']} delivered, {webhook['given_up']} given up"
        lines.append(f"webhook {cell(webhook['server'])}: {counts}{now}")
    return lines


def _internet(link: dict[str, Any]) -> str:
    detail = f" ({cell(link['detail'])})" if link["detail"] else ""
    return f"internet by {cell(link['modem_id'])}: {cell(link['state'])}{detail}"


def _logins(logins: dict[str, Any]) -> list[str]:
    """Tell of failed logins, where there were any since the start."""
    if not (last := logins["last"]):
        return []
    counts = cell({reason: count for reason, count in logins["failed"].items() if count})
    who = f" as {cell(last['user'])}" if last["user"] else ""
    return [f"failed logins: {counts}; last from {cell(last['address'])}{who} at {moment(last['at'])}"]


def _now(ingress: dict[str, Any]) -> str:
    if stalled := ingress.get("stalled"):
        return cell(f"does not answer: {stalled}")
    if error := ingress["last_error"]:
        return f"failed {ingress['failures']} times, last with {error}"
    from otppi.kit.net.link import is_link

    if is_link(ingress):
        return _broker(ingress)
    own = {key: value for key, value in ingress.items() if key not in ("name", "state", "failures", "last_error")}
    return ", ".join(f"{key} {cell(value)}" for key, value in own.items())


def _broker(ingress: dict[str, Any]) -> str:
    """Tell how the connection to a broker is, and what came by it."""
    counts = [f"{ingress[key]} {key.replace('_', ' ')}" for key in ("taken", "in_flight") if key in ingress]
    problem = [f"last: {ingress['last_problem']}"] if ingress["last_problem"] else []
    return cell(f"{ingress['server']}: {', '.join([ingress['detail'], *counts, *problem])}")


OWN = {"status": Own(show=_shown)}
