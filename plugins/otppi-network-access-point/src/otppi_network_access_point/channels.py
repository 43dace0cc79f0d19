"""Channels of Wi-Fi on which an access point may be, by band and country (IEEE 802.11-2020 annex E; wireless-regdb).

Only what needs no look-out for radars (DFS) and no licence: an access point that has to change its channel for a radar
is gone for a minute at least.
"""

from pathlib import Path
from typing import Final

BANDS: Final = {"bg": tuple(range(1, 14)), "a": (36, 40, 44, 48)}
"""2.4 GHz and the lowest part of 5 GHz, as NetworkManager calls the bands."""
_UP_TO_11: Final = frozenset(("US", "CA", "PR", "GU", "VI", "AS", "MP", "UM"))
"""Countries where 2.4 GHz ends with channel 11 (47 CFR 15.247; RSS-247)."""
_REGDOM: Final = Path("/sys/module/cfg80211/parameters/ieee80211_regdom")
"""The country that the kernel was started with: `personalise` writes it."""


def country(path: Path = _REGDOM) -> str:
    """Return the country that the radio was told (ISO 3166-1 alpha-2); empty where it is not known."""
    try:
        told = path.read_text().strip()
    except OSError:  # no radio, or the driver is not loaded
        return ""
    return told if told.isalpha() and len(told) == 2 else ""


def channels(band: str, where: str) -> tuple[int, ...]:
    """Return the channels of a band that may be used in a country."""
    known = BANDS[band]
    return tuple(one for one in known if one <= 11 or one > 14 or where not in _UP_TO_11)
