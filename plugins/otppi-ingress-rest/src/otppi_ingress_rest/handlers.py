"""The handlers: what each path of the API does with a request."""

import json
import logging
import math
import re
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from otppi.api.errors import AuthenticationFailed, Busy, NotPermitted, OtpPiError, Throttled, sentence
from otppi.api.ingress import Gateway, Origin, Sender
from otppi.web.postponed import Postponed
from otppi.web.request import Refused, Request
from otppi.web.response import Response
from otppi.web.router import Router
from otppi.wire.envelope import Answer, Envelope, ResponseCode
from otppi.wire.envelope import malformed as malformed_envelope
from otppi.wire.errors import EnvelopeError
from otppi_ingress_rest import settings as paths
from otppi_ingress_rest.credentials import authenticate
from otppi_ingress_rest.progress import Progress
from otppi_ingress_rest.replies import (
    busy,
    failed,
    forbidden,
    malformed,
    of_answer,
    reply,
    throttled,
    unauthorized,
    unsupported,
)

logger = logging.getLogger(__name__)

NAME = "ingress-rest"
_KEYS_FRESH = 300
"""Seconds for which a client may keep the public key without asking again."""
_NO_KEYS = "the keys for encrypted envelopes cannot be used; the log of the gateway says why"
_SECONDS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?")
_QUICK_OCTETS = 2_048
"""A command with one text is mostly shorter."""
_ENCRYPTED = b'"ciphertext"'
"""What the body of an encrypted command has, if it begins as JSON does; to open it takes more than a millisecond."""
_PLAIN_WAIT = re.compile(r"wait=([0-9]|[1-5][0-9])")


class Waits(Protocol):
    """Has a worker's thread wait for an event, but not for longer than the server lives (`HttpServer.wait`)."""

    def __call__(self, event: threading.Event, seconds: float, /) -> None:
        """Wait."""


class Api:
    """The routes and their handlers."""

    def __init__(
        self,
        gateway: Gateway,
        settings: Mapping[str, Any],
        wait: Waits,
        own_counters: Callable[[], Mapping[str, Mapping[str, float]]],
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self._wait_for = wait
        self._own_counters = own_counters
        self._command_paths = frozenset(paths.command_paths(settings))

    def router(self) -> Router:
        """Make the table of routes."""
        router = Router()
        router.add(paths.command_paths(self._settings), {"POST": self.command, "PUT": self.command})
        router.add_below(paths.MESSAGES, {"GET": self.message})
        router.add(paths.HEALTH, {"GET": self.health})
        router.add(paths.OPENAPI, {"GET": self.openapi})
        router.add(paths.DOCS, {"GET": self.docs})
        router.add(paths.KEYS, {"GET": self.keys})
        router.add(paths.KEYS_ROTATE, {"POST": self.rotate_keys})
        if self._settings["metrics_enable"]:
            router.add(paths.METRICS, {"GET": self.metrics})
        return router

    def command(self, request: Request) -> Response:
        """Take a command, and answer once its messages are final or the wait is over."""
        sender = self._sender(request)
        if isinstance(sender, Response):
            return sender
        if sender.metrics_only:
            return forbidden(f"{sender.name} may only read metrics (setting api_users.{sender.name}.metrics_only)")
        if request.field("content-encoding").strip().lower() not in ("", "identity"):
            return unsupported()
        progress = _progress(request)
        try:
            wait = self._wait(request.query)
            parsed = self._read(request, progress)
        except EnvelopeError as error:
            return of_answer(malformed_envelope(error))
        progress.taken = True
        ticket = self._gateway.submit(parsed, Origin(NAME, sender, request.address, direct=True))
        if wait > 0:
            final = threading.Event()
            ticket.when_final(lambda _answer: final.set())
            if not final.is_set():
                self._wait_for(final, wait)
        return of_answer(ticket.answer())

    def may_be_quick(self, request: Request) -> bool:
        """Return whether a request looks like a command that is answered at once, whoever sends it."""
        body = request.body
        return (
            request.query == "wait=0"
            and len(body) <= _QUICK_OCTETS
            and request.path in self._command_paths
            and body.startswith(b"{")
            and _ENCRYPTED not in body
        )

    def _read(self, request: Request, progress: Progress) -> Envelope:
        """Read the command.

        Raises:
            EnvelopeError: It is malformed.
            Postponed: It came as a quick one, and the gateway would not take it at once: that is for a worker.
        """
        envelope = progress.envelope or self._gateway.read(request.body, NAME)
        if progress.quick and not self._gateway.is_quick(envelope):
            progress.quick, progress.envelope = False, envelope
            raise Postponed(lambda again: again())
        return envelope

    def message(self, request: Request) -> Response:
        """Return what became of a message of the same sender."""
        sender = self._sender(request)
        if isinstance(sender, Response):
            return sender
        answer = self._gateway.message(request.path.removeprefix(f"{paths.MESSAGES}/"), sender)
        if answer is None:
            return malformed("message_id", "no such message of this user is known", 404)
        return of_answer(answer, polled=True)

    def health(self, request: Request) -> Response:
        """Return whether messages can be sent: one word to everybody, details to API users."""
        detailed = bool(request.field("authorization"))
        if detailed:
            sender = self._sender(request)
            if isinstance(sender, Response):
                return sender
        health = dict(self._gateway.health())
        status = 503 if health.get("status") == "down" else 200
        if not detailed:
            health = {key: health[key] for key in ("status", "version") if key in health}
        return reply(status, json.dumps(health).encode())

    def keys(self, _request: Request) -> Response:
        """Return the public key that envelopes may be encrypted to, to anybody: it is no secret."""
        try:
            body = json.dumps(self._gateway.keys()).encode()
        except (OtpPiError, OSError) as error:
            logger.error("the public key cannot be given: %s", sentence(error))  # noqa: TRY400 - the reason says it all
            return failed(_NO_KEYS)
        fresh = (("Cache-Control", f"public, max-age={_KEYS_FRESH}"),)
        return reply(200, body, fresh, "application/jwk-set+json")

    def rotate_keys(self, request: Request) -> Response:
        """Make a new key, for a user who may."""
        sender = self._sender(request)
        if isinstance(sender, Response):
            return sender
        try:
            keys = self._gateway.rotate_keys(sender)
        except NotPermitted as error:
            return forbidden(str(error))
        except (OtpPiError, OSError) as error:
            logger.error("the key cannot be replaced: %s", sentence(error))  # noqa: TRY400 - the reason says it all
            return failed(_NO_KEYS)
        return of_answer(Answer("rotate-keys", ResponseCode.SUCCESS, data=keys))

    def openapi(self, _request: Request) -> Response:
        """Return the OpenAPI document."""
        return reply(200, json.dumps(self._document(), ensure_ascii=False).encode())

    def docs(self, _request: Request) -> Response:
        """Return the same as a page for people."""
        from otppi_ingress_rest import page  # seldom asked for, so not kept in memory from the start

        policy = f"default-src 'none'; style-src '{page.STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
        body = page.render(self._document()).encode()
        return reply(200, body, (("Content-Security-Policy", policy),), "text/html; charset=utf-8")

    def metrics(self, request: Request) -> Response:
        """Return the counters of the gateway and of this ingress to Prometheus."""
        from otppi_ingress_rest import metrics

        sender = self._sender(request)
        if isinstance(sender, Response):
            return sender
        text = metrics.render({**self._gateway.counters(), **self._own_counters()})
        return reply(200, text.encode(), content_type=metrics.CONTENT_TYPE)

    def _document(self) -> dict[str, Any]:
        from importlib.metadata import version

        from otppi_ingress_rest import openapi

        return openapi.document(self._settings, version("otppi-ingress-rest"))

    def _sender(self, request: Request) -> Sender | Response:
        """Return who sends the request, or what to reply to somebody unknown.

        Raises:
            Postponed: A password is being checked first, and no thread waits for that; or it is known only now, and
                the request leaves the places of strangers before it waits for modems.
        """
        progress = _progress(request)
        try:
            if isinstance(progress.login, Sender):
                return progress.login
            if progress.login is not None and progress.login.done():
                return progress.login.result()
            progress.login = login = authenticate(self._gateway, request.field("authorization"), request.address)
        except AuthenticationFailed:
            return unauthorized()
        except Throttled as error:
            return throttled(error.retry_after)
        except Busy as error:
            return busy(error.retry_after)
        if isinstance(login, Sender):
            raise Postponed(lambda again: again())
        raise Postponed(lambda again: login.add_done_callback(lambda _done: again()))

    def _wait(self, query: str) -> float:
        """Read `?wait=SECONDS`; the setting where it is not given."""
        if not query:
            return float(self._settings["wait_seconds"])
        if plain := _PLAIN_WAIT.fullmatch(query):  # most requests: forty times quicker
            return float(plain[1])
        given = urllib.parse.parse_qs(query, keep_blank_values=True).get("wait")
        if given is None:
            return float(self._settings["wait_seconds"])
        seconds = float(given[0]) if len(given) == 1 and _SECONDS.fullmatch(given[0]) else math.inf
        if seconds > paths.WAIT_LIMIT:
            raise Refused(400, "wait", f"must be a number of seconds from 0 to {paths.WAIT_LIMIT}")
        return seconds


def _progress(request: Request) -> Progress:
    if not isinstance(request.state, Progress):
        request.state = Progress()
    return request.state
