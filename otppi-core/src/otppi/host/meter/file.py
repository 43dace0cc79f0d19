"""The accounts of all modems, kept on the card over restarts and power cuts: written seldom, read once."""

import json
import logging
import math
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from otppi.api.message import State
from otppi.host.meter.meter import Account, Plan, Tally
from otppi.kit.files import append_whole, as_json, replace_whole

logger = logging.getLogger(__name__)

_KEY_SIZE = 32
_RECEIVERS = "receivers-"
_MONTHS_KEPT = 3
_NAME_IN_REPORT = 16
_DAMAGED = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError, OSError)
"""What reading a damaged file may raise, the C library's objections to a time included."""

Sent = tuple[float, str, int]
"""A message that was sent, to be counted later: Unix time, receiver as shown, segments."""


class UsageFile:
    """A folder with `counters.json`, replaced as a whole, and a month's `receivers-YYYY-MM`, appended to.

    Receivers are short keyed hashes, never numbers; the key is in `key`, and of mode 0600 as all the files. What was
    damaged or is missing is counted from the month's report as far as that tells.
    """

    def __init__(self, folder: Path, report: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.saved = 0.0
        self._folder = folder
        self._counters = folder / "counters.json"
        self._clock = clock
        self._accounts: dict[str, Account] = {}
        self._uncounted: defaultdict[str, list[Sent]] = defaultdict(list)
        self._written: dict[tuple[str, str], set[str]] = {}
        self._key = self._read_key()
        if not self._read_counters():
            self._recount(report)
        self._read_receivers()

    def account(self, name: str, plan: Plan) -> Account:
        """Return a modem's account, under the limits and prices that it has now."""
        account = self._made(name)
        account.agree(plan)
        for key in {name, name[:_NAME_IN_REPORT]}:
            for at, receiver, segments in self._uncounted.pop(key, ()):
                account.count(receiver, segments, at=at)
        return account

    def count_later(self, name: str, sent: Sent) -> None:
        """Count a message of an earlier run as soon as its modem's prices are known."""
        self._uncounted[name].append(sent)

    # -- writing ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any] | None:
        """Return what `write` has to write; None where nothing changed. Under the lock of the accounts."""
        changed = [account for account in list(self._accounts.values()) if account.changed]
        if not changed:
            return None
        for account in changed:
            account.changed = False
        return {
            "saved": self._clock(),
            "modems": {name: _as_json(account) for name, account in list(self._accounts.items())},
            "receivers": [
                (name, month, new)
                for name, account in list(self._accounts.items())
                for month, tally in list(account.months.items())
                if (new := tally.receivers - self._written.get((name, month), set()))
            ],
        }

    def write(self, snapshot: dict[str, Any]) -> None:
        """Write a snapshot durably. If the card is full or broken, that is logged, and the next one has it all."""
        try:
            for name, month, tags in snapshot.pop("receivers"):
                self._append(month, json.dumps([name, *sorted(tags)], separators=(",", ":")))
                self._written.setdefault((name, month), set()).update(tags)
            replace_whole(self._counters, as_json(snapshot))  # the folder's sync is that of the receivers, too
        except OSError as error:
            logger.error("the usage of the modems cannot be written: %s", error)  # noqa: TRY400 - the reason is enough
            for account in list(self._accounts.values()):
                account.changed = True

    def _append(self, month: str, line: str) -> None:
        path = self._folder / f"{_RECEIVERS}{month}"
        if not path.exists():
            others = sorted(set(self._folder.glob(f"{_RECEIVERS}*")) - {path})
            for oldest in others[: 1 - _MONTHS_KEPT]:
                oldest.unlink()
        append_whole(path, f"\n{line}\n".encode())  # a line that a power cut has torn ends before

    # -- reading ----------------------------------------------------------------------------------------------------

    def _made(self, name: str) -> Account:
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = Account(name, key=self._key, clock=self._clock)
        return account

    def _read_key(self) -> bytes:
        path = self._folder / "key"
        key = _read(path) or b""
        if len(key) != _KEY_SIZE:
            for useless in self._folder.glob(f"{_RECEIVERS}*"):
                logger.error("%s is of no use: its key is gone, and the receivers are counted anew", useless.name)
                _drop(useless)
            key = os.urandom(_KEY_SIZE)
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_whole(path, key)
            except OSError as error:
                logger.error("%s cannot be written: %s", path, error)  # noqa: TRY400 - the reason says it all
        return key

    def _read_counters(self) -> bool:
        """Read the counters; False where there are none to read."""
        raw = _read(self._counters)
        if raw is None:
            return False
        try:
            document = json.loads(raw)
            modems = {str(name): _from_json(kept) for name, kept in document["modems"].items()}
            self.saved = _finite(document["saved"])
        except _DAMAGED:
            logger.error("%s is damaged: usage is counted from the report", self._counters)  # noqa: TRY400
            return False
        for name, (days, months) in modems.items():
            account = self._made(name)
            account.days, account.months = days, months
        return True

    def _read_receivers(self) -> None:
        for path in sorted(self._folder.glob(f"{_RECEIVERS}*")):
            month = path.name.removeprefix(_RECEIVERS)
            for line in (_read(path) or b"").split(b"\n"):
                try:
                    name, *tags = json.loads(line or b"[null]")
                except (ValueError, TypeError, RecursionError):
                    logger.warning("a damaged line of %s is left out", path.name)
                    continue
                if isinstance(name, str) and all(isinstance(tag, str) for tag in tags):
                    self._made(name).months.setdefault(month, Tally()).receivers.update(tags)
                    self._written.setdefault((name, month), set()).update(tags)

    def _recount(self, report: Path) -> None:
        """Take what the report of this month says was sent; it is counted when the modems' prices are known."""
        path = report / time.strftime("%Y-%m.jsonl", time.localtime(self._clock()))
        for name, sent in _sent_lines(_read(path) or b""):
            self.count_later(name, sent)
            self.saved = max(self.saved, sent[0] + 0.5)  # the report rounds


def _sent_lines(raw: bytes) -> Iterator[tuple[str, Sent]]:
    """Find what went out in a report (or may have), and by which modem; damaged lines are left out."""
    for line in raw.split(b"\n"):
        try:
            entry = json.loads(line)
            if State(entry["s"]).went_out and "by" in entry:
                time.localtime(entry["t"])  # one that there cannot be is no time
                yield str(entry["by"]), (float(entry["t"]), str(entry["r"]), max(1, int(entry["n"])))
        except _DAMAGED:
            continue


def _finite(number: Any) -> float:
    """Read a number; JSON has a way to write those that are none."""
    found = float(number)
    if not math.isfinite(found):
        raise ValueError("it is not finite")
    return found


def _drop(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        logger.error("%s cannot be deleted: %s", path, error.strerror)  # noqa: TRY400 - the reason says it all


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:  # a card that fails
        logger.error("%s cannot be read: %s", path, error)  # noqa: TRY400 - the reason says it all
        return None


def _as_json(account: Account) -> dict[str, Any]:
    return {
        kind: {
            name: [one.messages, one.segments, one.spent, dict(one.by_prefix)] for name, one in list(tallies.items())
        }
        for kind, tallies in (("days", account.days), ("months", account.months))
    }


def _from_json(kept: Any) -> tuple[dict[str, Tally], dict[str, Tally]]:
    days, months = (
        {
            str(name): Tally(
                max(0, int(messages)),
                max(0, int(segments)),
                max(0.0, _finite(spent)),
                Counter({str(prefix): int(count) for prefix, count in by_prefix.items()}),
            )
            for name, (messages, segments, spent, by_prefix) in kept[kind].items()
        }
        for kind in ("days", "months")
    )
    return days, months
