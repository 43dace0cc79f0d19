"""The settings of the REST ingress, and the paths that follow from them."""

from collections.abc import Iterable, Mapping
from typing import Any

from otppi.api.settings import Effect, FieldError, Group, Input, Section, boolean, integer, number, text
from otppi_ingress_rest.text import _

MESSAGES = "/api/messages"
HEALTH = "/api/health"
OPENAPI = "/api/openapi.json"
DOCS = "/api/docs"
METRICS = "/metrics"
KEYS = "/api/keys"
KEYS_ROTATE = "/api/keys/rotate"
RESERVED = (MESSAGES, HEALTH, OPENAPI, DOCS, METRICS, KEYS)

ALIASES: Mapping[str, tuple[str, ...]] = {
    "/api/message": (),
    "/api/sms": ("send-sms",),
    "/api/email": ("send-email",),
    "/api/mail": ("send-email",),
    "/api/otp": ("request-otp", "verify-otp"),
    "/api/block": ("block-msisdn",),
    "/api/unblock": ("unblock-msisdn",),
    "/api/blocking": ("block-msisdn",),
    "/api/unblocking": ("unblock-msisdn",),
    "/api/modem": ("get-modem-list",),
    "/api/ussd": ("request-ussd",),
}
"""Paths that the original program, its documents and its later versions used, and the commands that each is meant for
(none: all). They are always served, all by one handler, which takes any command."""

PATH_PATTERN = r"/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]"
WAIT_LIMIT = 60


def _not_reserved(path: str) -> str | None:
    taken = next((one for one in RESERVED if path == one or path.startswith(f"{one}/")), None)
    return _("must not be {taken}, which has a meaning of its own", taken=taken) if taken else None


def _problems(values: Mapping[str, Any]) -> Iterable[FieldError]:
    """Yield which settings do not go together."""
    if not values["https_enable"]:
        return
    if values["http_enable"] and values["http_port"] == values["https_port"] != 0:
        yield FieldError("https_port", _("must not be the same as http_port"))
    for key, other in (("certificate_file", "private_key_file"), ("private_key_file", "certificate_file")):
        if values[other] and not values[key]:
            reason = _("must not be empty where {other} is set: a certificate and its key go together", other=other)
            yield FieldError(key, reason)


SECTION = Section(
    key="ingress-rest",
    title=_("REST API"),
    help=_("Takes commands over HTTP and HTTPS: one POST sends an SMS or an e-mail, and answers what became of it."),
    reset_group="api",
    effect=Effect.MAY_CUT_OFF,
    checks=(_problems,),
    groups=(
        Group("http", _("HTTP and HTTPS")),
        Group("paths", _("Paths"), _("Where the device takes what; the paths of earlier versions are always served.")),
        Group("answers", _("Answers")),
        Group(
            "certificate",
            _("Certificate"),
            _("Where both are empty, the device has a certificate of its own."),
            advanced=True,
        ),
        Group("limits", _("Limits"), advanced=True),
    ),
    settings=(
        boolean("http_enable", _("Enable HTTP"), _("Serve the API over HTTP (not encrypted)."), True, group="http"),
        integer(
            "http_port",
            _("HTTP Port"),
            _("TCP port of HTTP; 0 takes any free one."),
            8899,
            minimum=0,
            input=Input.LISTEN_PORT,
            enabled_by="http_enable",
            group="http",
        ),
        boolean("https_enable", _("Enable HTTPS"), _("Serve the API over HTTPS."), True, group="http"),
        integer(
            "https_port",
            _("HTTPS Port"),
            _("TCP port of HTTPS; 0 takes any free one."),
            10443,
            minimum=0,
            input=Input.LISTEN_PORT,
            enabled_by="https_enable",
            group="http",
        ),
        text(
            "bind_address",
            _("Listen Address"),
            _("Address of this device to listen on; empty: all of them, IPv4 and IPv6."),
            input=Input.LISTEN_ADDRESS,
            closed="127.0.0.1",
            group="http",
            advanced=True,
        ),
        text(
            "message_path",
            _("Message Path"),
            _("Path that takes commands to send SMS and e-mail."),
            "/api/message",
            pattern=PATH_PATTERN,
            pattern_says=_("a path such as /api/message"),
            check=lambda path: _not_reserved(path) if path else _("is required"),
            group="paths",
        ),
        text(
            "blocking_path",
            _("Blocking Path"),
            _("Path that takes commands to block a number."),
            "/api/block",
            pattern=PATH_PATTERN,
            pattern_says=_("a path such as /api/message"),
            check=_not_reserved,
            group="paths",
        ),
        text(
            "unblocking_path",
            _("Unblocking Path"),
            _("Path that takes commands to unblock a number."),
            "/api/unblock",
            pattern=PATH_PATTERN,
            pattern_says=_("a path such as /api/message"),
            check=_not_reserved,
            group="paths",
        ),
        text(
            "certificate_file",
            _("Certificate File"),
            _("PEM file with the certificate chain for HTTPS; empty: the device makes a certificate of its own."),
            input=Input.PATH,
            enabled_by="https_enable",
            group="certificate",
        ),
        text(
            "private_key_file",
            _("Private Key File"),
            _("PEM file with the key of the certificate, without a passphrase."),
            input=Input.PATH,
            enabled_by="https_enable",
            group="certificate",
        ),
        number(
            "wait_seconds",
            _("Wait"),
            _("How long an answer waits for the final state of the message where the request does not say (?wait=)."),
            15.0,
            minimum=0,
            maximum=WAIT_LIMIT,
            unit=_("s"),
            group="answers",
        ),
        boolean(
            "metrics_enable",
            _("Enable Metrics"),
            _("Serve counters for Prometheus at {path}, to API users.", path=METRICS),
            False,
            group="answers",
        ),
        integer(
            "max_body_bytes",
            _("Largest Request"),
            _("Requests with a larger body are refused (413)."),
            65536,
            minimum=1024,
            maximum=1_048_576,
            unit=_("bytes"),
            group="limits",
        ),
        integer(
            "max_connections",
            _("Most Connections"),
            _("How many connections may be open; above it the longest waiting one is closed, of the client with most."),
            1000,
            minimum=8,
            maximum=20_000,
            group="limits",
        ),
        integer(
            "max_connections_per_client",
            _("Most Connections of a Client"),
            _("How many of them may be of one IPv4 address, or of one /64 network of IPv6 addresses."),
            500,
            minimum=8,
            maximum=20_000,
            group="limits",
        ),
        integer(
            "max_threads",
            _("Most Threads"),
            _("How many requests may wait for a modem at the same time; more are refused (503, code 1205)."),
            200,
            minimum=2,
            maximum=2000,
            group="limits",
        ),
    ),
)


def enabled(settings: Mapping[str, Any]) -> bool:
    """Return whether there is a port to serve at all."""
    return bool(settings["http_enable"] or settings["https_enable"])


def command_paths(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths that take commands: the configured ones first, then the aliases, each once."""
    configured = (settings["message_path"], settings["blocking_path"], settings["unblocking_path"])
    return tuple(dict.fromkeys(path for path in (*configured, *ALIASES) if path))
