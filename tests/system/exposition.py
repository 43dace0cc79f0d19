"""Prometheus' text format 0.0.4, read strictly, and what names expressions of PromQL use."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)')
_HEAD = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)")
_PARTS = re.compile(r"_(?:bucket|sum|count)$")


@dataclass(slots=True)
class Family:
    """What stands under one name: its kind, its help, and its numbers by their own name and labels."""

    help: str = ""
    kind: str = ""
    samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = field(default_factory=dict)

    def labels(self) -> set[str]:
        """Return all labels that its numbers have."""
        return {key for _, labels in self.samples for key, _ in labels}


def families(text: str) -> dict[str, Family]:
    """Read an exposition; raises AssertionError at what Prometheus does not take, or its guide advises against."""
    known: dict[str, Family] = {}
    current = ""
    assert text.endswith("\n")
    for line in text.splitlines():
        if head := _HEAD.fullmatch(line):
            what, name, rest = head.groups()
            if what == "HELP":
                assert name not in known, f"{name} stands twice"
                known[name], current = Family(help=rest), name
            else:
                assert name == current, line
                assert rest in ("counter", "gauge", "histogram"), line
                known[name].kind = rest
            continue
        found = _SAMPLE.fullmatch(line)
        assert found, line
        name, labels = found[1], frozenset(_labels(found[2] or ""))
        family = known[current]
        assert family.kind, line
        assert current == (_PARTS.sub("", name) if family.kind == "histogram" else name), line
        assert (name, labels) not in family.samples, f"{line} stands twice"
        family.samples[name, labels] = float(found[3])
    return known


def _labels(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        assert pair, text
        yield pair[1], pair[2]
        at = pair.end()


# -- PromQL ------------------------------------------------------------------------------------------------------------

_METRIC = re.compile(r"\b((?:otppi|process)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"')
_GROUPING = re.compile(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class Uses:
    """What an expression names: metrics, each with the labels that it is chosen by, and labels that it groups by."""

    metrics: dict[str, set[str]]
    grouping: set[str]


def uses(expression: str) -> Uses:
    """Read an expression of PromQL."""
    plain = _GROUPING.sub(" ", expression)
    found: dict[str, set[str]] = {}
    for name, matchers in _METRIC.findall(plain):
        found.setdefault(name, set()).update(_MATCHER.findall(matchers))
    grouping = {label.strip() for group in _GROUPING.findall(expression) for label in group.split(",")}
    return Uses(found, grouping)
