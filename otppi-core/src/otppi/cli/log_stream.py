"""Stderr for threads that must not wait: who writes leaves a line in RAM, and a thread of its own hands it on.

Whoever reads stderr may stand still: a terminal stopped with Ctrl-S, a journal whose disk is full, a pipe that nobody
reads. A modem's thread that had to wait for it would send nothing meanwhile.
"""

import atexit
import io
import os
import select
import threading
import time
from collections import deque

from otppi.kit.threads import CANNOT_START, PromptThread
from otppi.text import _

_MOST = 256 * 1024
"""Characters that wait: about 1,700 lines."""
_LONGEST = 16 * 1024
_AT_ONCE = 32 * 1024
_GATHERING = 0.05
"""Seconds in which lines gather after others were written: a busy gateway has its log written 20 times a second, and
not woken for each line. What comes after a longer silence is written at once."""
_STALLED = 5.0
"""Seconds for which a reader may take nothing before people are told."""
_AT_THE_END = 2.0
"""Seconds that the end of the process waits for a reader of stderr."""


class LogStream(io.TextIOBase):
    """A text stream to a file descriptor that never blocks its writers. Any thread.

    What finds no room is dropped and counted, and the reader is told how much is missing when it reads again. The end
    of the process waits a moment for what is left. In a child that was forked the stream is empty and works as well.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.drain, _AT_THE_END)

    def _begin(self) -> None:
        """Start with nothing waiting: a fork copies neither the thread nor who holds the lock."""
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._waiting: deque[str] = deque()
        self._held = 0
        self._dropped = 0
        self._writing_since: float | None = None
        self._thread: PromptThread | None = None
        self._gathers = False
        self._drains = 0
        self._ending = False

    def write(self, text: str) -> int:
        """Leave a text to be written; return its length, as every stream does."""
        if not text:
            return 0
        kept = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} […]\n"
        with self._lock:  # the condition's own, which costs less than to enter it: each line comes here
            if self._held + len(kept) > _MOST or self._ending:
                self._dropped += 1
                return len(text)
            self._held += len(kept)
            self._waiting.append(kept)
            if not self._gathers or self._held > _AT_ONCE:
                self._wake()
        return len(text)

    def _wake(self) -> None:
        """Have the thread look at what there is; start it where there is none."""
        if self._thread is None or not self._thread.lives:
            self._start()
        self._changed.notify_all()

    def _start(self) -> None:
        """Start the thread; where that is not possible now, the next line tries it again."""
        thread = PromptThread(self._run, "log")
        try:
            thread.start()
        except CANNOT_START:
            return
        self._thread = thread

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that it ends in."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether a person sees it."""
        return os.isatty(self._descriptor)

    def flush(self) -> None:
        """Wait for nothing: see `drain`."""

    def drain(self, patience: float) -> bool:
        """Wait until all that was left so far is written; False where that took longer than so many seconds."""
        with self._changed:
            self._drains += 1
            if self._held:
                self._wake()
            self._changed.wait_for(lambda: not self._held or self._thread is None, patience)
            self._drains -= 1
            return not self._held

    def warnings(self) -> list[str]:
        """Return what people should know."""
        since, dropped = self._writing_since, self._dropped
        if not dropped and (since is None or time.monotonic() - since < _STALLED):
            return []
        if not dropped:
            return [_("the log is not read: see what reads the gateway's stderr")]
        missing = _.plural(
            "the log is not read, {count} line is missing in it: see what reads the gateway's stderr",
            "the log is not read, {count} lines are missing in it: see what reads the gateway's stderr",
            count=dropped,
        )
        return [missing]

    def stop(self) -> None:
        """End the thread after what waits, for tests; what is written afterwards is dropped."""
        atexit.unregister(self.drain)
        with self._changed:
            self._ending = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.end(_AT_THE_END)

    # -- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._write_on()
        finally:  # one that died, for want of memory, must not be taken for one that writes, or that gathers
            with self._changed:
                self._thread = None
                self._gathers = False
                self._writing_since = None
                self._held = sum(map(len, self._waiting))  # what it had in hand is lost

    def _write_on(self) -> None:
        while batch := self._next():
            self._writing_since = time.monotonic()
            self._hand_on(batch)
            self._writing_since = None
            with self._changed:
                self._held -= len(batch)
                if not self._waiting and self._dropped:
                    missing = f"otppi: {self._dropped} lines of the log are missing here: nobody read them in time\n"
                    self._dropped = 0
                    self._held += len(missing)
                    self._waiting.append(missing)
                self._changed.notify_all()
                self._gather()

    def _gather(self) -> None:
        """Let lines gather for a moment, unless somebody waits for those that are there."""
        self._gathers = not (self._drains or self._ending)
        if self._gathers:
            self._changed.wait(_GATHERING)
            self._gathers = False

    def _next(self) -> str:
        """Wait for some lines; an empty text is the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ending)
            lines, size = [], 0
            while self._waiting and size < _AT_ONCE:
                lines.append(self._waiting.popleft())
                size += len(lines[-1])
        return "".join(lines)

    def _hand_on(self, text: str) -> None:
        """Write a text however long that takes; where there is no reader any more, it is lost."""
        data = memoryview(text.encode(errors="backslashreplace"))
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # whoever shares the terminal has set it so
                select.select([], [self._descriptor], [])
            except OSError:
                return
