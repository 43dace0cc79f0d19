"""Checks of the gateway: store, control socket, plugins, settings, modems, ingresses."""

import errno
import shlex
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from otppi.api.errors import OtpPiError
from otppi.cli.checks.finding import Finding, ok, problem, warning
from otppi.cli.exits import Failure
from otppi.cli.language import _, spoken
from otppi.cli.probing import port_problem
from otppi.cli.talk import ask, by_itself, running
from otppi.host.control.client import ControlClient
from otppi.host.core import load_plugins
from otppi.host.storage.store import AtomicStorage, StoreDamaged
from otppi.kit.at.port import refusal_of
from otppi.kit.net.http_client import HttpClient
from otppi.kit.net.link import LinkLost, is_link
from otppi.kit.net.tls import verifying_context
from otppi.text import labelled
from otppi.text.states import egress_said, said

_TIMEOUT = 5.0
_HEALTH = "/api/health"


def check_store(data: Path) -> Finding:
    """Look whether what is kept can be read."""
    storage = AtomicStorage(str(data / "settings.json"))
    try:
        kept = storage.read()
    except StoreDamaged as error:
        cause, _mark, advice = str(error).partition("; ")
        return problem(_("store"), cause, advice)
    if storage.trouble or storage.aside.exists():
        edited = storage.aside if storage.aside.exists() else data / "settings.json"
        text = storage.trouble or _("settings.json was damaged, or edited by hand")
        advice = _(
            "if you edited it: otppi settings import {edited}; if not, and it comes again, change the card",
            edited=edited,
        )
        return warning(
            _("store"),
            _("{text}: its copy is used", text=text),
            _("{advice}; then remove {aside}", advice=advice, aside=storage.aside),
        )
    return ok(_("store"), _("settings.json is readable") if kept is not None else _("nothing was ever set"))


def check_plugins(data: Path) -> Iterator[Finding]:
    """Look whether each plugin loads that is not switched off."""
    plugins = by_itself(data, "plugins")
    for one in plugins:
        if one["error"]:
            name = one["distribution"] or one["name"]
            advice = _("install {name} again, or: otppi plugin off {plugin}", name=name, plugin=one["name"])
            yield problem(_("plugin {name}", name=one["name"]), one["error"], advice)
    loaded = [one["name"] for one in plugins if one["state"] == "loaded"]
    if loaded:
        yield ok(_("plugins"), ", ".join(loaded))
    else:
        yield problem(_("plugins"), _("there is none that loads"), _("install at least one modem type and one ingress"))


def check_gateway(data: Path) -> Iterator[Finding]:
    """Look whether a gateway runs, then at its settings, modems and ingresses."""
    try:
        client = running(data)
    except Failure as failure:
        yield problem(_("gateway"), str(failure), _("try again with sudo"))
        return
    if client is None:
        yield problem(_("gateway"), _("it is not running"), f"otppi run --data {data}, or: systemctl start otppi")
    else:
        yield ok(_("gateway"), _("it is running (process {process})", process=client.process()))
    try:
        yield from _check_settings(data)
        document = ask(data, "settings_export")
        yield from _check_modems(document["modems"], client)
        if client is not None:
            status = client.call("status", {})
            yield from _check_ingresses(status["ingresses"])
            yield from _check_network(client.call("network_status", {}))
            for told in status["warnings"]:
                yield warning(_("status"), told, _("it goes when its cause is gone: look with otppi status"))
        if not any(user["active"] and not user["blocked"] for user in ask(data, "users")):
            yield warning(_("API users"), _("there is none: nobody may send through the API"), "otppi user add NAME")
    except (Failure, OtpPiError) as error:  # the store is damaged, the folder is in use, the gateway has stopped
        yield problem(_("settings"), str(error), _("repair what is said above, and try again"))


def _check_settings(data: Path) -> Iterator[Finding]:
    problems = ask(data, "settings_problems")
    for one in problems:
        yield problem(_("settings"), _("{one}; something safe is used", one=one), _("set it with: otppi settings set"))
    if not problems:
        yield ok(_("settings"), _("all of them can be used"))


def _check_network(status: Mapping[str, Any]) -> Iterator[Finding]:
    for section, settings in status["differs"].items():
        yield warning(
            _("network"),
            _(
                "{section}: other settings are kept than are in use ({settings})",
                section=section,
                settings=", ".join(settings),
            ),
            _(
                "use them: otppi network apply {section}; keep those in use: otppi network adopt {section}",
                section=section,
            ),
        )


# -- modems -----------------------------------------------------------------------------------------------------------


def _check_modems(configured: Sequence[Mapping[str, Any]], client: ControlClient | None) -> Iterator[Finding]:
    running = [] if client is None else client.call("modems", {})
    if not configured:
        what_to_do = _("otppi modem probe, then otppi settings import a document with modems")
        text = _("none is configured: messages go to a simulated one, and do not leave this device")
        if client is not None and not running:  # as on a device: `otppi run --no-stand-in`
            yield problem(_("modems"), _("none is configured: nothing is sent"), what_to_do)
        else:
            yield warning(_("modems"), text, what_to_do)
    elif not any(modem["active"] for modem in configured):
        name = shlex.quote(configured[0]["name"])
        yield problem(
            _("modems"), _("none is active: nothing is sent"), f"otppi settings set modems.{name}.active true"
        )
    with_port = {key for key, one in load_plugins().modem_types.items() if one.probe or one.recognises}
    for modem in configured:
        if modem["active"] and modem["type"] in with_port:
            gateway = None if client is None else client.process()
            yield _check_port(modem["name"], modem["port"], gateway, modem["imei"])
    yield from _check_shared(modem for modem in configured if modem["active"] and modem["port"] and not modem["imei"])
    for modem in running:
        yield _check_state(modem)


def _check_shared(modems: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Look for two names of one port, such as a link and the device that it leads to."""
    owners: dict[Path, str] = {}
    for modem in modems:
        other = owners.setdefault(Path(modem["port"]).resolve(), modem["name"])
        if other != modem["name"]:
            yield problem(
                _("port of {name}", name=modem["name"]),
                _("it is the port of {other} too", other=other),
                _("set each modem's own port"),
            )


def _check_port(name: str, path: str, gateway: int | None, imei: str = "") -> Finding:
    check = _("port of {name}", name=name)
    if imei and not (path and Path(path).exists()):
        return ok(check, _("the modem is looked for by its IMEI, {imei}", imei=imei))
    if not path:
        return problem(
            check, _("none is set"), _("otppi modem probe, then: otppi settings set modems.{name}.port PATH", name=name)
        )
    found = port_problem(path)
    if found is None:
        return ok(check, _("{path} may be opened", path=path))
    if found["state"] == "held" and any(one.endswith(f"({gateway})") for one in found["held_by"]):
        return ok(check, _("{path} is held by the gateway", path=path))
    return problem(check, found["detail"], _advice_for(found["state"], path))


def _advice_for(state: str, path: str) -> str:
    sandboxed = state == "refused" and refusal_of(path) == errno.EPERM
    return _("restart the service: systemctl restart otppi") if sandboxed else _PORT_ADVICE[state]


_PORT_ADVICE = {
    "absent": _("plug the modem in, or find its port with: otppi modem probe"),
    "held": _("stop that program: only one can use a modem"),
    "refused": _("usermod -aG dialout USER, and start the gateway again"),
}


def _check_state(modem: Mapping[str, Any]) -> Finding:
    check = _("modem {modem_id}", modem_id=modem["modem_id"])
    if modem["state"] == "ready" and modem["unusable"]:
        return warning(check, modem["unusable"], _("see its limits: otppi usage"))
    if modem["state"] == "ready" and modem["sim_problem"]:
        name = shlex.quote(modem["modem_id"])
        return warning(
            check,
            modem["sim_problem"],
            _("change the card, or: otppi settings set modems.{name}.imsi {imsi}", name=name, imsi=modem["imsi"]),
        )
    if modem["state"] == "ready":
        return ok(
            check,
            _(
                "ready, {operator}, {registration}",
                operator=modem["operator"] or _("unknown operator"),
                registration=modem["registration"] or _("unknown registration"),
            ),
        )
    if modem["state"] == "starting" and not modem["detail"]:
        return warning(check, _("it is being opened"), _("look again in half a minute"))
    blocked = _(
        "it needs a person; the SIM card's lock: otppi sim status {modem_id}", modem_id=shlex.quote(modem["modem_id"])
    )
    advice = {"blocked": blocked, "absent": _PORT_ADVICE["absent"]}
    return problem(
        check,
        spoken(labelled(egress_said(modem["state"]), modem["detail"])),
        advice.get(modem["state"], _("check its SIM card, antenna, power and settings")),
    )


# -- ingresses -------------------------------------------------------------------------------------------------------


def _check_ingresses(ingresses: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    if not ingresses:
        yield warning(
            _("ingresses"), _("none is enabled: only otppi send can send"), _("enable one with: otppi settings set")
        )
    for one in ingresses:
        if one["state"] == "stopped":
            yield problem(one["name"], _("it was stopped"), _("start it: otppi service start {name}", name=one["name"]))
            continue
        if one["state"] != "running" or one.get("listening") is False:
            reason = one["last_error"] or _("it is not listening")
            yield problem(
                one["name"],
                spoken(labelled(said(one["state"]), reason)),
                _("see: otppi settings show {name}", name=one["name"]),
            )
            continue
        if is_link(one):
            yield _check_broker(one)
            continue
        answers = [_check_health(one, kind) for kind in ("http", "https") if f"{kind}_port" in one]
        yield from answers or [ok(one["name"], spoken(said(one["state"])))]


def _check_broker(ingress: Mapping[str, Any]) -> Finding:
    name, server = ingress["name"], ingress["server"]
    if ingress["connected"]:
        return ok(name, f"{server}: {ingress['detail']}")
    reason = ingress["last_problem"] or ingress["detail"]
    return problem(
        name,
        _("no connection to {server}: {reason}", server=server, reason=reason),
        _("see: otppi settings show {name}", name=name),
    )


def _check_health(ingress: Mapping[str, Any], kind: str) -> Finding:
    """Ask an ingress that serves HTTP how it is, from outside its process; any answer of HTTP shows that it lives."""
    check, port = ingress["name"], ingress[f"{kind}_port"]
    host = ingress.get("address", "*")
    client = _client(kind, "127.0.0.1" if host == "*" else host, port)
    try:
        status = client.request("GET").status
    except LinkLost as error:
        return problem(
            check,
            _("no answer at {kind} port {port} ({error})", kind=kind, port=port, error=error),
            _("restart the gateway, and report it"),
        )
    finally:
        client.close()
    return ok(
        check,
        _("{kind} port {port} answers ({status} at {health})", kind=kind, port=port, status=status, health=_HEALTH),
    )


def _client(kind: str, host: str, port: int) -> HttpClient:
    # Its certificate is for those who come from elsewhere; here only the answer counts.
    context = verifying_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    name = f"[{host}]" if ":" in host else host
    return HttpClient(f"{kind}://{name}:{port}{_HEALTH}", timeout=_TIMEOUT, context=context)
