"""A file of sealed slots on a RAM disk: what must survive a crash of the process, and nobody else may read.

The payloads are sealed with ChaCha20-Poly1305 (RFC 8439), which needs no AES instructions: a Pi 3 and a Pi 4 have none.
Not by the package `cryptography`, which seals in the same way: the gateway would be 7 MB larger for as long as it runs,
where PyNaCl takes one.
"""

import errno
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from nacl.bindings import crypto_aead_chacha20poly1305_ietf_decrypt as unseal
from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt as seal
from nacl.exceptions import CryptoError

from otppi.text import _

logger = logging.getLogger(__name__)

_UNIT = 256
"""Slots begin at multiples of this many bytes: 224 bytes of payload fit in the smallest one."""
_EXTENT = 256 * 1024
"""The file grows by this much; slots of one extent have one size, and the largest slot fills an extent."""
_SHRINK_AT = 4 * _EXTENT
_KEY = 32
_HEAD = 4  # the length of what is sealed, nonce included; 0 where a slot is free
_NONCE = 12
_TAG = 16
_OVERHEAD = _HEAD + _NONCE + _TAG
_CLASSES = tuple(_UNIT << power for power in range((_EXTENT // _UNIT).bit_length()))


class _Extent:
    """A stretch of the file. `size` is that of its slots, 0 until it has any; `free` are their places."""

    __slots__ = ("free", "live", "place", "size")

    def __init__(self, place: int) -> None:
        self.place = place
        self.size = 0
        self.free: list[int] = []
        self.live = 0

    def divide(self, size: int) -> None:
        self.size = size
        self.free = list(range(self.place + _EXTENT - size, self.place - 1, -size))


class SealedFile:
    """Slots of several sizes in one file of mode 0600. Any thread.

    A slot is its payload's sealed length, a random nonce, and the sealed payload; the rest of it is zero, and so is a
    free slot. The place of the slot and the file's name are sealed with it (associated data), so that a slot that was
    copied elsewhere does not open. There is no index: at the start every place where a slot may begin is looked at, and
    what does not open was torn by a kill. Nothing is synced, since it is meant for a RAM disk.

    Args:
        path: The file, in a folder that only the gateway may enter; the folder is made where it is missing.
        key: 32 bytes (`spool_key`).
        limit: How long the file may grow, in bytes.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path, key: bytes, limit: int = 32 * 1024 * 1024) -> None:
        if len(key) != _KEY:
            raise ValueError(f"the key has {len(key)} bytes, not {_KEY}")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key = key
        self._limit = limit
        self._bound = path.name.encode() + b"\0"
        self._lock = Lock()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        os.fchmod(self._descriptor, 0o600)
        size = os.fstat(self._descriptor).st_size
        # What an earlier run left keeps its place: an extent becomes usable when `entries` has read it and it is empty.
        self._extents = [_Extent(place) for place in range(0, size, _EXTENT)]
        self._unread = len(self._extents)
        self._blank: list[_Extent] = []
        self._open: dict[int, dict[int, _Extent]] = {size: {} for size in _CLASSES}
        self._taken: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._taken)

    # -- one payload ------------------------------------------------------------------------------------------------

    def put(self, payload: bytes) -> int:
        """Seal a payload, and return its slot.

        Raises:
            OSError: There is no room (ENOSPC), it is too long (EFBIG), or the file cannot be written. Nothing is kept
                of it.
        """
        with self._lock:
            self._check_open()
            size = _slot_size(len(payload))
            extent = self._extent_for(size)
            place = extent.free.pop()
            nonce = os.urandom(_NONCE)
            sealed = seal(payload, self._bound + place.to_bytes(8, "big"), nonce, self._key)
            slot = b"%b%b%b" % ((_NONCE + len(sealed)).to_bytes(_HEAD, "big"), nonce, sealed)
            try:
                self._write(slot, place)
            except OSError:
                self._blot_out(extent, place, size)
                raise
            extent.live += 1
            if not extent.free:
                del self._open[size][extent.place]
            self._taken[place] = size
            return place // _UNIT

    def erase(self, slot: int) -> None:
        """Overwrite a payload: nothing of it stays, not even sealed. The slot may be given out again from now on.

        Raises:
            KeyError: There is nothing in this slot.
            OSError: The file cannot be written; the slot is not used again in this run.
        """
        with self._lock:
            self._check_open()
            place = slot * _UNIT
            size = self._taken.pop(place)
            self._write(bytes(size), place)
            extent = self._extents[place // _EXTENT]
            extent.live -= 1
            if extent.size:
                extent.free.append(place)
                self._open[size][extent.place] = extent
            elif not extent.live:
                self._blank.append(extent)
            if not self._taken and len(self._extents) * _EXTENT > _SHRINK_AT and not self._unread:
                self._shrink()

    # -- at the start -----------------------------------------------------------------------------------------------

    def entries(self) -> list[tuple[int, bytes]]:
        """Return everything that an earlier run left, with its slot, in the order of the slots.

        To be called once, before anything is put. What cannot be opened (torn by a kill, or sealed by another key) is
        erased.

        Raises:
            OSError: The file cannot be read.
        """
        found: list[tuple[int, bytes]] = []
        with self._lock:
            self._check_open()
            damaged = 0
            while self._unread:
                extent = self._extents[len(self._extents) - self._unread]
                data = os.pread(self._descriptor, _EXTENT, extent.place)
                for place, size, payload in self._slots(extent.place, data):
                    if payload is None:
                        self._write(bytes(size), place)
                        damaged += 1
                        continue
                    extent.live += 1
                    self._taken[place] = size
                    found.append((place // _UNIT, payload))
                if not extent.live:
                    self._blank.append(extent)
                self._unread -= 1
            if damaged:
                logger.warning("%d parts of sealed slots could not be opened and were erased", damaged)
        return found

    def _slots(self, base: int, data: bytes) -> Iterator[tuple[int, int, bytes | None]]:
        """Find the slots of an extent: place, size, and the payload; None for what is not empty and does not open."""
        at = 0
        while at < len(data):
            length = int.from_bytes(data[at : at + _HEAD], "big")
            if _NONCE + _TAG <= length <= _EXTENT - _HEAD:
                size = _slot_size(length - _NONCE - _TAG)
                payload = None if at % size else self._opened(base + at, data[at + _HEAD : at + _HEAD + length])
                if payload is not None:
                    yield base + at, size, payload
                    at += size
                    continue
            if data[at : at + _UNIT].strip(b"\0"):
                yield base + at, min(_UNIT, len(data) - at), None
            at += _UNIT

    def _opened(self, place: int, sealed: bytes) -> bytes | None:
        if len(sealed) < _NONCE + _TAG:  # the file was cut
            return None
        try:
            return unseal(sealed[_NONCE:], self._bound + place.to_bytes(8, "big"), sealed[:_NONCE], self._key)
        except CryptoError:
            return None

    def close(self) -> None:
        """Close the file. It stays, for the next start; `put` and `erase` raise OSError from now on."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    # -- places (under the lock) ------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._descriptor < 0:
            raise OSError(errno.EBADF, _("the file of sealed slots is closed"))

    def _extent_for(self, size: int) -> _Extent:
        """Return an extent with a free slot of this size: one of its own size, an empty one, or a new one."""
        own = self._open[size]
        if own:
            return next(iter(own.values()))
        if self._blank:
            extent = self._blank.pop()
        elif (len(self._extents) + 1) * _EXTENT <= self._limit:
            extent = _Extent(len(self._extents) * _EXTENT)
            self._extents.append(extent)
        else:
            extent = self._emptied()
        extent.divide(size)
        own[extent.place] = extent
        return extent

    def _emptied(self) -> _Extent:
        """Take an extent of another size that holds nothing now."""
        for others in self._open.values():
            for extent in others.values():
                if not extent.live:
                    del others[extent.place]
                    return extent
        raise OSError(
            errno.ENOSPC, _("the file of sealed slots has reached its limit of {limit} bytes", limit=self._limit)
        )

    def _blot_out(self, extent: _Extent, place: int, size: int) -> None:
        """Erase what was written of a slot that found no room. What there is no room to erase was not written."""
        try:
            self._write(bytes(size), place)
        except OSError as error:
            logger.debug("a slot that was not written cannot be erased: %s", error)
        extent.free.append(place)

    def _write(self, data: bytes, place: int) -> None:
        if os.pwrite(self._descriptor, data, place) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _shrink(self) -> None:
        """Give the memory back where nothing is left of a rush."""
        os.ftruncate(self._descriptor, 0)
        self._extents, self._blank = [], []
        self._open = {size: {} for size in _CLASSES}


def spool_key(folder: Path) -> bytes:
    """Return the 32 bytes that the spool is sealed with.

    The service manager may hold it: `LoadCredential=otppi-spool-key:…` or `SetCredentialEncrypted=` (systemd.exec(5)),
    of at least 32 bytes. Else it stands in a file of mode 0600 in this folder, which is on the RAM disk.

    Raises:
        OSError: It can neither be read nor made.
    """
    if credentials := os.environ.get("CREDENTIALS_DIRECTORY"):
        held = Path(credentials) / "otppi-spool-key"
        try:
            content = held.read_bytes()
        except FileNotFoundError:
            content = None
        if content is not None and len(content) >= _KEY:
            return hashlib.blake2b(content, digest_size=_KEY, person=b"otppi-spool").digest()
        if content is not None:
            logger.error("the credential otppi-spool-key has fewer than %d bytes: a key of its own is used", _KEY)
    return key_file(folder / "spool.key")


def key_file(path: Path) -> bytes:
    """Read the 32 bytes of a key file, or make it; one that a kill cut short is made anew.

    Raises:
        OSError: It can neither be read nor made.
    """
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != _KEY:
        key = os.urandom(_KEY)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(key)
    return key


def _slot_size(length: int) -> int:
    """Return the size of the slot that a payload of so many bytes needs.

    Raises:
        OSError: There is none (EFBIG).
    """
    units = (length + _OVERHEAD + _UNIT - 1) // _UNIT
    size = _UNIT << (units - 1).bit_length()
    if size > _EXTENT:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return size
