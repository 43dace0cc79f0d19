"""How a balance is found in the text of an operator: by the pattern of the settings, and numbers as people write them.

All of it is pure, and quick whatever pattern and text there are.
"""

import re

LONGEST_TEXT = 200
"""Characters of an answer that are looked at; a USSD answer has 182 at the most."""
_NUMBER = re.compile(r"-? ?(?:Rp\.? ?)?(-?\d[\d.,]*)", re.IGNORECASE)
# What is written in digits and is no amount: a string that could not be decoded, a voucher, an account's number.
_CODE_TOKEN = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{16,}|(?=[0-9]*[A-Fa-f])(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{8,})(?![0-9A-Za-z])"
)


def balance_in(text: str, pattern: str) -> float:
    """Find the balance in an operator's answer; without a pattern it is the first number.

    Raises:
        ValueError: There is none, or what was found is no number, or a piece of hexadecimal digits.
    """
    text = text[:LONGEST_TEXT]
    found = re.search(pattern, text, re.IGNORECASE) if pattern else _first_number(text)
    if found is None or not found[1]:
        raise ValueError("the answer does not match balance_pattern" if pattern else "the answer has no number")
    if _is_of_code(text, found):
        raise ValueError("what balance_pattern found is a piece of hexadecimal digits")
    return amount(found[1])


def _first_number(text: str) -> re.Match[str] | None:
    return next((found for found in _NUMBER.finditer(text) if not _is_of_code(text, found)), None)


def _is_of_code(text: str, number: re.Match[str]) -> bool:
    start, end = number.span(1)
    return any(code.start() < end and start < code.end() for code in _CODE_TOKEN.finditer(text))


def amount(text: str) -> float:
    """Read an amount as it is written in Indonesia ("Rp10.000,50"), in English ("10,000.50"), or plainly ("10000.5").

    Where both separators stand the last one is the decimal point. One that stands alone groups thousands where it comes
    several times, or once before exactly three digits ("10.000" is ten thousand; but "0.500" is a half); else it is the
    decimal point. A separator or ",-" at the end says nothing.

    Raises:
        ValueError: It is no number, or begins as none does that people write: with two zeros.
    """
    bare = re.sub(r"^(-?) ?Rp\.? ?", r"\1", text.strip(), flags=re.IGNORECASE)
    bare = re.sub(r"[.,]-?$", "", bare.replace(" ", ""))
    whole, decimals = _split(bare)
    if whole.lstrip("-").startswith("00"):
        raise ValueError("what balance_pattern found is no number")
    if not re.fullmatch(r"-?(?:\d+|\d{1,3}(?:[.,]\d{3})+)", whole) or not re.fullmatch(r"\d*", decimals):
        raise ValueError("what balance_pattern found is no number")
    return float(f"{re.sub('[.,]', '', whole)}.{decimals or 0}")


def _split(text: str) -> tuple[str, str]:
    """Part the whole number, with its separators, from the decimals."""
    marks = re.findall(r"[.,]", text)
    if not marks:
        return text, ""
    whole, _, rest = text.rpartition(marks[-1])
    groups = marks.count(marks[-1]) > 1 or (len(marks) == 1 and len(rest) == 3 and whole.lstrip("-") != "0")
    return (text, "") if groups else (whole, rest)
