"""The operation that reads the audit trail."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from otppi.api.operations import Offline, Operation
from otppi.api.settings import integer
from otppi.host.audit.trail import AuditTrail
from otppi.host.runtime.registry import HostCall
from otppi.text import Text, _

_NO_OPERATIONS: Final[Mapping[str, Text]] = MappingProxyType(
    {"login": _("Log in"), "logout": _("Log out"), "password_forgotten": _("Set a forgotten password anew")}
)
"""What the audit tells of that nobody asks the registry for."""


def _audit(call: HostCall, limit: int) -> list[dict[str, Any]]:
    return [entry | _titles(call, entry) for entry in call.part(AuditTrail).newest(limit)]


def _titles(call: HostCall, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Say what was asked for in the words of its declaration; a name that is declared no longer stays as it is."""
    name, fields = entry["operation"], entry["fields"]
    operation = call.declaration(name)
    if operation is None:
        return {"title": _NO_OPERATIONS.get(name, name), "field_titles": fields}
    titles = {one.key: one.title for one in operation.parameters}
    return {"title": operation.title, "field_titles": [titles.get(one, one) for one in fields]}


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
