"""The entry point: registers the ingress with the host."""

from collections.abc import Sequence

from otppi.api import hookimpl
from otppi.api.ingress import Ingress, IngressContext, IngressType
from otppi_ingress_rabbitmq.settings import SECTION, enabled


@hookimpl
def otppi_ingress_types() -> Sequence[IngressType]:
    """Register `ingress-rabbitmq`."""
    return [IngressType(section=SECTION, create=_create, enabled=enabled)]


def _create(context: IngressContext) -> Ingress:
    """Import the client only where it is enabled: pika costs megabytes."""
    from otppi_ingress_rabbitmq.ingress import RabbitMqIngress

    return RabbitMqIngress(context)
