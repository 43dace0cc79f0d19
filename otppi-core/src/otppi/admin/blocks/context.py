"""What the functions of a declared page are given."""

from typing import Any

from otppi.api.errors import NotPermitted
from otppi.api.operations import Actor
from otppi.api.pages import Page, PageContext
from otppi.host.runtime.registry import Registry
from otppi.host.settings.asking_again import asks_again
from otppi.host.settings.config import Config
from otppi.text import _


class ReadingContext(PageContext):
    """Lets a page read, in the name of whoever looks at it.

    Args:
        page: The page.
        actor: Who looks at it.
        registry: The operations.
        config: The settings.
    """

    def __init__(self, page: Page, actor: Actor, registry: Registry, config: Config) -> None:
        self.actor = actor
        self._page = page
        self._registry = registry
        self._config = config

    def perform(self, name: str, /, **arguments: Any) -> Any:
        """Carry out an operation that only reads; see `PageContext.perform`."""
        operation = self._registry.find(name)
        if not operation.reads_only or asks_again(self._registry, operation, arguments):
            raise NotPermitted(_("{operation} is nothing that a page does where it is looked at", operation=name))
        return self._registry.call(name, arguments, self.actor)

    def settings(self, section: str) -> Any:
        """Return what is set, without secrets; see `PageContext.settings`."""
        if section not in self._page.sections:
            raise LookupError(f"page {self._page.key} does not name {section!r} among its sections")
        declared, values = self._config.sections[section], self._config.values_of(section)
        if isinstance(values, list):
            return [declared.of(one).redact(one) for one in values]
        return declared.redact(values)
