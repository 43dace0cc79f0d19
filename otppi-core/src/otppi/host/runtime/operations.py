"""The operation on the plugins; the other operations of a gateway are those of its rooms above."""

from dataclasses import asdict
from typing import Any

from otppi.api.operations import Offline, Operation, Role
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.registry import HostCall
from otppi.text import _


def _plugins(call: HostCall) -> list[dict[str, Any]]:
    """List the plugins that were found, with what each offers or why it is left out."""
    return [asdict(one) | {"offers": list(one.offers)} for one in call.part(Plugins).status]


OPERATIONS = (
    Operation(
        name="plugins",
        title=_("Plugins"),
        help=_("List the plugins that were found, with what each offers or why it is left out."),
        handler=_plugins,
        role=Role.VIEWER,
        reads_only=True,
        command="plugins",
        examples=("", "--json | jq '.[] | select(.error)'"),
        offline=Offline.ANYWHERE,
    ),
)
