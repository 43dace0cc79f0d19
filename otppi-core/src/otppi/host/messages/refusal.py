"""Why a message, a code or a USSD string is not taken in: what all that decide it raise."""

from otppi.api.errors import OtpPiError
from otppi.wire.envelope import ResponseCode


class NotAccepted(OtpPiError):  # noqa: N818
    """A message that is not taken in; `retry_after` in seconds where trying again may help."""

    def __init__(self, code: ResponseCode, cause: str, *, retry_after: int | None = None) -> None:
        super().__init__(cause)
        self.code = code
        self.cause = cause
        self.retry_after = retry_after
