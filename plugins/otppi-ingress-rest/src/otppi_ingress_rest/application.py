"""The application that the server serves: routes a request to its handler, and says refusals as envelopes."""

import logging
from collections.abc import Mapping
from typing import Any

from otppi.api.ingress import Gateway
from otppi.web.faults import log_fault
from otppi.web.postponed import Postponed
from otppi.web.request import Refusal, Refused, Request
from otppi.web.response import Response
from otppi.web.router import Router
from otppi_ingress_rest import browsers
from otppi_ingress_rest.credentials import recognise
from otppi_ingress_rest.progress import Progress
from otppi_ingress_rest.replies import internal_error, of_refusal

logger = logging.getLogger(__name__)


class RestApplication:
    """The REST API on `otppi.web`."""

    def __init__(self, gateway: Gateway, settings: Mapping[str, Any], router: Router) -> None:
        self._gateway = gateway
        self._limit = int(settings["max_body_bytes"])
        self._router = router

    def body_limit(self, _request: Request) -> int:
        """Return the limit, which is the same for all paths."""
        return self._limit

    def recognises(self, request: Request) -> bool:
        """Return whether the sender of a request is known without a check; the handler need not ask again."""
        authorization = request.field("authorization")
        login = recognise(self._gateway, authorization) if authorization else None
        request.state = Progress(login)
        return login is not None

    def respond(self, request: Request) -> Response:
        """Answer a request."""
        try:
            browsers.check(request)
            return self._router.find(request)(request)
        except (Postponed, Refused):
            raise
        except Exception:  # noqa: BLE001 - of any kind: logged without its words, which may quote a message
            log_fault(logger, "A request failed")
            return internal_error(taken=isinstance(request.state, Progress) and request.state.taken)

    def refuse(self, refusal: Refusal) -> Response:
        """Say a refusal as an envelope."""
        return of_refusal(refusal)
