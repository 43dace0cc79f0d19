"""A device's administrators for a test: a data folder, accounts, their logins, the operations on them, and a clock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from otppi.api.operations import Actor, Role
from otppi.host.administrators.administrators import ORIGIN, Administrator, Administrators
from otppi.host.administrators.forgotten import ForgottenPasswords
from otppi.host.administrators.settings import ADMINISTRATORS
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.runtime.registry import COMMAND_LINE, Audited, Registry
from otppi.host.settings.changes import SettingsChanges
from otppi.testing.waiting import PATIENCE

ACCOUNT_PASSWORD = "kuda makan batu hijau"  # noqa: S105 - made up
ACCOUNT_HASH = "$argon2id$v=19$m=19456,t=2,p=1$CJpJs1SGeMN+vnWymkxyrg$0TseQuGuDRQiw62ArRqKAMixNlEnMzJO5g1ySTVOJmk"
"""The hash of `ACCOUNT_PASSWORD`."""


def account(username: str, **values: Any) -> dict[str, Any]:
    """Return an administrator as a document has one, of the role administrator and with `ACCOUNT_PASSWORD`."""
    return {"username": username, "password_hash": ACCOUNT_HASH, "role": Role.ADMINISTRATOR.value, **values}


def person(name: str, role: Role = Role.ADMINISTRATOR, address: str = "192.0.2.1") -> Actor:
    """Return who logged in to the administration."""
    return Actor(name, ORIGIN, role, address)


class AccountsBench:
    """The administrators as a running gateway has them, without the gateway.

    Args:
        folder: For all that is kept; a bench on the same one, after `close`, is the device that has started again.

    Attributes:
        audit: All that was told to the audit.
        seconds: What the monotonic clock counts.
        now: The time, in Unix seconds.
        sent: The codes that were sent: number, text, administrator.
        can_send: Whether there is a modem that sends.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._closed = False
        self.data = DataFolder(folder / "data", plugins=load_plugins(()))
        self.audit: list[Audited] = []
        self.seconds = 1_000.0
        self.now = 1_800_000_000.0
        (folder / "boot").mkdir(exist_ok=True)
        clock: Callable[[], float] = lambda: self.seconds  # noqa: E731 - a test sets it on
        self.administrators = Administrators(
            self.data.config.many(ADMINISTRATORS),
            folder / "boot",
            tell=self.audit.append,
            clock=clock,
            now=lambda: self.now,
        )
        self.sent: list[tuple[str, str, str]] = []
        self.can_send = True
        self.forgotten = ForgottenPasswords(
            lambda: self.data.config.many(ADMINISTRATORS),
            lambda *message: self.sent.append(message),
            lambda: self.can_send,
            clock,
        )
        changes = SettingsChanges(self.data.config, lambda _changed: self._adopt_new())
        parts = (self.data.config, self.data.claim, changes, self.administrators, self.forgotten)
        self.registry = Registry(self.data.plugins.operations.values(), parts, self.audit.append)
        self.administrators.spend_by(
            lambda actor, code: bool(self.registry.call("account_recovery_used", {"code": code}, actor))
        )

    def _adopt_new(self) -> None:
        self.administrators.replace(self.data.config.many(ADMINISTRATORS))

    def have(self, *accounts: dict[str, Any]) -> None:
        """Have these administrators, without a claim."""
        self.data.config.update({ADMINISTRATORS.key: list(accounts)})
        self._adopt_new()

    def call(self, name: str, actor: Actor = COMMAND_LINE, /, **arguments: Any) -> Any:
        """Carry an operation out."""
        return self.registry.call(name, arguments, actor)

    def log_in(self, name: str, password: str = ACCOUNT_PASSWORD, address: str = "192.0.2.1") -> Administrator:
        """Log in by the password."""
        return self.administrators.authenticate(name, password, address).result(PATIENCE)

    def kept(self, username: str) -> dict[str, Any]:
        """Return what is kept of an administrator."""
        return next(dict(one) for one in self.data.config.many(ADMINISTRATORS) if one["username"] == username)

    def close(self) -> None:
        """End it (safe to call twice)."""
        if not self._closed:
            self._closed = True
            self.administrators.close()
            self.data.close()
