"""What a connection does next: one step after the other on the server's thread, answers on those of the workers."""

import contextlib
import logging
import math
import select
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import ClassVar

from otppi.web.acceptor import INPUT
from otppi.web.application import Application
from otppi.web.connection import Connection, Phase
from otppi.web.connections import Connections
from otppi.web.faults import log_fault
from otppi.web.postponed import Postponed
from otppi.web.request import Refusal, Refused, Request
from otppi.web.request_parser import RequestStage
from otppi.web.request_queue import RequestQueue
from otppi.web.timeouts import Timeouts
from otppi.web.waits import WantsRead, WantsWrite
from otppi.web.workers import Workers

logger = logging.getLogger(__name__)

HANDSHAKERS = 2
QUICK_AT_ONCE = 32
"""Quick requests that the server's thread answers in a turn; the workers answer the others, so that nobody waits long
for the thread that owns all connections."""
FORGET_AFTER = 2.0
"""Seconds without a request after which what a connection remembers of the last ones is let go."""
NEVER = math.inf
RETRY_AFTER = "5"
"""Seconds after which a client may ask again where no thread was free."""
_OUTPUT = select.EPOLLOUT | select.EPOLLONESHOT
_FAULT = Refusal(500, "", "internal error")
_NO_THREAD = Refusal(503, "", "no thread is free to answer this request", (("Retry-After", RETRY_AFTER),))
_NOT_TLS = Refusal(400, "scheme", "this port speaks HTTPS, and the request came in plain HTTP")

Job = tuple[Connection, Request | None]
"""A request to answer; or an answer in parts to go on with."""


class Driver:
    """Has connections go on: `attend` on the server's thread when one is ready, `sweep` when time has passed.

    Args:
        name: Whose server it is: its threads are named by it.
        application: What answers the requests.
        connections: The open connections.
        epoll: Where they are watched.
        timeouts: How long clients are waited for.
        most_threads: How many workers there may be.
        wake: Ends the wait of the server's thread (any thread).
    """

    def __init__(
        self,
        name: str,
        application: Application,
        connections: Connections,
        epoll: select.epoll,
        timeouts: Timeouts,
        most_threads: int,
        wake: Callable[[], None],
    ) -> None:
        self.workers: Workers[Job] = Workers(self._answer, self._refuse_job, most_threads, f"{name}-worker")
        self._handshakers: Workers[Connection] = Workers(
            self._shake_hands, self._refuse_handshake, HANDSHAKERS, f"{name}-tls"
        )
        self._application = application
        self._queue: RequestQueue[Job] = RequestQueue(self._recognises, self.workers.submit)
        self._connections = connections
        self._epoll = epoll
        self._timeouts = timeouts
        self._wake = wake
        self._returned: deque[tuple[Callable[[Connection], None], Connection]] = deque()
        self.now = time.monotonic()
        self.asleep = False
        """Whether the server's thread waits, and has to be woken."""
        self.stopping = False
        self._quick_left = 0

    def start(self) -> None:
        """Start the first worker."""
        self.workers.start()

    def stop(self, timeout: float) -> None:
        """End all threads; wait at most `timeout` seconds for those of each kind."""
        self.workers.stop(timeout)
        self._handshakers.stop(timeout)
        self._wake = _nobody  # which lets go of its descriptor, also where a thread did not end

    def stalled(self) -> str:
        """Return which threads are stuck; empty where none are (any thread)."""
        return self.workers.stalled() or self._handshakers.stalled()

    @property
    def has_returned(self) -> bool:
        """Whether other threads have given connections back."""
        return bool(self._returned)

    def take_returned(self) -> None:
        """Go on with the connections that were given back: once each, for one may have many requests in store."""
        for _turn in range(len(self._returned)):
            next_step, connection = self._returned.popleft()
            next_step(connection)

    def begin_turn(self) -> None:
        """Take note of the time, and that quick requests may be answered again."""
        self.now = time.monotonic()
        self._quick_left = QUICK_AT_ONCE

    def sweep(self) -> None:
        """See to the threads, and to the connections whose deadline has passed, or that are idle."""
        self.workers.tend()
        self._handshakers.tend()
        ours = [one for one in self._connections if one.phase is not Phase.WORK]
        for connection in ours:
            if connection.since <= self.now - FORGET_AFTER:
                connection.parser.forget_head()
        for connection in (one for one in ours if one.deadline <= self.now):
            refusal = connection.parser.incomplete() if connection.phase is Phase.READ else None
            if refusal is None:
                self._connections.remove(connection)
            else:
                self._refuse(connection, refusal)

    def end_streams(self) -> None:
        """End what would go on for ever, when the server is being stopped."""
        for connection in self._connections:
            if connection.phase is Phase.STREAM and connection.stream is not None:
                connection.stream.close()

    # What a connection does next (the server's thread)

    def attend(self, connection: Connection) -> None:
        """Go on with a connection whose socket is ready. One that a worker has is never closed here."""
        try:
            self._STEPS[connection.phase](self, connection)
        except WantsRead:
            self._arm(connection, INPUT)
        except WantsWrite:
            self._arm(connection, _OUTPUT)
        except BlockingIOError:
            self._arm(connection, _OUTPUT if connection.phase is Phase.WRITE else INPUT)
        except Refused as refused:
            self._refuse(connection, refused.refusal)
        except OSError:  # the client has gone, or does not speak TLS
            self._connections.remove(connection)
        except Exception:
            logger.exception("A connection from %s is closed because of a fault of ours", connection.client)
            if connection.phase is not Phase.WORK:
                self._connections.remove(connection)

    def _greet(self, connection: Connection) -> None:
        if connection.speaks_tls():
            connection.begin_tls()
            self._enter(connection, Phase.HANDSHAKE, self._timeouts.handshake)
            self._go_on_shaking(connection)
        elif connection.plain:
            self._begin(connection)
        else:
            self._refuse(connection, _NOT_TLS)

    def _go_on_shaking(self, connection: Connection) -> None:
        connection.phase = Phase.WORK
        self._handshakers.submit(connection)

    def _begin(self, connection: Connection) -> None:
        """Wait for the first request: the handshake is made, or there is none."""
        self._enter(connection, Phase.READ, self._timeouts.head)
        self.attend(connection)

    def _read(self, connection: Connection) -> None:
        connection.half_closed = not connection.receive()
        self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        """Answer the next request, or hand it to a worker, if it is whole; wait for the rest of it if not."""
        while (request := connection.parser.next_request()) is None:
            if connection.half_closed:
                self._end_of_input(connection)
                return
            if not connection.decrypted():
                self._await_input(connection)
                return
            connection.half_closed = not connection.receive()
        quick = self._quick_left > 0 and _says_yes(self._application.is_quick, request)
        connection.phase = Phase.WORK
        if quick:
            self._quick_left -= 1
            self._answer((connection, request))
        else:
            self._queue.submit((connection, request))

    def _await_input(self, connection: Connection) -> None:
        connection.send_interim()
        limits, stage = self._timeouts, connection.parser.stage
        if stage is not connection.stage:
            connection.stage, connection.since = stage, self.now
        if stage is RequestStage.BODY:
            connection.deadline = min(connection.since + limits.body, self.now + limits.body_progress)
        else:
            keep = stage is RequestStage.IDLE and connection.served
            connection.deadline = connection.since + (limits.keep_alive if keep else limits.head)
        self._arm(connection, INPUT)

    def _end_of_input(self, connection: Connection) -> None:
        """Say what is missing, if anything is: the client has sent its last byte."""
        refusal = connection.parser.incomplete()
        if refusal is None:
            self._connections.remove(connection)
        else:
            self._refuse(connection, refusal)

    def _write(self, connection: Connection) -> None:
        connection.flush()
        self._written(connection)

    def _written(self, connection: Connection) -> None:
        """Go on with the answer, with the next request, or part: what there was of an answer is out."""
        if connection.unfinished:
            connection.phase = Phase.WORK
            self.workers.submit((connection, None))
        elif connection.stream is not None:
            self._begin_stream(connection)
        elif connection.ends or self.stopping:
            self._part(connection)
        else:
            connection.served = True
            connection.stage = RequestStage.IDLE
            self._enter(connection, Phase.READ, self._timeouts.keep_alive)
            self._advance(connection)

    def _begin_stream(self, connection: Connection) -> None:
        """Write what the application sends, when it sends it; the client is only looked at for whether it is there."""
        self._enter(connection, Phase.STREAM, NEVER)
        if connection.stream is not None:
            connection.stream.attach(lambda: self._return(self._stream_news, connection))
            if self.stopping:
                connection.stream.close()
        self._arm(connection, 0 if connection.half_closed else INPUT)

    def _stream_news(self, connection: Connection) -> None:
        if connection.phase is Phase.STREAM:  # else it has ended meanwhile
            self.attend(connection)

    def _stream(self, connection: Connection) -> None:
        """Write what a stream has; nothing is taken from it while the client does not take what was written before."""
        if connection.stream is not None and connection.stream.too_far_behind:
            self._connections.remove(connection)
            return
        try:
            connection.flush()
            if not connection.take_from_stream():
                self._enter(connection, Phase.WRITE, self._timeouts.write)
                self._write(connection)
                return
            connection.flush()
        except BlockingIOError:
            if connection.phase is Phase.WRITE:
                raise
            connection.deadline = min(connection.deadline, self.now + self._timeouts.write)
            mask = _OUTPUT
        else:
            connection.deadline = NEVER
            mask = 0
        if not connection.half_closed:
            mask |= INPUT
            with contextlib.suppress(BlockingIOError):
                if not connection.discard():  # it asks for nothing more while it listens, so it has gone
                    self._connections.remove(connection)
                    return
        self._arm(connection, mask)

    def _part(self, connection: Connection) -> None:
        self._enter(connection, Phase.LINGER, self._timeouts.linger)
        connection.shut_down()
        if connection.half_closed:
            self._connections.remove(connection)
        else:
            self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        if connection.discard():
            self._arm(connection, INPUT)
        else:
            self._connections.remove(connection)

    _STEPS: ClassVar[dict[Phase, Callable[["Driver", Connection], None]]] = {
        Phase.HELLO: _greet,
        Phase.HANDSHAKE: _go_on_shaking,
        Phase.READ: _read,
        Phase.WRITE: _write,
        Phase.STREAM: _stream,
        Phase.LINGER: _linger,
    }

    # Answers (workers' threads; the server's for quick requests)

    def _recognises(self, job: Job) -> bool:
        request = job[1]
        return request is None or _says_yes(self._application.recognises, request)

    def _answer(self, job: Job) -> None:
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
            with _given_back(connection):
                call_when_ready(lambda: self.workers.submit(job))

    def _respond(self, connection: Connection, request: Request) -> None:
        connection.ends = True  # also where memory is so short that not even the fault can be told
        try:
            try:
                response, ends = self._application.respond(request), not request.keep_alive
            except Refused as refused:
                response, ends = self._application.refuse(refused.refusal), not request.keep_alive
            connection.put(response, request, ends=ends)
        except Postponed:
            raise
        except Exception:  # noqa: BLE001 - an application's, of any kind: logged without its words
            log_fault(logger, "A request could not be answered")
            connection.put(self._application.refuse(_FAULT), request, ends=True)

    def _refuse_job(self, job: Job) -> None:
        """Answer a request that no thread is free for (any thread)."""
        connection, request = job
        if request is None:
            connection.cut_off()
        else:
            connection.put(self._application.refuse(_NO_THREAD), request, ends=True)
        self._give_back(connection)
        self._queue.done(job)

    def _give_back(self, connection: Connection) -> None:
        """Write what the client takes at once, and return the connection to the server's thread."""
        try:
            if not (_is_written(connection) and connection.at_rest and self._await_next(connection)):
                self._return(self._take_back, connection)
        except Exception:
            _leave_to_sweep(connection)
            raise

    def _await_next(self, connection: Connection) -> bool:
        """Have the server's thread look at a connection when more comes (worker thread); False where it should now.

        To wake that thread for each answer costs 7 % of a request's CPU time.
        """
        connection.served, connection.stage = True, RequestStage.IDLE
        connection.since = time.monotonic()
        connection.deadline = connection.since + self._timeouts.keep_alive
        return self._await(connection, Phase.READ, INPUT)

    def _await(self, connection: Connection, phase: Phase, mask: int) -> bool:
        """Have the server's thread go on when the socket is ready (any other thread); False where it is to be now."""
        with self._connections.lock:
            if self.stopping or self._connections.get(connection.descriptor) is not connection:
                return False
            connection.phase = phase
            self._arm(connection, mask)  # from here on it is the server's
        return True

    def _return(self, next_step: Callable[[Connection], None], connection: Connection) -> None:
        """Have the server's thread go on with a connection now (any other thread)."""
        self._returned.append((next_step, connection))
        if self.asleep:
            self.asleep = False
            self._wake()

    def _take_back(self, connection: Connection) -> None:
        self._enter(connection, Phase.WRITE, self._timeouts.write)
        self.attend(connection)

    def _refuse(self, connection: Connection, refusal: Refusal) -> None:
        """Answer for ourselves, then part."""
        connection.put(self._application.refuse(refusal), None, ends=True)
        self._enter(connection, Phase.WRITE, self._timeouts.write)
        self.attend(connection)

    # TLS handshakes (their own threads)

    def _shake_hands(self, connection: Connection) -> None:
        with _given_back(connection):
            try:
                connection.shake_hands()
            except (WantsRead, WantsWrite) as wants:
                mask = INPUT if isinstance(wants, WantsRead) else _OUTPUT
                if not self._await(connection, Phase.HANDSHAKE, mask):
                    self._return(self._connections.remove, connection)
            except OSError:  # the client has gone, or does not speak TLS
                self._return(self._connections.remove, connection)
            else:
                self._return(self._begin, connection)

    def _refuse_handshake(self, connection: Connection) -> None:
        """Close a connection whose handshake nobody had time for (any thread)."""
        with _given_back(connection):
            self._return(self._connections.remove, connection)

    # Time

    def _enter(self, connection: Connection, phase: Phase, seconds: float) -> None:
        connection.phase = phase
        connection.since = self.now
        connection.deadline = self.now + seconds

    def _arm(self, connection: Connection, mask: int) -> None:
        self._epoll.modify(connection.descriptor, mask)


def _nobody() -> None:
    """Wake nobody: the server has ended."""


def _says_yes(question: Callable[[Request], bool], request: Request) -> bool:
    """Ask the application about a request, on the server's thread; no, where it fails."""
    try:
        return question(request)
    except Exception:  # noqa: BLE001 - an application's, of any kind; an OSError is none of the connection's either
        log_fault(logger, "An application could not say what a request is")
        return False


@contextlib.contextmanager
def _given_back(connection: Connection) -> Iterator[None]:
    """Wrap what gives a connection back to the server's thread: where it fails, nobody would have the connection."""
    try:
        yield
    except Exception:
        _leave_to_sweep(connection)
        raise


def _leave_to_sweep(connection: Connection) -> None:
    connection.deadline, connection.phase = 0.0, Phase.LINGER


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
