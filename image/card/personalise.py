"""`image/bin/personalise`: gives a card image the identity of one device, and makes that device's brochure."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from image.card.boot_partition import CardError
from image.card.card import Card, encoded
from image.card.command import carry_out, check_room
from image.card.papers import Papers
from image.card.texts import _
from otppi.api.errors import InvalidSettings
from otppi.cli.arguments import Options, Parser
from otppi.cli.documents import read_document
from otppi.cli.exits import Exit, Failure
from otppi.cli.language import spoken
from otppi.host.core import load_plugins
from otppi.host.data_folder import config_of
from otppi.host.identity.identity import LARGEST, Identity, make
from otppi.host.storage.store import Store
from otppi.text import Text, words
from otppi.text.languages import languages
from otppi.wire.errors import FieldError

_OF_AN_IDENTITY = ("ssid", "passphrase", "country", "time_zone", "language")


def _parser() -> Parser:
    parser = Parser(
        prog="personalise",
        description=spoken(
            _("Give a card image the identity of one device: Wi-Fi, device code, country; and make its brochure.")
        ),
    )
    parser.add_argument("image", metavar="IMG", type=Path, help=_("the card image, or the card in its reader"))
    parser.add_argument("--ssid", help=_("name of the Wi-Fi (default: OTP-Pi- and four characters at random)"))
    parser.add_argument("--passphrase", help=_("of the Wi-Fi (default: at random, 59 bits)"))
    parser.add_argument("--country", metavar="CC", help=_("where the device is used, in two letters (default: ID)"))
    parser.add_argument("--time-zone", metavar="ZONE", help=_("the time zone there (default: Asia/Jakarta)"))
    parser.add_argument("--language", choices=languages(), help=_("what its owner reads (default: id)"))
    parser.add_argument(
        "--settings",
        metavar="FILE",
        type=Path,
        help=_("a document of settings for the first start; - reads it from stdin"),
    )
    parser.add_argument("--out", metavar="FOLDER", type=Path, help=_("where the brochure goes (default: beside IMG)"))
    parser.add_argument(
        "--again", action="store_true", help=_("also where the image has an identity, which is lost then")
    )
    parser.add_argument("--show", action="store_true", help=_("print the passphrase and the device code"))
    return parser


def _personalise(options: Options) -> int:
    identity = _identity(options)
    try:
        card = Card(options.image)
        card.check_new(again=options.again)
        papers, folder = Papers(identity), options.out or options.image.parent
        if not options.again:
            check_room(papers, folder)
        # First the paper, then the card: of a card without one nobody would know the passphrase.
        papers.write(folder)
        try:
            card.write(identity)
        except BaseException:
            papers.remove(folder)
            raise
    except CardError as error:
        raise Failure(Exit.USAGE, spoken(words(error))) from error
    _tell(options, identity, papers.paths(folder))
    return Exit.DONE


def _identity(options: Options) -> Identity:
    """Make the identity; of arguments and settings all that is wrong is told at once."""
    problems: list[FieldError] = []
    settings: Any = None
    if options.settings is not None:
        settings = read_document(options.settings)
        problems += _settings_problems(settings)
    given = {name: value for name in _OF_AN_IDENTITY if (value := getattr(options, name)) is not None}
    try:
        identity = make(**given, settings=settings if isinstance(settings, Mapping) else None)
        if len(encoded(identity)) > LARGEST:
            problems.append(FieldError("settings", _("must be of {most} KiB at most", most=LARGEST // 1024)))
    except UnicodeEncodeError:
        problems.append(FieldError("settings", _("hold half of a surrogate pair, which is no UTF-8")))
    except InvalidSettings as error:
        problems = [*error.problems, *problems]
    if problems:
        raise InvalidSettings(problems)
    return identity


def _settings_problems(document: object) -> Sequence[FieldError]:
    """Check a document as a new gateway does, with all of our plugins, and without one."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "settings.json")
        try:
            config_of(store, load_plugins()).check(document)
        except InvalidSettings as error:
            return error.problems
        finally:
            store.close()
    return ()


def _tell(options: Options, identity: Identity, papers: Sequence[Path]) -> None:
    told = [
        _("{image} is the card of {ssid} now.", image=options.image, ssid=identity.ssid),
        _(
            "Country {country}, time zone {time_zone}, language {language}.",
            country=identity.country,
            time_zone=identity.time_zone,
            language=identity.language,
        ),
    ]
    if identity.settings is not None:
        told.append(_("Settings for the first start: {sections}.", sections=", ".join(sorted(identity.settings))))
    told.append(_("Brochure, which only you can read: {papers}", papers=", ".join(map(str, papers))))
    told += _secrets(identity) if options.show else [_("Passphrase and device code are on it (--show prints them).")]
    for line in told:
        print(spoken(line))


def _secrets(identity: Identity) -> list[Text]:
    return [
        _("Passphrase: {passphrase}", passphrase=identity.passphrase),
        _("Device code: {code}", code=identity.written_code),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return carry_out(_parser, _personalise, arguments)


if __name__ == "__main__":
    sys.exit(main())
