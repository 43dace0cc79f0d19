"""The blocking list: receivers that get nothing from any modem."""

import time
from threading import Lock

from otppi.host.store import Store

_LIST = "blocking_list"


class Blocklist:
    """MSISDNs, kept on the card and looked up in RAM. Any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._since: dict[str, float] = {entry["msisdn"]: entry["since"] for entry in store.read(_LIST) or []}

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
            self._since[msisdn] = time.time()
            self._save()
            return True

    def unblock(self, msisdn: str) -> bool:
        """Remove a number, durably; False where it was not there."""
        with self._lock:
            if self._since.pop(msisdn, None) is None:
                return False
            self._save()
            return True

    def _save(self) -> None:
        self._store.write({_LIST: [{"msisdn": msisdn, "since": since} for msisdn, since in self._since.items()]})
