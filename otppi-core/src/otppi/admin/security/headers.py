"""The header fields of every answer (ASVS 5.0, 3.4)."""

from typing import Final

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing inline, nothing from elsewhere (Content Security Policy Level 3)."""

ALWAYS: Final = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
NOT_KEPT: Final = ("Cache-Control", "no-store")
FORGET: Final = ("Clear-Site-Data", '"cache", "storage"')
"""With the end of a session (ASVS 5.0, 14.3.1)."""
