"""Which handler answers a request: by path and method."""

from collections.abc import Callable, Iterable, Mapping

from otppi.web.request import Refused, Request
from otppi.web.response import Response

Handler = Callable[[Request], Response]
"""Answers a request; may raise `Refused` and `Postponed`."""


class Router:
    """The table of routes. A handler of GET answers HEAD too; one slash at the end of a path is overlooked."""

    def __init__(self) -> None:
        self._exact: dict[str, Mapping[str, Handler]] = {}
        self._below: dict[str, Mapping[str, Handler]] = {}

    def add(self, paths: str | Iterable[str], handlers: Mapping[str, Handler]) -> None:
        """Have paths answered by these handlers: method → handler."""
        for path in (paths,) if isinstance(paths, str) else paths:
            self._exact[path] = handlers

    def add_below(self, prefix: str, handlers: Mapping[str, Handler]) -> None:
        """Have the paths that are `prefix` and one more segment answered by these handlers."""
        self._below[prefix] = handlers

    def find(self, request: Request) -> Handler:
        """Find the handler of a request.

        Raises:
            Refused: There is nothing at its path (404), or another method is wanted (405).
        """
        path, method = request.path, request.method
        handlers = self._exact.get(path) or self._exact.get(path.removesuffix("/"))
        if handlers is None:
            prefix, _, last = path.rpartition("/")
            handlers = self._below.get(prefix) if last else None
        if handlers is None:
            raise Refused(404, "path", "there is nothing here")
        handler = handlers.get("GET" if method == "HEAD" else method)
        if handler is None:
            allowed = sorted({*handlers, "HEAD"} if "GET" in handlers else handlers)
            raise Refused(405, "method", f"must be {' or '.join(allowed)}", (("Allow", ", ".join(allowed)),))
        return handler
