"""Makes reports as a gateway would have written them, of any length: for tests, and for what is measured."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

_OUTCOMES: Final = ("sent", "sent", "sent", "delivered", "delivered", "sent", "failed", "delivered", "sent", "expired")
_LATER: Final = 300
"""Lines after that of a message in which the network says that it was delivered: of each third one that was sent."""


def made_lines(
    count: int, begins: float, ends: float, *, modems: int = 16, prefixes: int = 20, users: int = 50
) -> Iterator[str]:
    """Yield the lines of so many messages, which end evenly between two times, with their later states among them."""
    due: list[tuple[int, str]] = []
    first = 0
    for number in range(count):
        at = int(begins + (ends - begins) * number / count)
        state = _OUTCOMES[number % len(_OUTCOMES)]
        message_id, prefix = f"{number:016x}", 62810 + number % prefixes
        modem, user = f"m{number % modems}", f"ingress-rest/shop{number % users}"
        line = f'{{"t":{at},"m":"{message_id}","i":"{number}","r":"{prefix}*****{number % 100:02}","s":"{state}"'
        if state in ("failed", "expired"):
            yield f'{line},"from":"{user}","d":600.0,"c":"1205"}}\n'
        else:
            yield f'{line},"by":"{modem}","n":1,"from":"{user}","d":2.31,"p":350.0}}\n'
        if state == "sent" and number % 3 == 0:
            about = f'[{at},"sent","{prefix}","{modem}",1,"{user}",350.0]'
            due.append((number + _LATER, f'"m":"{message_id}","s":"delivered","o":{about}}}\n'))
        if first < len(due) and due[first][0] == number:
            yield f'{{"t":{at},{due[first][1]}'
            first += 1
    for _number, line in islice(due, first, None):
        yield f'{{"t":{int(ends)},{line}'


def make_report(folder: Path, month: str, count: int, begins: float, ends: float, **kinds: int) -> Path:
    """Write a month of the report, without its sums, and return its file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{month}.jsonl"
    with path.open("w") as file:
        file.writelines(made_lines(count, begins, ends, **kinds))
    return path
