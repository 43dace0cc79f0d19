"""The entry point: registers the MQTT ingress with the host."""

from collections.abc import Sequence

from otppi.api import hookimpl
from otppi.api.ingress import Ingress, IngressContext, IngressType
from otppi_ingress_mqtt.settings import SECTION, enabled


@hookimpl
def otppi_ingress_types() -> Sequence[IngressType]:
    """Register `ingress-mqtt`."""
    return [IngressType(section=SECTION, create=_create, enabled=enabled)]


def _create(context: IngressContext) -> Ingress:
    """Import the client only where it is enabled: paho costs memory."""
    from otppi_ingress_mqtt.ingress import MqttIngress

    return MqttIngress(context)
