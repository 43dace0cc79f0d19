"""`otppi usage`, `otppi route`: what the modems have sent and spent, and which one would send at which price."""

from typing import Any

from otppi.cli.arguments import Options
from otppi.cli.exits import Exit
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import columns, show

_COLUMNS = {
    "modem_id": "MODEM",
    "today": "TODAY",
    "month": "MONTH",
    "on_the_way": "ON THE WAY",
    "receivers": "RECEIVERS",
    "price": "PRICE",
    "spent_today": "SPENT TODAY",
    "spent_month": "THIS MONTH",
    "note": "NOTE",
}


def _shown(options: Options, modems: Any) -> int:
    show(options, modems, columns([_row(one) for one in modems], _COLUMNS))
    return Exit.DONE


def _row(modem: dict[str, Any]) -> dict[str, Any]:
    receivers, most = modem["receivers"], modem["monthly_receivers"]
    return {
        "modem_id": modem["modem_id"],
        "today": _of(modem["today"]["segments"], modem["daily_quota"]),
        "month": _of(modem["this_month"]["segments"], modem["monthly_quota"]),
        "on_the_way": modem["on_the_way"],
        "receivers": None if receivers is None else _of(receivers, most),
        "price": _money(modem["price"]),
        "spent_today": _money(modem["today"]["spent"]),
        "spent_month": _money(modem["this_month"]["spent"]),
        "note": modem["unusable"] or (_("quiet hours for bulk") if modem["quiet"] else ""),
    }


def _of(used: int, quota: int | None) -> str:
    return str(used) if quota is None else _("{used} of {quota}", used=used, quota=quota)


def _money(amount: float) -> str:
    return f"{amount:.4f}".rstrip("0").removesuffix(".")


_ROUTE_COLUMNS = {"place": "", "modem_id": "MODEM", "prefix": "PREFIX", "price": "PRICE", "why": "NOTE"}


def _route(options: Options, answer: dict[str, Any]) -> int:
    rows = [
        one | {"price": _money(one["price"]), "prefix": one["prefix"] or (_("default") if one["default"] else "")}
        for one in answer["modems"]
    ]
    show(options, answer, [f"{answer['receiver']}:", *columns(rows, _ROUTE_COLUMNS)])
    return Exit.DONE


OWN = {"usage": Own(show=_shown), "route": Own(show=_route)}
