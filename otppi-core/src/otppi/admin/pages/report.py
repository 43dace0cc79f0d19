"""The report: single messages by pages, sums with charts, and both as CSV."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

import cherrypy

from otppi.admin.blocks.shown import ShownCell, ShownTable
from otppi.admin.blocks.tables import as_csv, csv_line, look_at
from otppi.admin.pages.answers import TITLES, PageError, drawn, perform, problems_of, text_of, visit
from otppi.admin.pages.downloads import CSV, as_file, downloaded
from otppi.admin.parts import Parts
from otppi.admin.rendering.formats import number
from otppi.admin.security.guard import page
from otppi.api.errors import InvalidSettings
from otppi.host.durable.report_folder import ReportFolder
from otppi.kit.spreadsheets import BYTE_ORDER_MARK
from otppi.text import Text, _
from otppi.text.languages import translated
from otppi.text.states import said

ADDRESS: Final = "/messages/report"
_FILTERS: Final = ("state", "modem", "user", "receiver", "message_id", "day", "place")
_SUMMED: Final = ("since", "until", "by", "state", "modem", "prefix", "user")
_ROWS: Final = 50
_PART: Final = 200
"""Lines of an export that are made at once."""


class ReportPages:
    """`/messages/report`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page()
    def index(self, **fields: Any) -> bytes:
        """List messages, newest first, as far as a stretch of the report has them."""
        given = {name: text_of(fields, name).strip() for name in _FILTERS}
        answer, problems = self._asked("report", given | {"limit": _ROWS})
        filters = {name: value for name, value in given.items() if value and name != "place"}
        return drawn(
            self._parts,
            "report.html",
            422 if problems else 200,
            given=given,
            problems=problems,
            report=answer or {"messages": [], "further": "", "stopped": False, "reached": None},
            modems=[one["modem_id"] for one in perform(self._parts, "status")["modems"]],
            months=self._parts.registry.part(ReportFolder).months(),
            labels=_labels(),
            further=f"{ADDRESS}?{urlencode({**filters, 'place': answer['further'] if answer else ''})}",
            newest=f"{ADDRESS}?{urlencode(filters)}",
        )

    @page()
    def sums(self, **fields: Any) -> bytes:
        """Show the sums of some days, as a chart and as a table."""
        from otppi.admin.blocks.stacked import HEIGHT, PARTS, WIDTH, bars_of, columns_of

        given = {name: text_of(fields, name).strip() for name in _SUMMED}
        answer, problems = self._asked("report_sums", given)
        chart, table = None, None
        if answer:
            language, query = visit().language, {name: value for name, value in given.items() if value}
            rows = [(_named(answer["by"], one["value"]), one["states"]) for one in answer["rows"]]
            chart = (columns_of if answer["by"] == "day" else bars_of)(
                [(str(translated(name, language)), states) for name, states in rows]
            )
            asked = query | {name: text_of(fields, name) for name in ("sort0", "from0") if name in fields}
            view = look_at(_table(answer, language), 0, f"{ADDRESS}/sums", asked)
            table = replace(view, csv=f"{ADDRESS}/csv?{urlencode(query)}" if answer["rows"] else "")
        return drawn(
            self._parts,
            "report_sums.html",
            422 if problems else 200,
            given=given,
            problems=problems,
            sums=answer,
            left_out=_left_out(answer["mixed"]) if answer else "",
            chart=chart,
            table=table,
            kinds=PARTS,
            field=(WIDTH, HEIGHT),
            by=_BY,
            labels=_labels(),
        )

    @page()
    def csv(self, **fields: Any) -> bytes:
        """Give the sums as a file."""
        given = {name: text_of(fields, name).strip() for name in _SUMMED}
        answer, problems = self._asked("report_sums", given)
        if answer is None:
            raise PageError(422, *(TITLES[400][0], next(iter(problems.values()), "")))
        name = f"report-{answer['since']}-{answer['until']}-by-{answer['by']}.csv"
        return downloaded(name, CSV, as_csv(_table(answer, visit().language)))

    @page()
    def export(self, **fields: Any) -> Iterator[bytes]:
        """Give all messages of a month as a file, which is made while it is taken."""
        month, folder = text_of(fields, "month"), self._parts.registry.part(ReportFolder)
        if month not in folder.months():
            raise PageError(404, *TITLES[404])
        folder.before_reading()
        as_file(f"report-{month}.csv", CSV)
        cherrypy.response.stream = True
        return _exported(folder, month, visit().language)

    def _asked(self, operation: str, given: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
        """Return what an operation tells, or what is wrong with what was asked."""
        try:
            return perform(self._parts, operation, **{name: value for name, value in given.items() if value}), {}
        except InvalidSettings as error:
            return None, problems_of(error)


def _exported(folder: ReportFolder, month: str, language: str) -> Iterator[bytes]:
    """Yield the lines of the file, many at once; it is closed where the client has gone."""
    titles = (
        _("Time"), _("Message id"), _("Sender's number"), _("Source"), _("User"), _("Receiver"), _("Modem"),
        _("Segments"), _("State"), _("State since"), _("Seconds"), _("Response code"), _("Price"),
    )  # fmt: skip
    lines = [BYTE_ORDER_MARK + csv_line([str(translated(title, language)) for title in titles])]
    for found in folder.exported(month):
        one = found.message
        ingress, _slash, user = one.source.partition("/")
        times = [
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at else ""
            for at in (one.at, found.changed or one.at)
        ]
        lines.append(
            csv_line(
                (times[0], one.message_id, one.client_id, ingress, user, one.receiver, one.egress, one.segments,
                 found.state.value, times[1], one.seconds, one.code, one.price)
            )
        )  # fmt: skip
        if len(lines) >= _PART:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


def _left_out(count: int) -> Text:
    return _.plural(
        "{count} message is left out: on its day there were more combinations than are kept.",
        "{count} messages are left out: on their days there were more combinations than are kept.",
        count=count,
    )


_BY: Final[dict[str, Text]] = {
    "day": _("Day"),
    "modem": _("Modem"),
    "prefix": _("Prefix"),
    "user": _("User"),
    "state": _("State"),
}


def _labels() -> dict[str, Text]:
    """Return what fields are called where something is wrong with them."""
    return {
        **_BY,
        "since": _("First day"),
        "until": _("Last day"),
        "message_id": _("Message id"),
        "place": _("Place"),
    }


def _named(by: str, value: str) -> Text | str:
    """Return what a row is called."""
    if by == "state":
        return said(value)
    if value == "*":
        return _("others")
    return _("none") if value == "-" else value


def _table(answer: Mapping[str, Any], language: str) -> ShownTable:
    """Return the sums as a table, with a row of all at its end."""
    by, total = answer["by"], answer["total"]
    states = sorted(total["states"], key=lambda state: -total["states"][state]) if by != "state" else []
    titles = [_BY[by], _("Messages"), *map(said, states), _("Segments"), _("Price")]
    rows = [(_text(_named(by, one["value"]), language), *_numbers(one, states, language)) for one in answer["rows"]]
    if len(rows) > 1:
        rows.append((_text(_("Total"), language), *_numbers(total, states, language)))
    return ShownTable(
        "", tuple(str(translated(title, language)) for title in titles), tuple(rows),
        str(translated(_("No report yet."), language)), 100, cut=False,
    )  # fmt: skip


def _text(text: Text | str, language: str) -> ShownCell:
    shown = str(translated(text, language))
    return ShownCell(shown, shown, is_number=False, sort=(1, 0.0, shown))


def _numbers(row: Mapping[str, Any], states: list[str], language: str) -> list[ShownCell]:
    values = [row["messages"], *(row["states"].get(state, 0) for state in states), row["segments"]]
    cells = [ShownCell(number(one, language), str(one), is_number=True, sort=(0, float(one), "")) for one in values]
    price, digits = row["price"], 0 if row["price"] == int(row["price"]) else 2
    return [*cells, ShownCell(number(price, language, digits), str(price), is_number=True, sort=(0, price, ""))]
