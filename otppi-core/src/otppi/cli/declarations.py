"""All declared settings, those of the plugins included: their reference as Markdown, and their JSON Schema."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from otppi.api.modem import ModemType
from otppi.api.settings import Section
from otppi.host.core import CORE_SECTIONS
from otppi.host.modems.settings import MODEMS
from otppi.host.runtime.plugins import Plugins, section_of_modem


def reference() -> str:
    """Write the reference of all settings."""
    plugins = Plugins()
    sections = [*CORE_SECTIONS, *_of_modem_types(plugins), *plugins.sections]
    return "\n".join(["# Settings", "", *(section.reference() for section in sections)])


def _of_modem_types(plugins: Plugins) -> Iterator[Section]:
    """Give what each modem type has beyond the common settings of section `modems`."""
    for one in plugins.modem_types.values():
        if one.settings:
            title = f"beside these, where `type` is `{one.key}`"
            yield replace(MODEMS, title=title, help=one.help, settings=one.settings, identity=None)


def schema() -> dict[str, Any]:
    """Describe a document of settings in JSON Schema 2020-12."""
    plugins = Plugins()
    properties = {section.key: section.json_schema() for section in (*CORE_SECTIONS, *plugins.sections)}
    properties[MODEMS.key]["items"] = {"anyOf": [_modem_schema(one) for one in plugins.modem_types.values()]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of OTP-Pi",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _modem_schema(modem_type: ModemType) -> dict[str, Any]:
    described: dict[str, Any] = section_of_modem(modem_type).json_schema()["items"]
    described["properties"]["type"]["const"] = modem_type.key
    if modem_type.key != MODEMS["type"].default:
        described["required"] = [*described["required"], "type"]
    return described
