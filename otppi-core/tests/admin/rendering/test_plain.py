"""Characters that a browser would act on are seen as what they are; all others stay."""

import pytest

from otppi.admin.rendering.plain import visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Pulsa Anda:\n\tRp 10.000", "Pulsa Anda:\n\tRp 10.000"),
        ("a\0b\x1b[31m\x7f", "a\u2400b\u241b[31m\u2421"),
        ("moc\u202egnp.exe\u2066", "moc\ufffdgnp.exe\ufffd"),
        ("\x85\u2028", "\ufffd\ufffd"),
        ("مرحبا\u200f 👍", "مرحبا\u200f 👍"),
    ],
)
def test_what_is_seen(text: str, seen: str) -> None:
    assert visible(text) == seen
