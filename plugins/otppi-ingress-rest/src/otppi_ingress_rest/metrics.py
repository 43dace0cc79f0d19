"""Writes counters in the text format of Prometheus (version 0.0.4)."""

import re
from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LABELS = re.compile(r'[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*')
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


def render(counters: Mapping[str, Mapping[str, float]]) -> str:
    """Write name → {labels → number}; a name that ends in `_total` is a counter, any other a gauge.

    Labels stand as Prometheus has them (`modem="m0"`), or are one value, or empty for a number without labels.
    """
    lines = []
    for raw, values in counters.items():
        name = _NOT_IN_NAMES.sub("_", raw if raw.startswith("otppi_") else f"otppi_{raw}")
        lines.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}")
        lines += [f"{name}{_label(label)} {value:.15g}" for label, value in values.items()]
    return "\n".join([*lines, ""])


def _label(labels: str) -> str:
    if not labels:
        return ""
    if _LABELS.fullmatch(labels):
        return f"{{{labels}}}"
    escaped = labels.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{{kind="{escaped}"}}'
