"""The operation that reads the audit trail."""

from typing import Any

from otppi.api.operations import Offline, Operation
from otppi.api.settings import integer
from otppi.host.audit.trail import AuditTrail
from otppi.host.runtime.registry import HostCall
from otppi.text import _


def _audit(call: HostCall, limit: int) -> list[dict[str, Any]]:
    return call.part(AuditTrail).newest(limit)


OPERATIONS = (
    Operation(
        name="audit",
        title=_("Audit trail"),
        help=_(
            "Tell who asked for what, newest first: when, from where, which fields were given or changed, and what "
            "became of it. No values are kept, and nothing of what only reads."
        ),
        handler=_audit,
        parameters=(
            integer("limit", _("Limit"), _("so many entries at most, 1 to 1000"), 50, minimum=1, maximum=1000),
        ),
        reads_only=True,
        command="audit",
        examples=("", "--limit 1000 --json"),
        offline=Offline.YES,
    ),
)
