"""The keys that senders encrypt envelopes to: which there are, a new one, and an end to one that was replaced."""

import json
from collections.abc import Mapping
from typing import Any

from otppi.admin.pages.answers import drawn, perform, see_other, text_of
from otppi.admin.pages.tried import tried
from otppi.admin.parts import Parts
from otppi.admin.security.guard import action, page
from otppi.api.operations import Role
from otppi.text import _


class KeyPages:
    """`/keys`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @page(Role.ADMINISTRATOR)
    def index(self, **_fields: Any) -> bytes:
        """Show the public key and which others still open envelopes; the first key is made here."""
        return self._show({})

    @action(Role.ADMINISTRATOR)
    def rotate(self, **_fields: Any) -> bytes:
        """Make a new key."""
        outcome = tried(lambda: perform(self._parts, "keys_rotate"))
        if outcome.problems:
            return self._show(outcome.problems, outcome.status)
        return see_other("/keys", _("There is a new key. Give it to those who encrypt."))

    @action(Role.ADMINISTRATOR)
    def remove(self, **fields: Any) -> bytes:
        """Drop a key that was replaced."""
        kid = text_of(fields, "kid")
        outcome = tried(lambda: perform(self._parts, "keys_remove", kid=kid))
        if outcome.problems:
            return self._show(outcome.problems, outcome.status)
        return see_other("/keys", _("Key {kid} is removed.", kid=kid))

    def _show(self, problems: Mapping[str, str], status: int = 200) -> bytes:
        listed = tried(lambda: perform(self._parts, "keys"))
        told = listed.result or {"keys": [], "thumbprints": []}
        if listed.problems:
            problems, status = listed.problems, listed.status
        public = json.dumps({"keys": told["keys"]}, indent=2) if told["keys"] else ""
        return drawn(self._parts, "keys.html", status, keys=told["thumbprints"], public=public, problems=problems)
