"""The CherryPy application: routes a whole request to its handler and puts the reply into CherryPy's response.

The bus, the tree, the tools and the server of CherryPy are not used; `CherryPyGateway` is where cheroot's request meets
CherryPy's.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import cheroot.server
import cherrypy
from cherrypy import _cprequest
from cherrypy.lib import httputil

from otppi_ingress_rest import browsers
from otppi_ingress_rest.framing import BufferedRequest
from otppi_ingress_rest.postponed import Postponed
from otppi_ingress_rest.replies import SAFETY_HEADERS, SERVER_NAME, Reply, internal_error, malformed, status_line

logger = logging.getLogger(__name__)

Handler = Callable[["ApiRequest"], Reply]
Route = Mapping[str, Handler]
"""Method → handler, of one path."""


class ApiRequest(_cprequest.Request):  # type: ignore[misc]  # CherryPy has no types
    """CherryPy's request without what the API does not need: cookies, forms, parsed queries, HTML errors."""

    throws = (*_cprequest.Request.throws, Postponed)
    source: BufferedRequest
    taken = False
    """Whether the gateway has the command; a fault after that leaves open whether it is sent."""

    @property
    def address(self) -> str:
        """The client's IP address."""
        return str(self.remote.ip)

    def field(self, name: str) -> str:
        """Give a header field, empty where there is none. `name` is written `Like-This`."""
        return str(dict.get(self.headers, name, ""))

    def get_resource(self, path: str) -> None:
        """Find the handler of path and method."""
        route = self.app.routes(path)
        method = "GET" if self.method == "HEAD" else self.method
        self.handler = _nothing_here if route is None else route.get(method) or _wrong_method(route)
        if (refusal := browsers.refusal(method, self.field)) is not None:
            self.handler = lambda _request: refusal

    def _do_respond(self, path_info: str) -> None:
        """Answer; CherryPy's own would also read cookies, queries and forms, and run the hooks of its tools."""
        dict.update(self.headers, self.header_list)  # checked, and brought into one form, when they were read
        self.get_resource(path_info)
        cherrypy.serving.response.finish(self.handler(self))

    def handle_error(self) -> None:
        """Answer a fault of ours as JSON. The log shows where it is, but not the exception's text, which may quote."""
        kind, _, where = sys.exc_info()
        logger.error("A request failed: %s\n%s", kind, "".join(traceback.format_tb(where)))
        cherrypy.serving.response.finish(internal_error(taken=self.taken))


def _nothing_here(_request: ApiRequest) -> Reply:
    return malformed("path", "there is nothing here; see /api/docs", 404)


def _wrong_method(route: Route) -> Handler:
    allowed = sorted({*route, "HEAD"} if "GET" in route else route)
    reply = malformed("method", f"must be {' or '.join(allowed)}", 405, (("Allow", ", ".join(allowed)),))
    return lambda _request: reply


class ApiResponse(_cprequest.Response):  # type: ignore[misc]  # CherryPy has no types
    """CherryPy's response, filled from a `Reply`: its header fields are ours and need no translation."""

    def __init__(self) -> None:
        """Leave out what CherryPy's own makes for each response, and `finish` makes anew: fields, cookies, the date."""
        self.status = None
        self.header_list: list[tuple[bytes, bytes]] = []
        self.body = b""

    def finish(self, reply: Reply) -> None:
        """Write status and header fields as they go out."""
        fields = {**_FIELDS, "Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
        fields |= {"Date": _date(int(time.time())), **dict(reply.headers)}
        self.output_status = status_line(reply.status).encode("ascii")
        self.header_list = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields.items()]
        self.body = reply.body


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    """Write the Date field, which is the same for a second's many answers (RFC 9110 5.6.7)."""
    return formatdate(seconds, usegmt=True)


_FIELDS = {**dict(SAFETY_HEADERS), "Server": SERVER_NAME}


class Application(cherrypy.Application):  # type: ignore[misc]  # CherryPy has no types
    """The application; `routes` gives the route of a path, or None."""

    request_class = ApiRequest
    response_class = ApiResponse

    def __init__(self, routes: Callable[[str], Route | None]) -> None:
        super().__init__(None, "")
        self.routes = routes
        self.log = _Log()

    def get_serving(self, local: Any, remote: Any, scheme: str, protocol: str) -> tuple[ApiRequest, ApiResponse]:
        """Make request and response, and CherryPy's thread-locals refer to them; nothing is published on the bus."""
        request, response = ApiRequest(local, remote, scheme, protocol), ApiResponse()
        request.app = self
        cherrypy.serving.load(request, response)
        return request, response

    def release_serving(self) -> None:
        """Forget them."""
        cherrypy.serving.clear()


class _Log:
    """What CherryPy logs to: no access log, and errors to our logger."""

    def access(self) -> None:
        """Skip the access log: the report of the gateway tells what matters."""

    def error(self, msg: str = "", context: str = "", severity: int = logging.INFO, **_traceback: bool) -> None:
        """Log what CherryPy reports."""
        logger.log(severity, "%s %s", context, msg)

    __call__ = error


class CherryPyGateway(cheroot.server.Gateway):
    """Has the application answer one request of cheroot, without WSGI between them."""

    def __init__(self, request: Any, application: Application) -> None:
        self.req = request
        self._application = application

    def respond(self) -> None:
        """Answer the request."""
        source, application = self.req, self._application
        peer = source.conn
        request, response = application.get_serving(
            _LOCAL, httputil.Host(peer.remote_addr, peer.remote_port), source.scheme.decode("ascii"), "HTTP/1.1"
        )
        request.source = source
        try:
            request.run(
                source.method.decode("latin-1"),
                source.path.decode("utf-8", "replace"),
                source.qs.decode("latin-1"),
                source.request_protocol.decode("latin-1"),
                [(name.decode("latin-1"), value.decode("latin-1")) for name, value in source.inheaders.items()],
                source.rfile,
            )
            source.status = response.output_status
            source.outheaders.extend(response.header_list)
            source.ensure_headers_sent()
            for part in response.body:
                source.write(part)
        finally:
            application.release_serving()


_LOCAL = httputil.Host("", 0)
