"""How numbers, times and amounts are written in a language."""

import time

_MONTHS = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_SWAPPED = str.maketrans(",.", ".,")


def number(value: float, language: str, digits: int = 0) -> str:
    """Write a number with its thousands apart: 10.000,5 in Indonesian, 10,000.5 in English."""
    written = f"{value:,.{digits}f}"
    return written.translate(_SWAPPED) if language == "id" else written


def moment(seconds: float, language: str) -> str:
    """Write a time (Unix seconds) in the device's zone: the time of a day that is today, else with the day."""
    then, now = time.localtime(seconds), time.localtime()
    clock = f"{then.tm_hour:02}.{then.tm_min:02}" if language == "id" else f"{then.tm_hour:02}:{then.tm_min:02}"
    if then[:3] == now[:3]:
        return clock
    months = _MONTHS.get(language, _MONTHS["en"])
    year = "" if then.tm_year == now.tm_year else f" {then.tm_year}"
    return f"{then.tm_mday} {months[then.tm_mon - 1]}{year} {clock}"
