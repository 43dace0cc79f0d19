"""The settings of encrypted envelopes: where nothing else is taken, and how long a replaced key still works."""

from collections.abc import Iterable
from typing import TypedDict

from otppi.api.settings import Document, FieldError, Suggest, TypedSection, integer, text_list
from otppi.text import _

EVERYWHERE = "all"


def _unknown_ingresses(document: Document) -> Iterable[FieldError]:
    """Find ingresses that are to take encrypted envelopes only, and are none: a typing error would open them.

    Not when what is kept is read: a plugin that is missing must not undo the rest.
    """
    known = document.known(Suggest.INGRESSES)
    for one in document.object("encryption")["required_on"]:
        if one not in known and one != EVERYWHERE:
            yield FieldError(
                "encryption.required_on",
                _("{one} is not an ingress; there are {known}", one=one, known=", ".join(known)),
            )


class EncryptionValues(TypedDict):
    """The values of `ENCRYPTION`."""

    required_on: list[str]
    keep_days: int


ENCRYPTION = TypedSection(
    values=EncryptionValues,
    key="encryption",
    title=_("Encryption"),
    help=_(
        "Envelopes that senders encrypt to this gateway's key (JWE, RFC 7516), which a broker's "
        "administrator cannot read. They are always taken; `otppi keys` shows the key."
    ),
    reset_group="api",
    check_document=(_unknown_ingresses,),
    settings=(
        text_list(
            "required_on",
            _("Required On"),
            _("Ingresses where envelopes in plain text are refused with 1206, such as ingress-rabbitmq; all: on each."),
            pattern=r"[a-z][a-z0-9_-]*",
            pattern_says=_("the key of an ingress, such as ingress-rest"),
            closed=[EVERYWHERE],
            suggest=Suggest.INGRESSES,
        ),
        integer(
            "keep_days",
            _("Keep Replaced Keys"),
            _("How long a key that was replaced still opens envelopes, so that senders can move; 0: not at all."),
            30,
            minimum=0,
            maximum=3650,
            unit=_("days"),
        ),
    ),
)
