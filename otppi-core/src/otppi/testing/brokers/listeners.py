"""Servers that are none: one that shows a certificate and no more, and one that says nothing."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from otppi.testing.brokers.certificates import Pair


@contextmanager
def show_certificate(pair: Pair) -> Iterator[int]:
    """Show a certificate to whoever comes; return the port where."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    def serve(peer: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(peer, server_side=True):
            pass

    with _listening(serve) as port:
        yield port


@contextmanager
def hold_silent() -> Iterator[tuple[int, threading.Event]]:
    """Let everybody come, and say nothing to anybody; return the port, and what is set when somebody has come."""
    met, done = threading.Event(), threading.Event()

    def serve(_: socket.socket) -> None:
        met.set()
        done.wait()

    with _listening(serve, done.set) as port:
        yield port, met


@contextmanager
def _listening(serve: Callable[[socket.socket], None], end: Callable[[], None] = lambda: None) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def one(peer: socket.socket) -> None:
        with peer:
            peer.settimeout(60)
            serve(peer)

    def accept() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threads.append(threading.Thread(target=one, args=(peer,), name="test listener"))
                threads[-1].start()

    accepting = threading.Thread(target=accept, name="test listener")
    accepting.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        end()
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()
        listener.close()
        for thread in threads:
            thread.join()
