"""The hub, with a real gateway and a real server: what watchers are told, and what they may take."""

import threading
import time
from typing import Any

import pytest

from otppi.admin.live import hub as hub_module
from otppi.admin.live.monitor import THREAD
from otppi.api.errors import ModemLost
from otppi.kit.threads import PromptThread
from otppi.testing.waiting import until


def states(data: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["state"] for one in data.get("messages", ())}


def hub_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == THREAD]


def follow(browser: Any, message: dict[str, Any], state: str = "sent") -> Any:
    return browser.until("change", lambda data: states(data).get(message["message_id"]) == state)


def test_a_watcher_gets_a_snapshot_and_then_each_change(gateway: Any, serve: Any) -> None:
    sent = gateway.send(1)
    browser = serve().watch()
    assert browser.status()[1]["content-type"] == "text/event-stream"
    first = browser.told()
    assert first is not None
    assert (first.event, first.retry) == ("snapshot", "3000")
    assert states(first.data) == {sent["message_id"]: "sent"}
    (modem,) = first.data["modems"]
    assert (modem["name"], modem["state"], modem["today"]) == ("scripted", "ready", 1)
    assert first.data["gateway"]["state"] == "ok"
    assert abs(first.data["now"] - time.time()) < 60
    gateway.modems[0].gate.clear()
    waiting = gateway.send(2, wait=0)
    follow(browser, waiting, "sending")
    gateway.modems[0].gate.set()
    told = follow(browser, waiting)
    (row,) = told.data["messages"]
    assert (row["source"], row["sender"], row["modem"], row["segments"]) == ("test", "app", "scripted", 1)
    assert row["receiver"] == "62812******02"
    browser.until("change", lambda data: "modems" in data and data["modems"][0]["today"] == 2)


def test_the_state_of_a_modem_is_told(gateway: Any, serve: Any) -> None:
    browser = serve().watch()
    browser.until("snapshot")
    gateway.modems[0].sickness = ModemLost("it was unplugged")
    gateway.modems[0].lose()
    told = browser.until("change", lambda data: "modems" in data and data["modems"][0]["state"] != "ready")
    assert told.data["modems"][0]["problem"]
    gateway.modems[0].sickness = None
    gateway.host.dispatch.workers()[0].retry_now()
    browser.until("change", lambda data: "modems" in data and data["modems"][0]["state"] == "ready")


def test_nothing_is_subscribed_and_no_thread_lives_while_nobody_watches(gateway: Any, serve: Any) -> None:
    served = serve()
    assert not gateway.is_watched
    for _ in range(2):
        browsers = [served.watch(), served.watch()]
        for browser in browsers:
            browser.until("snapshot")
        assert gateway.is_watched
        assert len(hub_threads()) == 1
        for browser in browsers:
            browser.close()
        until(lambda: not gateway.is_watched)
        until(lambda: not hub_threads())
    assert served.hub.watchers == 0


def test_what_came_at_once_is_told_at_once(gateway: Any, serve: Any) -> None:
    browser = serve().watch()
    browser.until("snapshot")
    begun, count = time.monotonic(), 100
    for number in range(count):  # an event each 10 ms, three for each message
        newest = gateway.send(number)
        next_one = begun + number / count
        threading.Event().wait(max(0.0, next_one - time.monotonic()))
    frames = 1
    last = browser.until("change")
    while states(last.data).get(newest["message_id"]) != "sent":
        frames += 1
        last = browser.until("change")
    seconds = time.monotonic() - begun
    assert frames <= seconds / hub_module._TICK + 2, "four times a second"


def test_watchers_that_leave_at_once_keep_no_other_from_anything(gateway: Any, serve: Any) -> None:
    served = serve(watchers=41, per_session=41)
    stays = served.watch()
    leaving = [served.watch() for _ in range(40)]
    for browser in (stays, *leaving):
        browser.until("snapshot")
    assert served.server.threads + len(hub_threads()) <= 10
    sent = gateway.send(1)
    for browser in (stays, *leaving):
        follow(browser, sent)
    for browser in leaving:
        browser.close()
    follow(stays, gateway.send(2))
    until(lambda: served.hub.watchers == 1)
    stays.close()
    until(lambda: not gateway.is_watched)


def test_a_watcher_that_never_reads_is_let_go_while_others_go_on(gateway: Any, serve: Any) -> None:
    served = serve()
    lazy = served.watch(receive_buffer=4096)
    until(lambda: served.hub.watchers == 1)
    good = served.watch()
    good.until("snapshot")

    while served.hub.watchers == 2:
        sent = [gateway.send(number) for number in range(50)]
        follow(good, sent[-1])
    follow(good, gateway.send(1))
    lazy.close()


def test_no_octet_holds_a_text_or_a_whole_receiver(gateway: Any, serve: Any) -> None:
    gateway.send(1)
    browser = serve().watch()
    browser.until("snapshot")
    follow(browser, gateway.send(2))
    assert gateway.marker.encode() not in browser.received
    assert b"1200000002" not in browser.received
    assert gateway.modems[0].outbox[0].text.startswith(gateway.marker)  # which is what went out


def test_a_stream_ends_with_its_session(gateway: Any, serve: Any) -> None:
    served = serve()
    mine, others = served.watch("mine"), served.watch("another's")
    mine.until("snapshot")
    others.until("snapshot")
    served.hub.end_session("mine")
    assert mine.told() is None
    follow(others, gateway.send(1))
    served.over.add("another's")  # nobody tells: it was idle for too long
    while others.told() is not None:
        pass
    until(lambda: not gateway.is_watched)


def test_a_stream_ends_with_its_time(serve: Any) -> None:
    browser = serve(life=0.5).watch()
    browser.until("snapshot")
    while browser.told() is not None:
        pass


def test_silence_is_broken_by_pings(gateway: Any, serve: Any) -> None:
    browser = serve(ping=0.3).watch()
    snapshot = browser.until("snapshot")
    for _ in range(2):
        ping = browser.until("ping")
        assert ping.event_id == ""
        assert ping.data["now"] >= snapshot.data["now"]


def test_there_are_no_more_watchers_than_are_allowed(serve: Any) -> None:
    served = serve(watchers=5, per_session=2, retry_after=7)
    for session in ("a", "a", "b", "b", "c"):
        served.watch(session).until("snapshot")
    for session in ("a", "c"):
        status, fields = served.watch(session).status()
        assert (status, fields["retry-after"]) == (503, "7")
    assert served.hub.watchers == 5
    served.browsers[0].close()
    until(lambda: served.hub.watchers == 4)
    served.watch("a").until("snapshot")


def test_the_usual_bounds(serve: Any) -> None:
    served = serve()
    for number in range(32):
        served.watch(str(number // 4)).until("snapshot")
    assert [served.watch(session).status()[0] for session in ("0", "new")] == [503, 503]


def test_who_comes_back_gets_what_was_missed(gateway: Any, serve: Any) -> None:
    served = serve()
    stays, leaves = served.watch(), served.watch()
    stays.until("snapshot")
    last_id = leaves.until("snapshot").event_id
    leaves.close()
    sent = gateway.send(1)
    follow(stays, sent)
    back = served.watch(last_event_id=last_id)
    missed = back.told()
    assert missed is not None
    assert missed.event == "change"
    if states(missed.data).get(sent["message_id"]) != "sent":
        follow(back, sent)
    follow(back, gateway.send(2))
    strange = served.watch(last_event_id="00000000-7").told()
    assert strange is not None
    assert strange.event == "snapshot"


def test_who_comes_back_after_nobody_watched_gets_a_snapshot(gateway: Any, serve: Any) -> None:
    served = serve()
    leaves = served.watch()
    last_id = leaves.until("snapshot").event_id
    leaves.close()
    until(lambda: not gateway.is_watched)
    sent = gateway.send(1)
    back = served.watch(last_event_id=last_id).told()
    assert back is not None
    assert (back.event, states(back.data)) == ("snapshot", {sent["message_id"]: "sent"})


def test_a_fault_of_the_monitor_ends_its_streams_and_nothing_else(
    gateway: Any, serve: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served = serve()
    browser = served.watch()
    browser.until("snapshot")
    with monkeypatch.context() as patched:
        patched.setattr(served.hub.view, "messages", lambda: 1 / 0)
        while browser.told() is not None:
            pass
    assert "ZeroDivisionError" in caplog.text
    until(lambda: not gateway.is_watched)
    served.watch().until("snapshot")


def test_without_a_thread_nobody_is_let_in(gateway: Any, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve()
    served.watch().status()
    served.browsers[0].close()
    until(lambda: not gateway.is_watched)

    def no_memory(thread: PromptThread) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(PromptThread, "start", no_memory)
        assert served.watch().status()[0] == 503
    assert not gateway.is_watched
    served.watch().until("snapshot")


def test_a_stop_ends_all_streams_and_lets_nobody_in(gateway: Any, serve: Any) -> None:
    served = serve()
    browsers = [served.watch() for _ in range(3)]
    for browser in browsers:
        browser.until("snapshot")
    served.hub.stop()
    for browser in browsers:
        while browser.told() is not None:
            pass
    assert not hub_threads()
    assert not gateway.is_watched
    assert served.watch().status()[0] == 503
