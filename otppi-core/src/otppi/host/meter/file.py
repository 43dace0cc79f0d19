"""The accounts of all modems, kept on the card over restarts and power cuts: written seldom, read once."""

import json
import logging
import math
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from otppi.api.message import State
from otppi.host.meter.meter import Account, Plan, Tally
from otppi.host.settings.renames import Rename
from otppi.kit.files import append_whole, as_json, replace_whole

logger = logging.getLogger(__name__)

_KEY_SIZE = 32
_RECEIVERS = "receivers-"
_MONTHS_KEPT = 3
_NAME_IN_REPORT = 16
_RENAMES_KEPT = 100
"""More than the settings keep, of which each is followed once."""
_DAMAGED = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError, OSError)
"""What reading a damaged file may raise, the C library's objections to a time included."""
_STILL_SENDING = 60.0
"""Seconds in which an egress may end, under its former name, what it was sending when it was renamed."""

Sent = tuple[float, str, int]
"""A message that was sent, to be counted later: Unix time, receiver as shown, segments."""


class UsageFile:
    """A folder with `counters.json`, replaced as a whole, and a month's `receivers-YYYY-MM`, appended to.

    Receivers are short keyed hashes, never numbers; the key is in `key`, and of mode 0600 as all the files. What was
    damaged or is missing is counted from the month's report as far as that tells.

    An egress that is renamed keeps its account. The settings tell so (`Rename`) as long as the counters, in the file
    that has them under the new name, do not say that they have followed: a crash in between loses nothing. Receivers
    are appended under the new name before, and taken from the old one after that, so that a crash counts too much
    rather than too little.
    """

    def __init__(self, folder: Path, report: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.saved = 0.0
        self._folder = folder
        self._counters = folder / "counters.json"
        self._clock = clock
        self._accounts: dict[str, Account] = {}
        self._uncounted: defaultdict[str, list[Sent]] = defaultdict(list)
        self._written: dict[tuple[str, str], set[str]] = {}
        self._lock = threading.Lock()  # what `follow` changes and `snapshot` reads belongs together
        self._followed: list[str] = []
        self._seen: set[str] = set()
        self._given_out: set[str] = set()
        self._outdated = 0  # so many changes of names have left lines by former names in the files of receivers
        self._key = self._read_key()
        self._recounted = not self._read_counters()
        if self._recounted:
            self._recount(report)
        self._read_receivers()

    def account(self, name: str, plan: Plan) -> Account:
        """Return a modem's account, under the limits and prices that it has now."""
        account = self._made(name)
        self._given_out.add(name)
        account.agree(plan)
        for key in {name, name[:_NAME_IN_REPORT]}:
            for at, receiver, segments in self._uncounted.pop(key, ()):
                account.count(receiver, segments, at=at)
        return account

    def count_later(self, name: str, sent: Sent) -> None:
        """Count a message of an earlier run as soon as its modem's prices are known."""
        self._uncounted[name].append(sent)

    def follow(self, renames: Iterable[Rename]) -> None:
        """Have each account under its new name, in every change of names that was not followed yet."""
        with self._lock:
            for one in renames:
                if one.id not in self._seen:
                    self._seen.add(one.id)
                    self._rename_uncounted(one)
                if one.id not in self._followed:
                    self._rename(one)

    def _rename_uncounted(self, change: Rename) -> None:
        """Have what was sent before a change of names counted for the new ones."""
        names = {was[:_NAME_IN_REPORT]: now for was, now in change.names.items()} | dict(change.names)
        found = {name: self._uncounted.pop(name) for name in names if name in self._uncounted}
        for name, sent in found.items():
            # What ended after that may also be of a new egress under the former name.
            self._uncounted[name] += [one for one in sent if one[0] > change.at]
            self._uncounted[names[name]] += [one for one in sent if one[0] <= change.at + _STILL_SENDING]

    def _rename(self, change: Rename) -> None:
        if self._recounted and self._given_out.isdisjoint(change.names):
            # It is of an earlier run, and whether it was followed is gone with the counters: receivers are both's.
            for was, now in change.names.items():
                for month, tally in list(self._made(was).months.items()):
                    self._made(now).months.setdefault(month, Tally()).receivers.update(tally.receivers)
        else:
            moved = {now: self._accounts[was] for was, now in change.names.items() if was in self._accounts}
            self._accounts = {name: one for name, one in self._accounts.items() if name not in change.names} | moved
            self._written = {
                (name, month): tags
                for (name, month), tags in self._written.items()
                if name not in change.names and name not in moved
            }
            self._outdated += 1
            self._given_out |= moved.keys()
            for name, account in moved.items():
                account.name, account.changed = name, True
        self._followed = [*self._followed, change.id][-_RENAMES_KEPT:]

    # -- writing ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any] | None:
        """Return what `write` has to write; None where nothing changed. Under the lock of the accounts."""
        with self._lock:
            accounts, outdated = list(self._accounts.items()), self._outdated
            changed = [account for _name, account in accounts if account.changed]
            if not (changed or outdated):
                return None
            for account in changed:
                account.changed = False
            receivers = {
                (name, month): new
                for name, account in accounts
                for month, tally in list(account.months.items())
                if (new := tally.receivers - (set() if outdated else self._written.get((name, month), set())))
            }
            return {
                "saved": self._clock(),
                "modems": {name: _as_json(account) for name, account in accounts},
                **({"renames": self._followed} if self._followed else {}),
                "receivers": receivers,
                "outdated": outdated,
            }

    def write(self, snapshot: dict[str, Any]) -> None:
        """Write a snapshot durably. If the card is full or broken, that is logged, and the next one has it all."""
        receivers: dict[tuple[str, str], set[str]] = snapshot.pop("receivers")
        outdated = snapshot.pop("outdated")
        try:
            for (name, month), tags in receivers.items():
                if new := tags - self._written.get((name, month), set()):
                    self._append(month, _line_of(name, new))
                    self._written.setdefault((name, month), set()).update(new)
            replace_whole(self._counters, as_json(snapshot))  # the folder's sync is that of the receivers, too
            if outdated:
                self._drop_former_names(receivers, outdated)
        except OSError as error:
            logger.error("the usage of the modems cannot be written: %s", error)  # noqa: TRY400 - the reason is enough
            for account in list(self._accounts.values()):
                account.changed = True

    def _drop_former_names(self, receivers: dict[tuple[str, str], set[str]], outdated: int) -> None:
        """Write the files of receivers anew, from all that there were after so many changes of names."""
        for path in sorted(self._folder.glob(f"{_RECEIVERS}*")):
            month = path.name.removeprefix(_RECEIVERS)
            lines = [_line_of(name, tags) for (name, of), tags in receivers.items() if of == month and tags]
            replace_whole(path, "".join(f"{line}\n" for line in lines).encode())
        with self._lock:
            if self._outdated == outdated:  # else there was another change since
                self._outdated, self._written = 0, receivers

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
            self._followed = [str(one) for one in document.get("renames", [])]
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


def _line_of(name: str, tags: set[str]) -> str:
    """Return a line of a file of receivers."""
    return json.dumps([name, *sorted(tags)], separators=(",", ":"))


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
