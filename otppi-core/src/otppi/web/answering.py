"""Answers requests: on the workers' threads, quick ones on the server's."""

import logging
import time
from collections.abc import Callable

from otppi.web.application import Application
from otppi.web.connection import Connection, Phase
from otppi.web.faults import log_fault
from otppi.web.postponed import Postponed
from otppi.web.request import Refusal, Refused, Request
from otppi.web.request_parser import RequestStage
from otppi.web.request_queue import RequestQueue
from otppi.web.returns import Returns, given_back, leave_to_sweep
from otppi.web.waits import INPUT
from otppi.web.workers import Workers

logger = logging.getLogger(__name__)

RETRY_AFTER = "5"
"""Seconds after which a client may ask again where no thread was free."""
_FAULT = Refusal(500, "", "internal error")
_NO_THREAD = Refusal(503, "", "no thread is free to answer this request", (("Retry-After", RETRY_AFTER),))

Job = tuple[Connection, Request | None]
"""A request to answer; or an answer in parts to go on with."""


class Answering:
    """Answers requests on connections, which are given back when the answer is written, or in their output.

    Args:
        name: Whose server it is: the workers are named by it.
        application: What answers the requests.
        returns: What gives connections back.
        keep_alive: How many seconds a client is waited for after an answer.
        most_threads: How many workers there may be.
        take_back: Goes on with a connection whose answer the client has not taken whole (the server's thread).
    """

    def __init__(
        self,
        name: str,
        application: Application,
        returns: Returns,
        keep_alive: float,
        most_threads: int,
        take_back: Callable[[Connection], None],
    ) -> None:
        self.workers: Workers[Job] = Workers(self.answer, self._refuse, most_threads, f"{name}-worker")
        self._application = application
        self._queue: RequestQueue[Job] = RequestQueue(self._recognises, self.workers.submit)
        self._returns = returns
        self._keep_alive = keep_alive
        self._take_back = take_back

    # The server's thread

    def is_quick(self, request: Request) -> bool:
        """Return whether this thread may answer a request itself."""
        return _says_yes(self._application.is_quick, request)

    def submit(self, job: Job) -> None:
        """Have a worker answer a request in its turn."""
        self._queue.submit(job)

    def go_on(self, connection: Connection) -> None:
        """Have a worker go on with an answer in parts."""
        self.workers.submit((connection, None))

    def _recognises(self, job: Job) -> bool:
        request = job[1]
        return request is None or _says_yes(self._application.recognises, request)

    # Workers' threads; the server's for quick requests

    def answer(self, job: Job) -> None:
        """Answer a request, go on with an answer in parts, or have a request come again when it can be answered."""
        connection, request = job
        # Not the exception: its traceback has this frame and, on the server's thread, those of the server, which would
        # live on, with their descriptors, until the garbage collector finds the circle.
        call_when_ready: Callable[[Callable[[], None]], None] | None = None
        try:
            if request is None:
                connection.make_part()
            else:
                self._respond(connection, request)
        except Postponed as postponed:
            call_when_ready = postponed.call_when_ready
        finally:
            self._queue.done(job)
            if call_when_ready is None:
                self._give_back(connection)
        if call_when_ready is not None:
            with given_back(connection):
                call_when_ready(lambda: self.workers.submit(job))

    def _respond(self, connection: Connection, request: Request) -> None:
        connection.ends = True  # also where memory is so short that not even the fault can be told
        try:
            try:
                response, ends = self._application.respond(request), not request.keep_alive
            except Refused as refused:
                response, ends = self._application.refuse(refused.refusal, request.path), not request.keep_alive
            connection.put(response, request, ends=ends)
        except Postponed:
            raise
        except Exception:  # noqa: BLE001 - an application's, of any kind: logged without its words
            log_fault(logger, "A request could not be answered")
            connection.put(self._application.refuse(_FAULT, request.path), request, ends=True)

    def _refuse(self, job: Job) -> None:
        """Answer a request that no thread is free for (any thread)."""
        connection, request = job
        if request is None:
            connection.cut_off()
        else:
            connection.put(self._application.refuse(_NO_THREAD, request.path), request, ends=True)
        self._give_back(connection)
        self._queue.done(job)

    def _give_back(self, connection: Connection) -> None:
        """Write what the client takes at once, and return the connection to the server's thread."""
        try:
            if not (_is_written(connection) and connection.at_rest and self._await_next(connection)):
                self._returns.give(self._take_back, connection)
        except Exception:
            leave_to_sweep(connection)
            raise

    def _await_next(self, connection: Connection) -> bool:
        """Have the server's thread look at a connection when more comes; False where it should now.

        To wake that thread for each answer costs 7 % of a request's CPU time.
        """
        connection.served, connection.stage = True, RequestStage.IDLE
        connection.since = time.monotonic()
        connection.deadline = connection.since + self._keep_alive
        return self._returns.watch(connection, Phase.READ, INPUT)


def _says_yes(question: Callable[[Request], bool], request: Request) -> bool:
    """Ask the application about a request, on the server's thread; no, where it fails."""
    try:
        return question(request)
    except Exception:  # noqa: BLE001 - an application's, of any kind; an OSError is none of the connection's either
        log_fault(logger, "An application could not say what a request is")
        return False


def _is_written(connection: Connection) -> bool:
    """Write an answer, and make its parts, as far as the client takes them at once; whether that is all."""
    try:
        connection.flush()
        while connection.unfinished:
            connection.make_part()
            connection.flush()
    except OSError:  # not ready, or gone: the server's thread will see
        return False
    return True
