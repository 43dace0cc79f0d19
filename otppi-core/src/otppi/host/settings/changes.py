"""Changes of the settings by a person: kept, and then used by a gateway that runs."""

from collections.abc import Callable, Sequence

from otppi.host.settings.config import Config


class SettingsChanges:
    """One change at a time: the registry of operations sees to it.

    Args:
        config: The settings.
        apply: Has the gateway use the new values of the sections whose keys it is given.
    """

    def __init__(self, config: Config, apply: Callable[[Sequence[str]], None] | None = None) -> None:
        self.config = config
        self._apply = apply

    def update(self, document: object, revision: int | None = None) -> list[str]:
        """Take a document of sections, all or nothing; return the keys of those that it changed.

        Args:
            document: Of sections.
            revision: That which the change was made from, where it is known (`HostCall.revision`).

        Raises:
            ChangedMeanwhile: Somebody changed one of the sections after that revision; nothing was changed.
            InvalidSettings: With every problem; nothing was changed.
            OSError: It cannot be kept; nothing was changed.
        """
        changed = self.config.update(document, revision=revision)
        if self._apply is not None:
            self._apply(changed)
        return changed
