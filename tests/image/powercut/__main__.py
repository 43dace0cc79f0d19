"""Make many power cuts of what was recorded last, and boot some of the cards: `./build.sh power-cuts`."""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.image.builds import TOP
from tests.image.powercut.booted import faults_of_boot
from tests.image.powercut.cuts import Cut, Cuts
from tests.image.powercut.recording import Known, Recording

_BUILT: Final = TOP / "build/power-cuts"
_TOLD_EVERY: Final = 5.0
"""Seconds between two lines of progress."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the cuts; return 1 where one has left something wrong."""
    options = _parser().parse_args(arguments)
    logging.getLogger("otppi").addHandler(logging.NullHandler())  # what gateways say of each card
    seed = int(time.time()) if options.seed is None else options.seed
    recording = Recording.read(options.recording)
    with Cuts(recording, seed, options.start_every) as cuts:
        print(f"{options.cuts} cuts in {cuts.writes} writes, seed {seed}", flush=True)
        found = cuts.made(options.cuts, _Progress(options.cuts))
    booted = _booted(recording, seed, _spread(found, options.boots))
    report = _report(seed, cuts.writes, found, booted)
    _BUILT.mkdir(parents=True, exist_ok=True)
    (_BUILT / "power-cuts.md").write_text(report)
    document = {"seed": seed, "writes": cuts.writes, "cuts": [asdict(one) for one in found], "boots": booted}
    (_BUILT / "power-cuts.json").write_text(json.dumps(document, indent=1))
    print(report)
    return int(any(one.faults for one in found) or any(booted.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="power-cuts", description=__doc__)
    parser.add_argument("--cuts", type=int, default=1_000, help="how many (1000)")
    parser.add_argument("--boots", type=int, help="how many of the cards are booted (each twentieth)")
    parser.add_argument("--seed", type=int, help="repeats the cuts of an earlier run of the same recording")
    parser.add_argument(
        "--start-every", type=int, default=20, help="with each so many-th card a gateway is started here (20)"
    )
    parser.add_argument("--recording", type=Path, default=_BUILT / "recording", help="another folder than the last one")
    return parser


class _Progress:
    """Tells now and then how far it is, and at once what is wrong."""

    def __init__(self, count: int) -> None:
        self._count, self._done, self._faulty, self._next = count, 0, 0, 0.0

    def __call__(self, cut: Cut) -> None:
        self._done += 1
        if cut.faults:
            self._faulty += 1
            print(f"after {cut.place} writes, {cut.unflushed} of them unflushed: {'; '.join(cut.faults)}", flush=True)
        if self._done == self._count or time.monotonic() >= self._next:
            self._next = time.monotonic() + _TOLD_EVERY
            print(f"{self._done} of {self._count}, {self._faulty} with something wrong", flush=True)


def _spread(found: Sequence[Cut], boots: int | None) -> list[int]:
    """Return the places of the cuts whose cards are booted, from all over the recording."""
    count = len(found) // 20 if boots is None else min(boots, len(found))
    return [found[(2 * number + 1) * len(found) // (2 * count)].place for number in range(count)]


def _booted(recording: Recording, seed: int, places: Sequence[int]) -> dict[int, list[str]]:
    faults = {}
    # Where the cuts are made, the cards must not be booted as well: QEMU would find a file that is changed meanwhile.
    with Cuts(recording, seed) as cuts, tempfile.TemporaryDirectory(prefix="otppi-boot-", dir="/var/tmp") as folder:
        card = Path(folder) / "card.img"
        for number, place in enumerate(places, 1):
            begun = time.monotonic()
            cuts.assemble(place, card)
            faults[place] = list(faults_of_boot(card, recording.folder, Known(recording.told, place)))
            told = "; ".join(faults[place]) or "all is well"
            seconds = time.monotonic() - begun
            print(f"boot {number} of {len(places)}, after {place} writes, {seconds:.0f} s: {told}", flush=True)
    return faults


def _report(seed: int, writes: int, found: Sequence[Cut], booted: dict[int, list[str]]) -> str:
    wrong = [one for one in found if one.faults]
    seconds = sum(one.seconds for one in found)
    rows = {
        "writes in the recording": writes,
        "seed": seed,
        "cuts": len(found),
        "of these with writes that no flush came after": sum(one.unflushed > 0 for one in found),
        "whole": len(found) - len(wrong),
        "with something wrong": len(wrong),
        "journal replayed": sum(one.replayed for one in found),
        "more than that mended": sum(one.repaired for one in found),
        "a gateway started with the data folder": sum(one.started for one in found),
        "seconds for a cut": f"{seconds / max(1, len(found)):.2f}",
        "booted in the virtual machine": len(booted),
        "of these with something wrong": sum(map(bool, booted.values())),
    }
    lines = ["| | |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows.items()), ""]
    lines += [f"- after {one.place} writes: {'; '.join(one.faults)}" for one in wrong]
    lines += [f"- booted after {place} writes: {'; '.join(faults)}" for place, faults in booted.items() if faults]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
