"""All declared settings, those of the plugins included: their reference as Markdown, and their JSON Schema."""

from typing import Any

from otppi.api.settings import Section
from otppi.host.core import declarations, load_plugins
from otppi.host.settings.config import REVISION


def _sections() -> tuple[Section, ...]:
    return declarations(load_plugins()).sections


def reference() -> str:
    """Write the reference of all settings."""
    return "\n".join(["# Settings", "", *(section.reference() for section in _sections())])


def schema() -> dict[str, Any]:
    """Describe a document of settings in JSON Schema 2020-12."""
    revision = {"type": "integer", "minimum": 0, "description": "The revision that a change was made from."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of OTP-Pi",
        "type": "object",
        "properties": {section.key: section.json_schema() for section in _sections()} | {REVISION: revision},
        "additionalProperties": False,
    }
