"""Writes counters in the text format of Prometheus (version 0.0.4)."""

import re
from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


def render(counters: Mapping[str, Mapping[str, float]]) -> str:
    """Write name → {label value → number}; a name that ends in `_total` is a counter, any other a gauge.

    The empty label value stands for a number without a label.
    """
    lines = []
    for raw, values in counters.items():
        name = _NOT_IN_NAMES.sub("_", raw if raw.startswith("otppi_") else f"otppi_{raw}")
        lines.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}")
        lines += [f"{name}{_label(label)} {value:.15g}" for label, value in values.items()]
    return "\n".join([*lines, ""])


def _label(value: str) -> str:
    if not value:
        return ""
    escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{{kind="{escaped}"}}'
