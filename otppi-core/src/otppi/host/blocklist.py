"""The blocking list: receivers that get nothing from any modem."""

import time
from collections.abc import Callable
from threading import Lock

from otppi.host.store import Store

_LIST = "blocking_list"


class Blocklist:
    """MSISDNs, kept on the card and looked up in RAM. Any thread.

    Args:
        store: Where they are kept.
        key: Gives the key of what an earlier version kept as one.
    """

    def __init__(self, store: Store, key: Callable[[str], str]) -> None:
        self._store = store
        self._lock = Lock()
        self._since: dict[str, float] = {key(entry["msisdn"]): entry["since"] for entry in store.read(_LIST) or []}

    def __contains__(self, msisdn: str) -> bool:
        return msisdn in self._since

    def entries(self) -> dict[str, float]:
        """Give each blocked MSISDN with the Unix time since when it is."""
        return dict(self._since)

    def block(self, msisdn: str) -> bool:
        """Add a number, durably; False where it was there."""
        with self._lock:
            if msisdn in self._since:
                return False
            self._keep({**self._since, msisdn: time.time()})
            return True

    def unblock(self, msisdn: str) -> bool:
        """Remove a number, durably; False where it was not there."""
        with self._lock:
            if msisdn not in self._since:
                return False
            self._keep({other: since for other, since in self._since.items() if other != msisdn})
            return True

    def _keep(self, entries: dict[str, float]) -> None:
        """Write first: what could not be kept does not count as blocked, so that asking again tries again."""
        self._store.write({_LIST: [{"msisdn": msisdn, "since": since} for msisdn, since in entries.items()]})
        self._since = entries
