"""Bare servers to compare the REST API with: cheroot, or CherryPy on it, saying hello to every POST.

Run as a program: `python -m tests.benchmark.bare_server cheroot|cherrypy PORT`.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import cheroot.wsgi
import cherrypy
from tests.benchmark.client import HOST

_HELLO = b'{"hello":"world"}'
_THREADS = 10


def _application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(_HELLO)))])
    return [_HELLO]


class _Root:
    @cherrypy.expose  # type: ignore[untyped-decorator]
    def default(self, *_: str, **__: str) -> bytes:
        cherrypy.request.body.fp.read()
        return _HELLO


def _serve_cherrypy(port: int) -> None:
    site = {"server.socket_host": HOST, "server.socket_port": port, "server.thread_pool": _THREADS}
    quiet = {"environment": "production", "log.screen": False, "engine.autoreload.on": False}
    cherrypy.config.update({**quiet, **site})
    cherrypy.quickstart(_Root(), "/", {"/": {"request.process_request_body": False}})


def main(kind: str, port: int) -> None:
    """Serve until SIGTERM."""
    if kind == "cherrypy":
        _serve_cherrypy(port)
    else:
        cheroot.wsgi.Server((HOST, port), _application, numthreads=_THREADS).start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
