"""What a person can do with the keys of encrypted envelopes: a part of `otppi.host.control.operations.Operations`."""

from typing import Any

from otppi.host.runtime.operations import CLI, Operating


class KeysOperations(Operating):
    """On the keys that are kept; private ones are never shown."""

    def keys(self) -> dict[str, Any]:
        """Give the public key as a JWK Set, and the thumbprints of all keys that open envelopes; make the first one."""
        return self._data.keys.jwk_set() | {"thumbprints": self._data.keys.thumbprints()}

    def keys_rotate(self, discard_damaged: bool = False) -> dict[str, Any]:
        """Make a new current key, and give all as `keys` does."""
        self._data.keys.rotate(f"{CLI.ingress}/{CLI.sender.name}", discard_damaged=discard_damaged)
        return self.keys()
