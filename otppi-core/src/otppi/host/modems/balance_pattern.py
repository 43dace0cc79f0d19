"""How a person says where the balance stands: the code that asks for it, and a pattern that is quick on any text."""

import re
import warnings

from otppi.text import _

_LONGEST_PATTERN = 200
_UNBOUNDED = 3
_QUANTIFIERS = 5

# What looks like a quantifier and is none: escaped characters, and character classes.
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_QUANTIFIER = re.compile(r"[*+]|\{\d*,?\d*\}|(?<![(*+?}])\?")
_ENDLESS = re.compile(r"[*+]|\{\d*,\d*\}")
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{)")
_STEP = r"[^>\x00-\x1f\x7f]{1,182}"
CODE = rf"[0-9*#+]{{1,182}}(?:>{_STEP}){{0,9}}"
"""A USSD code, and behind > each reply to a menu: `*123#>1>2`."""


def problem_of_pattern(pattern: str) -> str | None:
    """Return what is wrong with a `balance_pattern`, or None.

    Python's expressions may take for ever where a repeated group holds a repetition, or many repetitions follow one
    another: such patterns are refused, and no pattern needs them to find a number.
    """
    if not pattern:
        return None
    if len(pattern) > _LONGEST_PATTERN:
        return _("must not be longer than {longest} characters", longest=_LONGEST_PATTERN)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python warns of it will read in another way one day
            groups = re.compile(pattern).groups
    except FutureWarning:
        return _("has a character class that can be read in two ways: write \\[ for a bracket in it")
    except (re.error, OverflowError, RecursionError) as error:
        too_large = _("too large")
        return _("is not a regular expression: {reason}", reason=getattr(error, "msg", too_large))
    if groups != 1:
        return _("must have exactly one group, around the number: (…); others are written (?:…)")
    bare = _ATOM.sub("x", pattern)
    if _REPEATED_GROUP.search(bare):
        return _("must not repeat a group")
    if len(_ENDLESS.findall(bare)) > _UNBOUNDED or len(_QUANTIFIER.findall(bare)) > _QUANTIFIERS:
        return _(
            "must not have more than {unbounded} of * + {{n,m}}, and {quantifiers} repetitions in all",
            unbounded=_UNBOUNDED,
            quantifiers=_QUANTIFIERS,
        )
    return None
