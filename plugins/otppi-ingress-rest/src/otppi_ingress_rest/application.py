"""The application that the server serves: routes a request to its handler, and says refusals as envelopes."""

import logging
from collections import Counter
from collections.abc import Mapping
from threading import Lock

from otppi.api.ingress import Gateway
from otppi.web.faults import log_fault
from otppi.web.postponed import Postponed
from otppi.web.request import Refusal, Refused, Request
from otppi.web.response import Response
from otppi_ingress_rest import browsers
from otppi_ingress_rest.credentials import recognise
from otppi_ingress_rest.handlers import Api
from otppi_ingress_rest.progress import Progress
from otppi_ingress_rest.replies import internal_error, of_refusal

logger = logging.getLogger(__name__)


class RestApplication:
    """The REST API on `otppi.web`; `limit` is how many octets a body may have."""

    def __init__(self, gateway: Gateway, api: Api, limit: int) -> None:
        self._gateway = gateway
        self._limit = limit
        self._router = api.router()
        self._may_be_quick = api.may_be_quick
        self._lock = Lock()
        self._answered = Counter[int]()

    def body_limit(self, _request: Request) -> int:
        """Return the limit, which is the same for all paths."""
        return self._limit

    def is_quick(self, request: Request) -> bool:
        """Return whether a request is a short command of a known sender who does not wait for its end."""
        if not self._may_be_quick(request):
            return False
        progress = self._look(request)
        progress.quick = progress.login is not None
        return progress.quick

    def recognises(self, request: Request) -> bool:
        """Return whether the sender of a request is known without a check; the handler need not ask again."""
        return self._look(request).login is not None

    def _look(self, request: Request) -> Progress:
        """Look once whether the sender of a request is known."""
        if isinstance(request.state, Progress):
            return request.state
        authorization = request.field("authorization")
        progress = Progress(recognise(self._gateway, authorization) if authorization else None)
        request.state = progress
        return progress

    def respond(self, request: Request) -> Response:
        """Answer a request."""
        try:
            browsers.check(request)
            return self._counted(self._router.find(request)(request))
        except (Postponed, Refused):
            raise
        except Exception:  # noqa: BLE001 - of any kind: logged without its words, which may quote a message
            log_fault(logger, "A request failed")
            return self._counted(internal_error(taken=isinstance(request.state, Progress) and request.state.taken))

    def refuse(self, refusal: Refusal, _path: str) -> Response:
        """Say a refusal as an envelope."""
        return self._counted(of_refusal(refusal))

    def _counted(self, response: Response) -> Response:
        with self._lock:
            self._answered[response.status] += 1
        return response

    def samples(self) -> Mapping[str, float]:
        """Count the answers by their status (any thread)."""
        with self._lock:
            return {f'code="{status}"': count for status, count in self._answered.items()}
