"""The server's end of a TLS connection, which says what it waits for as any socket does.

Loaded by the first connection that speaks TLS: the library takes more than a megabyte.
"""

import ssl
from typing import TYPE_CHECKING

from otppi.web.waits import WantsRead, WantsWrite

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_WANTS = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class TlsSocket(ssl.SSLSocket):
    """A socket that does not block.

    Raises:
        WantsRead, WantsWrite: by `do_handshake`, `recv` and `send`, where it is not ready for that.
    """

    def do_handshake(self, block: bool = False) -> None:
        """Go on with the handshake."""
        try:
            super().do_handshake(block)
        except _WANTS as wants:
            raise _said(wants) from None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read what has been decrypted."""
        try:
            return super().recv(buflen, flags)
        except _WANTS as wants:
            raise _said(wants) from None

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Encrypt and write, as far as there is room."""
        try:
            return super().send(data, flags)
        except _WANTS as wants:
            raise _said(wants) from None


def _said(wants: ssl.SSLError) -> BlockingIOError:
    return WantsRead() if isinstance(wants, ssl.SSLWantReadError) else WantsWrite()
