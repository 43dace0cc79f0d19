"""Revisions of the settings: two who edit them never overwrite each other unseen."""

from collections.abc import Iterable

from otppi.api.errors import OtpPiError
from otppi.host.storage.store import Lists
from otppi.text import _

TABLE = "revision"


class ChangedMeanwhile(OtpPiError):  # noqa: N818 - reads better at the raise
    """Somebody else has changed a section since the revision that a change was made from.

    Args:
        cause: Says it.
        revision: That which the settings are at now.
        sections: The keys of the sections that were changed since.
    """

    def __init__(self, cause: str, revision: int, sections: Iterable[str] = ()) -> None:
        super().__init__(cause)
        self.revision = revision
        self.sections = tuple(sections)


class Revisions:
    """A number that each change makes greater, and at which one each section was changed last.

    One thread at a time, as `Config`. Kept beside the settings, so that a restart makes no two states look alike.
    """

    def __init__(self, store: Lists) -> None:
        (kept,) = store.read(TABLE) or [{}]
        number, sections = kept.get("number"), kept.get("sections")
        self.number = number if isinstance(number, int) else 0
        self._changed = sections if isinstance(sections, dict) else {}

    def check(self, revision: int | None, sections: Iterable[str]) -> None:
        """Refuse a change of sections that were changed after the revision that it was made from.

        Raises:
            ChangedMeanwhile: Names them.
        """
        if revision is None:
            return
        if revision > self.number:
            raise ChangedMeanwhile(
                _(
                    "there is no revision {revision} of these settings: they are at {number}",
                    revision=revision,
                    number=self.number,
                ),
                self.number,
            )
        changed = [key for key in sections if self._changed.get(key, 0) > revision]
        if changed:
            raise ChangedMeanwhile(
                _(
                    "{changed}: changed by somebody else since revision {revision} (now {number}); nothing "
                    "was changed: read them again, and change them then",
                    changed=", ".join(changed),
                    revision=revision,
                    number=self.number,
                ),
                self.number,
                changed,
            )

    def after(self, sections: Iterable[str]) -> dict[str, object]:
        """Return what is to be kept when these sections change."""
        number = self.number + 1
        return {"number": number, "sections": self._changed | dict.fromkeys(sections, number)}

    def adopt(self, kept: dict[str, object]) -> None:
        """Go on from what `after` returned, now that it is kept."""
        number, changed = kept["number"], kept["sections"]
        assert isinstance(number, int)  # noqa: S101 - a programming error
        assert isinstance(changed, dict)  # noqa: S101
        self.number, self._changed = number, changed
