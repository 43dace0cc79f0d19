"""The entry point: registers the REST ingress with the host."""

from collections.abc import Sequence

from otppi.api import hookimpl
from otppi.api.ingress import Ingress, IngressContext, IngressType
from otppi_ingress_rest.settings import SECTION, enabled


@hookimpl
def otppi_ingress_types() -> Sequence[IngressType]:
    """Register `ingress-rest`."""
    return [IngressType(section=SECTION, create=_create, enabled=enabled)]


def _create(context: IngressContext) -> Ingress:
    """Import the server only where it is enabled."""
    from otppi_ingress_rest.ingress import RestIngress

    return RestIngress(context)
