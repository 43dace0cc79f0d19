"""What a check finds."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: a problem keeps messages from being sent or secrets from being kept."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and what to do where it is not in order."""

    check: str
    level: Severity
    text: str
    advice: str = ""


def ok(check: str, text: str) -> Finding:
    """Find something in order."""
    return Finding(check, Severity.OK, text)


def warning(check: str, text: str, advice: str) -> Finding:
    """Find something that a person should know."""
    return Finding(check, Severity.WARNING, text, advice)


def problem(check: str, text: str, advice: str) -> Finding:
    """Find something that a person has to repair."""
    return Finding(check, Severity.PROBLEM, text, advice)
