"""`otppi diagnostics`: writes the archive; `otppi server`: tells how the device is."""

from collections.abc import Iterator, Mapping
from typing import Any

from otppi.cli.arguments import Options, Parser
from otppi.cli.exits import Exit
from otppi.cli.files import STDIO, new_file
from otppi.cli.generated import Own
from otppi.cli.language import _
from otppi.cli.output import cell, moment, show
from otppi.cli.talk import gateway


def _diagnostics(options: Options) -> int:
    """Write the archive, for its owner only; a file that is there already stays."""
    with new_file(options.file) as file:
        told = gateway(options.data).call("diagnostics", {})
        from otppi.host.gateway.diagnostics import packed

        content = packed(told)
        file.write(content)
    if options.file == STDIO:
        return Exit.DONE
    answer = {"file": options.file, "bytes": len(content), "files": list(told["files"])}
    show(
        options,
        answer,
        [_("{file}: {size} bytes. Read it before you give it away.", file=options.file, size=len(content))],
    )
    return Exit.DONE


def _file(parser: Parser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help=_("the archive that is made, such as otppi.zip; - writes it to stdout")
    )


def _server(options: Options, answer: Any) -> int:
    show(options, answer, list(_lines(answer)))
    return Exit.DONE


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    for title, value in _facts(told):
        yield f"{title}: {_('not known') if value is None else cell(value)}"
    for one in told["interfaces"]:
        addresses = ", ".join(one["addresses"]) or _("no address")
        yield _("interface {name}: {state}, {addresses}", name=one["name"], state=one["state"], addresses=addresses)


def _facts(told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((_("model"), told["model"]), (_("system"), told["system"]), (_("kernel"), told["kernel"]))
    yield "OTP-Pi", told["version"]
    yield "Python", told["python"]
    yield _("running since"), moment(told["started"])
    yield _("switched on since"), None if told["uptime"] is None else moment(told["now"] - told["uptime"])
    for title, part in ((_("memory"), "memory"), (_("swap"), "swap"), (_("storage"), "storage")):
        yield title, None if told[part] is None else _share(told[part])
    yield _("processor"), _("load {load}, {cores} cores", load=cell(told["load"]), cores=told["cores"])
    yield _("temperature"), None if told["temperature"] is None else f"{told['temperature']:.1f} °C"
    yield _("voltage"), None if told["voltage"] is None else f"{told['voltage']:.2f} V"
    throttled = told["throttled"]
    yield _("throttled now"), None if throttled is None else throttled["now"]
    yield _("throttled since the device was switched on"), None if throttled is None else throttled["since_start"]


def _share(part: Mapping[str, int]) -> str:
    if not part["total"]:
        return _("none")
    return _("{free} of {total} MB free", free=part["free"] // 1_000_000, total=part["total"] // 1_000_000)


OWN = {"diagnostics": Own(_diagnostics, arguments=_file), "server": Own(show=_server)}
