"""`image/bin/brochure`: draws the brochure of a device once more, as long as no device has taken its identity."""

import sys
from collections.abc import Sequence
from pathlib import Path

from image.card.boot_partition import CardError
from image.card.card import Card
from image.card.command import carry_out, check_room
from image.card.papers import Papers
from image.card.texts import _
from otppi.cli.arguments import Options, Parser
from otppi.cli.documents import read_document
from otppi.cli.exits import Exit, Failure
from otppi.cli.language import spoken
from otppi.host.identity.identity import Identity, read
from otppi.text import words


def _parser() -> Parser:
    parser = Parser(prog="brochure", description=spoken(_("Draw the brochure of a personalised card once more.")))
    parser.add_argument(
        "source",
        metavar="SOURCE",
        type=Path,
        help=_("the card image, the card in its reader, or the file otppi-device.json"),
    )
    parser.add_argument("--out", metavar="FOLDER", type=Path, help=_("where it goes (default: beside SOURCE)"))
    parser.add_argument("--again", action="store_true", help=_("overwrite the one that is there"))
    return parser


def _draw(options: Options) -> int:
    papers = Papers(_identity(options.source))
    folder = options.out or options.source.parent
    if not options.again:
        check_room(papers, folder)
    papers.write(folder)
    for path in papers.paths(folder):
        print(path)
    return Exit.DONE


def _identity(source: Path) -> Identity:
    if source.suffix == ".json":
        return read(read_document(source))
    try:
        return Card(source).identity()
    except CardError as error:
        raise Failure(Exit.USAGE, spoken(words(error))) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return carry_out(_parser, _draw, arguments)


if __name__ == "__main__":
    sys.exit(main())
