"""The handlers: what each path of the API does with a request."""

import json
import logging
import math
import re
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib.metadata import version
from typing import Any

from otppi.api.errors import AuthenticationFailed, Busy, NotPermitted, OtpPiError, Throttled, sentence
from otppi.api.ingress import Gateway, Origin, Sender, Ticket
from otppi.wire.envelope import Answer, ResponseCode
from otppi.wire.envelope import malformed as malformed_envelope
from otppi.wire.errors import EnvelopeError
from otppi_ingress_rest import settings as paths
from otppi_ingress_rest.application import ApiRequest, Route
from otppi_ingress_rest.credentials import authenticate, recognise
from otppi_ingress_rest.framing import BufferedRequest
from otppi_ingress_rest.postponed import Postponed
from otppi_ingress_rest.replies import (
    Refused,
    Reply,
    busy,
    failed,
    forbidden,
    malformed,
    of_answer,
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


class Waiting:
    """The requests that wait for their messages' final state; `end` makes all of them answer as things stand."""

    def __init__(self, occupied: Callable[[], AbstractContextManager[None]]) -> None:
        self._occupied = occupied
        self._lock = threading.Lock()
        self._waiting: set[threading.Event] = set()
        self._ended = False

    def settle(self, ticket: Ticket, seconds: float) -> Answer:
        """Give the ticket's answer once it is final, or as it stands after `seconds`."""
        if seconds > 0:
            final = threading.Event()
            ticket.when_final(lambda _answer: final.set())
            if not final.is_set():
                self._wait(final, seconds)
        return ticket.answer()

    def end(self) -> None:
        """Let nobody wait any longer."""
        with self._lock:
            self._ended = True
            for final in self._waiting:
                final.set()

    def _wait(self, final: threading.Event, seconds: float) -> None:
        with self._lock:
            if self._ended:
                return
            self._waiting.add(final)
        try:
            with self._occupied():
                final.wait(seconds)
        finally:
            with self._lock:
                self._waiting.discard(final)


class Api:
    """The routes and their handlers."""

    def __init__(
        self,
        gateway: Gateway,
        settings: Mapping[str, Any],
        waiting: Waiting,
        own_counters: Callable[[], Mapping[str, Mapping[str, float]]],
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self._waiting = waiting
        self._own_counters = own_counters
        command: Route = {"POST": self.command, "PUT": self.command}
        self._routes: dict[str, Route] = dict.fromkeys(paths.command_paths(settings), command)
        self._routes[paths.HEALTH] = {"GET": self.health}
        self._routes[paths.OPENAPI] = {"GET": self.openapi}
        self._routes[paths.DOCS] = {"GET": self.docs}
        self._routes[paths.KEYS] = {"GET": self.keys}
        self._routes[paths.KEYS_ROTATE] = {"POST": self.rotate_keys}
        if settings["metrics_enable"]:
            self._routes[paths.METRICS] = {"GET": self.metrics}
        self._message: Route = {"GET": self.message}

    def route(self, path: str) -> Route | None:
        """Find the route of a path; one slash at its end is overlooked."""
        route = self._routes.get(path) or self._routes.get(path.removesuffix("/"))
        if route is None and path.startswith(f"{paths.MESSAGES}/") and path.count("/") == 3:
            return self._message
        return route

    def knows(self, request: BufferedRequest) -> bool:
        """Say whether the sender of a request is known without a check; the handler need not ask again."""
        authorization = request.inheaders.get(b"Authorization", b"").decode("latin-1")
        request.login = recognise(self._gateway, authorization) if authorization else None
        return request.login is not None

    def command(self, request: ApiRequest) -> Reply:
        """Take a command, and answer once its messages are final or the wait is over."""
        sender = self._sender(request)
        if isinstance(sender, Reply):
            return sender
        if request.field("Content-Encoding").strip().lower() not in ("", "identity"):
            return unsupported()
        try:
            wait = self._wait(request.query_string)
            parsed = self._gateway.read(request.rfile.read(), NAME)
        except Refused as refused:
            return refused.reply
        except EnvelopeError as error:
            return of_answer(malformed_envelope(error))
        request.taken = True
        ticket = self._gateway.submit(parsed, Origin(NAME, sender, request.address, direct=True))
        return of_answer(self._waiting.settle(ticket, wait))

    def message(self, request: ApiRequest) -> Reply:
        """Say what became of a message of the same sender."""
        sender = self._sender(request)
        if isinstance(sender, Reply):
            return sender
        answer = self._gateway.message(request.path_info.removeprefix(f"{paths.MESSAGES}/"), sender)
        if answer is None:
            return malformed("message_id", "no such message of this user is known", 404)
        return of_answer(answer, polled=True)

    def health(self, request: ApiRequest) -> Reply:
        """Say whether messages can be sent: one word to everybody, details to API users."""
        detailed = bool(request.field("Authorization"))
        if detailed:
            sender = self._sender(request)
            if isinstance(sender, Reply):
                return sender
        health = dict(self._gateway.health())
        status = 503 if health.get("status") == "down" else 200
        if not detailed:
            health = {key: health[key] for key in ("status", "version") if key in health}
        return Reply(status, json.dumps(health).encode())

    def keys(self, _request: ApiRequest) -> Reply:
        """Give the public key that envelopes may be encrypted to, to anybody: it is no secret."""
        try:
            body = json.dumps(self._gateway.keys()).encode()
        except (OtpPiError, OSError) as error:
            logger.error("the public key cannot be given: %s", sentence(error))  # noqa: TRY400 - the reason says it all
            return failed(_NO_KEYS)
        fresh = (("Cache-Control", f"public, max-age={_KEYS_FRESH}"),)
        return Reply(200, body, fresh, "application/jwk-set+json")

    def rotate_keys(self, request: ApiRequest) -> Reply:
        """Make a new key, for a user who may."""
        sender = self._sender(request)
        if isinstance(sender, Reply):
            return sender
        try:
            keys = self._gateway.rotate_keys(sender)
        except NotPermitted as error:
            return forbidden(str(error))
        except (OtpPiError, OSError) as error:
            logger.error("the key cannot be replaced: %s", sentence(error))  # noqa: TRY400 - the reason says it all
            return failed(_NO_KEYS)
        return of_answer(Answer("rotate-keys", ResponseCode.SUCCESS, data=keys))

    def openapi(self, _request: ApiRequest) -> Reply:
        """Give the OpenAPI document."""
        return Reply(200, json.dumps(self._document(), ensure_ascii=False).encode())

    def docs(self, _request: ApiRequest) -> Reply:
        """Give the same as a page for people."""
        from otppi_ingress_rest import page  # seldom asked for, so not kept in memory from the start

        policy = f"default-src 'none'; style-src '{page.STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
        body = page.render(self._document()).encode()
        return Reply(200, body, (("Content-Security-Policy", policy),), "text/html; charset=utf-8")

    def metrics(self, request: ApiRequest) -> Reply:
        """Give the counters of the gateway and of this ingress to Prometheus."""
        from otppi_ingress_rest import metrics

        sender = self._sender(request)
        if isinstance(sender, Reply):
            return sender
        text = metrics.render({**self._gateway.counters(), **self._own_counters()})
        return Reply(200, text.encode(), content_type=metrics.CONTENT_TYPE)

    def _document(self) -> dict[str, Any]:
        from otppi_ingress_rest import openapi

        return openapi.document(self._settings, version("otppi-ingress-rest"))

    def _sender(self, request: ApiRequest) -> Sender | Reply:
        """Say who sends the request, or what to reply to somebody unknown.

        Raises:
            Postponed: A password is being checked first, and no thread waits for that; or it is known only now, and
                the request leaves the places of strangers before it waits for modems.
        """
        source = request.source
        try:
            if isinstance(source.login, Sender):
                return source.login
            if source.login is not None and source.login.done():
                return source.login.result()
            source.login = login = authenticate(self._gateway, request.field("Authorization"), request.address)
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
        given = urllib.parse.parse_qs(query, keep_blank_values=True).get("wait")
        if given is None:
            return float(self._settings["wait_seconds"])
        seconds = float(given[0]) if len(given) == 1 and _SECONDS.fullmatch(given[0]) else math.inf
        if seconds > paths.WAIT_LIMIT:
            raise Refused(malformed("wait", f"must be a number of seconds from 0 to {paths.WAIT_LIMIT}"))
        return seconds
