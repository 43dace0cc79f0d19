"""The errors of the floor: one root, and nothing in them that must not be logged."""

import pytest

from otppi.wire import errors
from otppi.wire.errors import EnvelopeError, FieldError, WireError


@pytest.mark.parametrize("name", ["AddressError", "AlphabetError", "AtError", "EnvelopeError", "TpduError"])
def test_all_errors_are_wire_errors(name: str) -> None:
    assert issubclass(getattr(errors, name), WireError)
    assert issubclass(WireError, ValueError)


def test_an_envelope_error_tells_all_faults_in_order() -> None:
    faults = (FieldError("data.receiver", "is missing"), FieldError("data.message", "must be text"))
    error = EnvelopeError(iter(faults))
    assert error.errors == faults
    assert str(error) == "data.receiver: is missing; data.message: must be text"
