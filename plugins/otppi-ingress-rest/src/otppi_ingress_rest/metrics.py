"""Writes counters in the text format of Prometheus (version 0.0.4)."""

import re
from collections.abc import Iterable, Mapping

from otppi.api.metrics import METRICS, MetricKind

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LABELS = re.compile(r'[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*')
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")
_KNOWN = {one.name: one for one in METRICS}
_PARTS = ("_bucket", "_sum", "_count")
"""What the numbers of a histogram are called."""


def render(counters: Mapping[str, Mapping[str, float]]) -> str:
    """Write name → {labels → number}; one without numbers is left out.

    Kind and help are those of `otppi.api.metrics`; of others, which plugins count, a name that ends in `_total` is a
    counter, and any other a gauge. Labels stand as Prometheus has them (`modem="m0"`), or are one value, or empty for a
    number without labels.
    """
    lines: list[str] = []
    told: set[str] = set()
    written: set[str] = set()
    for raw, values in counters.items():
        name = _full_name(raw)
        if not values or name in written:  # of two of one name, which a plugin may have, Prometheus would take neither
            continue
        written.add(name)
        family = _family(name)
        if family not in told:
            told.add(family)
            lines += _head(family)
        lines += [f"{name}{_label(label)} {value:.15g}" for label, value in values.items()]
    return "\n".join([*lines, ""])


def _full_name(raw: str) -> str:
    if raw in _KNOWN or raw.startswith("otppi_"):  # those of the process have names of Prometheus' own
        return _NOT_IN_NAMES.sub("_", raw)
    return _NOT_IN_NAMES.sub("_", f"otppi_{raw}")


def _family(name: str) -> str:
    """Return the name of the histogram whose part this is, else the name itself."""
    for part in _PARTS:
        known = _KNOWN.get(name.removesuffix(part))
        if known is not None and known.kind is MetricKind.HISTOGRAM:
            return known.name
    return name


def _head(name: str) -> Iterable[str]:
    known = _KNOWN.get(name)
    kind = known.kind.value if known else "counter" if name.endswith("_total") else "gauge"
    help_ = known.help if known else "Counted by a plugin"
    escaped = help_.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {escaped}.", f"# TYPE {name} {kind}"


def _label(labels: str) -> str:
    if not labels:
        return ""
    if _LABELS.fullmatch(labels):
        return f"{{{labels}}}"
    escaped = labels.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{{kind="{escaped}"}}'
