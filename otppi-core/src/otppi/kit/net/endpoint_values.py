"""The settings of a server that connections are made to, as they are read; apart from what makes connections."""

from otppi.kit.net.tls import TlsValues


class EndpointValues(TlsValues):
    """The settings of a server that connections are made to."""

    host: str
    port: int
    timeout: float
