"""Which subscriber a number means, however it is written: one key for one subscriber, or a reason why there is none.

The key is the international number of ITU-T E.164 as digits without ``+``. How numbers are dialled in each country
(trunk and international prefixes, lengths) is libphonenumber's data, read by the package ``phonenumbers``; it loads the
data of a country when a number of that country is first asked for.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypedDict

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata, PhoneNumber
from phonenumbers import PhoneNumberType as Kind
from phonenumbers.phonenumberutil import (
    NumberParseException,
    ValidationResult,
    country_code_for_region,
    is_possible_number_for_type_with_reason,
    national_significant_number,
    number_type,
    parse,
    region_code_for_country_code,
    region_code_for_number,
)

from otppi.text import _
from otppi.wire.errors import AddressError
from otppi.wire.msisdn import LONGEST, SHORTEST, Written, read_written

ANY: Final = "any"
_REMEMBERED: Final = 1024
"""Numbers whose key is remembered; each takes some 200 bytes."""
_TELEPHONES: Final = frozenset({Kind.MOBILE, Kind.FIXED_LINE, Kind.FIXED_LINE_OR_MOBILE})
_ITU_INTERNATIONAL: Final = "00"
"""What ITU-T E.164 recommends to dial before a country code; people write it where their operators have others, too."""
_SHOWN = 3
"""Digits of a number that show people how one is written."""
_COUNTRY: Final = re.compile(r"\+?[1-9][0-9]{0,2}|[A-Za-z]{2}")


class Numbers:
    """The numbers that one country's people write. Any thread.

    Args:
        country_code: The own country's, such as ``62``; it must be one (`country_code_problem`).
        countries: Others that may receive, by country code or two letters (ISO 3166-1); ``any`` for all.
    """

    def __init__(self, country_code: str, countries: Iterable[str] = ()) -> None:
        self._own = country_code
        self._region = region_code_for_country_code(int(country_code))
        plan = PhoneMetadata.metadata_for_region(self._region)
        if plan is None:
            raise ValueError(f"{country_code} is not a country code")
        self._trunk = plan.national_prefix or ""
        # In North America the trunk prefix is the country code, and numbers are written without it.
        self._bare = not self._trunk or self._trunk == country_code
        self._international = re.compile(plan.international_prefix or _ITU_INTERNATIONAL)
        self._example = ((plan.mobile and plan.mobile.example_number) or "")[:_SHOWN]
        mobile = plan.mobile.national_number_pattern if plan.mobile else None
        trunk = re.escape("" if self._bare else self._trunk)
        # Nearly all numbers are these; the library, which knows all others, takes forty times as long.
        self._usual = re.compile(f"(?:{country_code}|{trunk})({mobile})") if mobile and trunk else None
        self._any = ANY in countries
        self._codes = {one.lstrip("+") for one in countries if not one.isalpha()}
        self._regions = {one.upper() for one in countries if one.isalpha() and one != ANY}
        if country_code not in {str(country_code_for_region(region)) for region in self._regions}:
            self._codes.add(country_code)  # else some of the countries that share the own code are chosen
        self._key = lru_cache(maxsize=_REMEMBERED)(self._key_of)

    @property
    def beginnings(self) -> tuple[str, str]:
        """How the number of a mobile telephone begins at home, and with its country code: `0812`, `+62812`."""
        return f"{'' if self._bare else self._trunk}{self._example}", f"+{self._own}{self._example}"

    def receiver(self, text: str) -> str:
        """Return the key of a number that a message may be sent to.

        Raises:
            AddressError: As `key`, or it is of a country that setting `countries` does not name.
        """
        key = self.key(text)
        if not self._allowed(key):
            raise AddressError(
                _(
                    "the number is of a country that sms.countries does not allow; one of the own country "
                    "begins with +{own}{others}",
                    own=self._own,
                    others=_(" or {trunk}", trunk=self._trunk) if self._trunk else "",
                )
            )
        return key

    def key(self, text: str) -> str:
        """Return the key of the subscriber that a person wrote down.

        Raises:
            AddressError: It is no number, or one that may be read as several subscribers' or as nobody's.
        """
        return self._key(text)

    def prefix(self, text: str) -> str:
        """Return the first digits of keys: ``0871`` becomes ``62871``.

        Raises:
            AddressError: As in `key`, but for the least length.
        """
        written = read_written(text)
        digits = written.digits
        if not written.plus:
            if digits.startswith(_ITU_INTERNATIONAL):
                digits = digits[len(_ITU_INTERNATIONAL) :]
            elif self._trunk and not self._bare and digits.startswith(self._trunk):
                digits = self._own + digits[len(self._trunk) :]
        if self._trunk == "0" and digits.startswith(f"{self._own}0"):
            digits = self._own + digits[len(self._own) + 1 :]
        if not digits or digits[0] == "0":
            raise AddressError(_("the number has no country code: none begins with 0"))
        if len(digits) > LONGEST:
            raise _too_long(digits)
        return digits

    def again(self, kept: str) -> str:
        """Return the key of what an earlier version kept as one: a trunk zero behind the country code, or no code.

        What cannot be read stays as it is, and so does an e-mail address.
        """
        if "@" in kept:
            return kept
        reading = _international(kept)
        if reading is not None and self._allowed(key := _key(reading)):
            return key
        own = self._national(kept, trunk=False)
        return _key(own) if own is not None and number_type(own) is Kind.MOBILE else kept

    # -- reading ----------------------------------------------------------------------------------------------------

    def _key_of(self, text: str) -> str:
        written = read_written(text)
        digits = written.digits
        if self._usual and (not written.plus or digits.startswith(self._own)):
            usual = self._usual.fullmatch(digits)
            if usual:
                return f"{self._own}{usual[1]}"
        readings = {_key(one): one for one in self._readings(written) if one is not None}
        # Numbering plans grow, and data grows old: a length is enough where it is clear which country is meant.
        keys = {key for key, one in readings.items() if number_type(one) in _TELEPHONES} or {
            key for key in readings if written.plus or key.startswith(self._own)
        }
        if len(keys) > 1:
            raise AddressError(_("the number may be read as those of several countries: write + and the country code"))
        if not keys:
            raise self._reason(written)
        return keys.pop()

    def _readings(self, written: Written) -> "list[PhoneNumber | None]":
        """Read the digits in each way in which somebody may have meant them."""
        digits = written.digits
        if written.plus:
            return [_international(digits)]
        readings = [
            _international(digits[len(prefix) :])
            for prefix in self._prefixes(digits)
            if len(digits) > len(prefix) and digits[len(prefix)] != "0"
        ]
        readings.append(self._national(digits, trunk=True))
        # Without any prefix digits are the own country's, or such as begin with a country code; a number that lost its
        # leading zero in a spreadsheet is neither, though it looks like one of another country.
        if digits.startswith(self._own) or (digits[0] != "0" and not self._lost_its_zero(digits)):
            readings.append(_international(digits))
        return readings

    def _prefixes(self, digits: str) -> set[str]:
        """Return the international prefixes that the digits may begin with: ITU-T's, and those of the own operators."""
        found = self._international.match(digits)
        return {prefix for prefix in (_ITU_INTERNATIONAL, found and found[0]) if prefix and digits.startswith(prefix)}

    def _national(self, digits: str, *, trunk: bool) -> PhoneNumber | None:
        """Read digits as they are dialled in the own country; with `trunk` its trunk prefix has to be there."""
        if trunk and not self._bare and not digits.startswith(self._trunk):
            return None
        reading = _read(digits, self._region)
        return reading if reading is not None and str(reading.country_code) == self._own else None

    def _lost_its_zero(self, digits: str) -> bool:
        own = None if self._bare else self._national(digits, trunk=False)
        return own is not None and number_type(own) in _TELEPHONES

    def _allowed(self, key: str) -> bool:
        if self._any or any(key.startswith(code) for code in self._codes):
            return True
        return bool(self._regions) and region_code_for_number(parse(f"+{key}")) in self._regions

    def _reason(self, written: Written) -> AddressError:
        digits = written.digits
        if digits.startswith("000") or not digits.strip("0"):
            return AddressError(_("the number has no country code: none begins with 0"))
        if not written.plus and self._lost_its_zero(digits):
            return AddressError(
                _(
                    "the number has no leading {trunk}, which may be lost, and no + before a country code",
                    trunk=self._trunk,
                )
            )
        if digits.startswith(_ITU_INTERNATIONAL):
            return AddressError(_("there are no such numbers: write + and the country code instead of what is dialled"))
        digits = digits if written.plus else self._own + digits.removeprefix(self._trunk).removeprefix(self._own)
        if len(digits) < SHORTEST:
            return AddressError(
                _.plural(
                    "the number is too short: {count} digit with its country code, at least {shortest}",
                    "the number is too short: {count} digits with its country code, at least {shortest}",
                    count=len(digits),
                    shortest=SHORTEST,
                )
            )
        if len(digits) > LONGEST:
            return _too_long(digits)
        return AddressError(_("there are no such numbers: its country code or its length is wrong"))


def load_all() -> None:
    """Load the data of all countries: for a process that may not be able to read the library's files later."""
    PhoneMetadata.load_all()


class NumberingValues(TypedDict):
    """What numbers mean by: settings of section `sms`."""

    country_code: str
    countries: list[str]


def numbers_of(sms: NumberingValues) -> Numbers:
    """Make what the settings of section `sms` say."""
    return Numbers(sms["country_code"], sms["countries"])


def country_code_problem(code: str) -> str | None:
    """Return what is wrong with a country code, or None."""
    if re.fullmatch("[1-9][0-9]{0,2}", code) and COUNTRY_CODE_TO_REGION_CODE.get(int(code), ("001",)) != ("001",):
        return None
    return _("is not a country code, such as 62")


def tidy_country_code(code: str) -> str:
    """Return a country code without the + and the blanks that a person may type before it."""
    return code.strip().removeprefix("+")


def countries_problem(countries: Iterable[str]) -> str | None:
    """Return what is wrong with a list of countries, or None."""
    for one in countries:
        if one == ANY:
            continue
        known = one.upper() in SUPPORTED_REGIONS if one.isalpha() else not country_code_problem(one.lstrip("+"))
        if not (known and _COUNTRY.fullmatch(one)):
            return _("{one!r} is not a country: give its code (65), two letters (SG), or any", one=one)
    return None


def _international(digits: str) -> PhoneNumber | None:
    return _read(f"+{digits}", None)


def _read(text: str, region: str | None) -> PhoneNumber | None:
    """Let the library read a number; None where no telephone can have it."""
    try:
        number = parse(text, region)
    except NumberParseException:
        return None
    key = _key(number)
    possible = is_possible_number_for_type_with_reason(number, Kind.FIXED_LINE_OR_MOBILE)
    if possible != ValidationResult.IS_POSSIBLE or not SHORTEST <= len(key) <= LONGEST:
        return None
    # Where national numbers may begin with 0 (Italy), only some do; elsewhere it is a prefix that is not known.
    if national_significant_number(number).startswith("0") and number_type(number) not in _TELEPHONES:
        return None
    return number


def _key(number: PhoneNumber) -> str:
    return f"{number.country_code}{national_significant_number(number)}"


def _too_long(digits: str) -> AddressError:
    return AddressError(
        _(
            "the number is too long: {count} digits with its country code, at most {longest}",
            count=len(digits),
            longest=LONGEST,
        )
    )
