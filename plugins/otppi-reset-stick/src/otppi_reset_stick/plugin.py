"""Registers what watches for reset sticks."""

from collections.abc import Sequence

from otppi.api import hookimpl
from otppi.api.media import MediaWatcher, MediaWatcherType
from otppi_reset_stick.text import _


@hookimpl
def otppi_media_watchers() -> Sequence[MediaWatcherType]:
    """Return the one type of this plugin."""
    return [MediaWatcherType(key="reset-stick", title=_("Reset stick"), create=_create)]


def _create() -> MediaWatcher:
    """Import what speaks with udev only where it is wanted: it costs memory."""
    from otppi_reset_stick.watcher import made

    return made()
