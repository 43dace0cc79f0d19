"""All declared settings, those of the plugins included: their reference as Markdown, and their JSON Schema."""

from collections.abc import Callable
from typing import Any

from otppi.api.settings import Section
from otppi.host.core import declarations, load_plugins
from otppi.host.settings.config import REVISION
from otppi.text import _


def _sections() -> tuple[Section, ...]:
    return declarations(load_plugins()).sections


def reference(say: Callable[[str], str] = str) -> str:
    """Write the reference of all settings; `say` says a text in the language of whoever reads it."""
    title = say(_("Settings"))
    return "\n".join([f"# {title}", "", *(section.reference(say) for section in _sections())])


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
