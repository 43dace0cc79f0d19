"""Owns e-mail addresses as people write them: the one to send to, and the key that tells one receiver from another.

It takes what a mailbox of a person or a service looks like: a dot-atom at a domain (RFC 5322 3.4.1). Lists, names,
comments, quoted local parts and address literals are refused: an address that two programs read differently is how a
code goes to a stranger.
"""

import re
from dataclasses import dataclass
from typing import Final

from otppi.text import _
from otppi.wire.errors import AddressError

LONGEST: Final = 254
"""Octets of the longest address: a path has 256 with its brackets (RFC 5321 4.5.3.1.3)."""
_LONGEST_LOCAL: Final = 64
"""RFC 5321 4.5.3.1.1."""
_LONGEST_DOMAIN: Final = 255
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\x00-\x7f]"
_LOCAL: Final = re.compile(rf"(?:{_ATOM})+(?:\.(?:{_ATOM})+)*")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_INVISIBLE: Final = re.compile(
    "[\\s\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff\ufff0-\uffff\ud800-\udfff]"
)
_AMBIGUOUS: Final = re.compile("[\u00df\u03c2\u200c\u200d\u1e9e]")
"""What IDNA of 2003 and of 2008 write as different domains (RFC 5894 7.2)."""


@dataclass(frozen=True, slots=True)
class MailAddress:
    """One address.

    Attributes:
        local: Its local part as it was written; what it means is the domain's own affair (RFC 5321 2.4).
        domain: Its domain in small letters, labels beyond ASCII as A-labels (RFC 5890 2.3.2.1).
    """

    local: str
    domain: str

    @property
    def address(self) -> str:
        """What mail is sent to."""
        return f"{self.local}@{self.domain}"

    @property
    def key(self) -> str:
        """The same for all spellings of one mailbox: no provider that is in use tells capital letters apart."""
        return f"{self.local.casefold()}@{self.domain}"


def read_mail_address(text: str) -> MailAddress:
    """Read an address that a person wrote; blanks around it are dropped.

    Raises:
        AddressError: It is no address, or more than one; the sentence does not quote it.
    """
    written = text.strip(" \t\r\n\u00a0")
    local, at, domain = written.rpartition("@")
    if not at:
        raise AddressError(_("the e-mail address has no @"))
    if _INVISIBLE.search(written):
        raise AddressError(_("the e-mail address has a blank or an invisible character"))
    if "@" in local:
        raise AddressError(_("the e-mail address has more than one @"))
    if not local:
        raise AddressError(_("the e-mail address has nothing before the @"))
    if not _LOCAL.fullmatch(local):
        raise AddressError(_("the e-mail address has a sign or a dot before the @ that cannot be there"))
    if len(local.encode()) > _LONGEST_LOCAL:
        raise AddressError(_("the e-mail address has more than {most} octets before the @", most=_LONGEST_LOCAL))
    address = MailAddress(local, _domain(domain))
    if len(address.address.encode()) > LONGEST:
        raise AddressError(_("the e-mail address has more than {most} octets", most=LONGEST))
    return address


def mask_mail_address(address: str) -> str:
    """Hide the local part for logs and reports, but for its first character: ``o*****@example.com``."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}*****@{domain}"


def _domain(written: str) -> str:
    """Write a domain in its form for the wire."""
    if not written:
        raise AddressError(_("the e-mail address has no domain"))
    domain = written
    if not domain.isascii():
        if _AMBIGUOUS.search(domain):
            raise AddressError(_("the domain can be read in two ways: write it as it is registered, with xn--"))
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            raise AddressError(_("the domain has a character that no domain has")) from None
    domain = domain.lower()
    labels = domain.split(".")
    if len(labels) < 2:
        raise AddressError(_("the domain has no dot"))
    if len(domain) > _LONGEST_DOMAIN or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressError(_("the domain is none: it has empty, overlong or wrong parts"))
    if labels[-1].isdigit():
        raise AddressError(_("the domain is a number, and no name"))  # an address without brackets (RFC 5321 4.1.3)
    return domain
