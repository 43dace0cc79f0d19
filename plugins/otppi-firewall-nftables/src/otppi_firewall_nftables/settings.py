"""The settings of the firewall: ports that the owner opens or closes by hand."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from otppi.api.services import ListeningPort
from otppi.api.settings import Document, Effect, FieldError, Section, integer, rows, text
from otppi_firewall_nftables.text import _

KEY: Final = "firewall"
PAGES: Final = ("administration", "port")
"""The section and the setting of the port that the administration's pages are served at."""
BOTH, LAN, ACCESS_POINT, NOBODY = "both", "lan", "access_point", "nobody"

OWN_PORTS: Final = frozenset({("tcp", 53), ("udp", 53), ("udp", 67), ("udp", 68), ("udp", 546), ("udp", 5353)})
"""Protocols and ports that the table sees to by itself: names and DHCP of the access point, the device's own address,
and its name in the LAN (RFC 1035 4.2, RFC 2131 4.1, RFC 8415 7.2, RFC 6762 3)."""
_LONGEST_NOTE: Final = 60


def _own_port(ports: list[Mapping[str, Any]]) -> str | None:
    """Return what is wrong with rows that name a port which the table sees to by itself."""
    taken = [f"{row['port']}/{row['protocol']}" for row in ports if (row["protocol"], row["port"]) in OWN_PORTS]
    if not taken:
        return None
    return _(
        "{ports} is always as OTP-Pi itself needs it: for the device's names and addresses", ports=", ".join(taken)
    )


def _note_problem(note: str) -> str | None:
    return _("must be at most {most} characters", most=_LONGEST_NOTE) if len(note) > _LONGEST_NOTE else None


def closing_row(ports: Iterable[Mapping[str, Any]], page: int | None) -> int | None:
    """Return which row, by its index, would close the port of the administration's pages; None where none does.

    Args:
        ports: The rows.
        page: The pages' TCP port; None where they are not served.
    """
    for index, row in enumerate(ports):
        if row["protocol"] == "tcp" and row["port"] == page and row["open_to"] != BOTH:
            return index
    return None


def page_stays_open() -> str:
    """Return the sentence for who would close the pages' port."""
    return _("these pages are served at this port: it stays open to both")


def _check_document(document: Document) -> Iterable[FieldError]:
    """Refuse what would close the port of the administration's pages, whichever of the two is changed."""
    section, setting = PAGES
    pages, own = document.object(section), document.object(KEY)
    if not pages or not own or not pages["enable"]:
        return
    if ListeningPort(section, setting, pages[setting], pages["bind_address"]).is_local:
        return
    if (index := closing_row(own["ports"], pages[setting])) is not None:
        yield FieldError(f"{KEY}.ports[{index}].open_to", page_stays_open())


SECTION: Final = Section(
    key=KEY,
    title=_("Firewall"),
    help=_(
        "Which ports of the device can be reached by network. What OTP-Pi serves by its settings, such as the API, is "
        "opened by itself; from the mobile internet nothing is."
    ),
    reset_group="firewall",
    effect=Effect.MAY_CUT_OFF,
    own_operations=True,
    check_document=(_check_document,),
    settings=(
        rows(
            "ports",
            _("Ports"),
            _("Ports that are opened beside those of the services, or opened to fewer than they would be."),
            (
                integer("port", _("Port"), _("Number of the port."), 0, minimum=1, maximum=65_535, required=True),
                text(
                    "protocol",
                    _("Protocol"),
                    _("What is spoken at it."),
                    "tcp",
                    choices=("tcp", "udp"),
                    choice_titles={"tcp": "TCP", "udp": "UDP"},
                ),
                text(
                    "open_to",
                    _("Open To"),
                    _("From where the port can be reached; to nobody closes it, also where a service listens there."),
                    BOTH,
                    choices=(BOTH, LAN, ACCESS_POINT, NOBODY),
                    choice_titles={
                        BOTH: _("LAN and access point"),
                        LAN: _("LAN only"),
                        ACCESS_POINT: _("access point only"),
                        NOBODY: _("nobody"),
                    },
                ),
                text("note", _("Note"), _("What it is for."), check=_note_problem),
            ),
            unique=("port", "protocol"),
            check=_own_port,
        ),
    ),
)
