"""Owns the faults that real modems were seen with in receiving: memories, their news, flaws (modems.md 17-20, 37)."""

import re

from otppi.simulator.faults.acts import reply, reset, set_state, switch, table
from otppi.simulator.faults.board import Fault, Strike
from otppi.simulator.faults.memories import fill, fill_to_be_sent
from otppi.simulator.stages import Stage
from otppi.text import _

_ABSENT = "ME"


def _fill(strike: Strike) -> bool:
    strike.peer.session.full_blocks_sending = True
    fill(strike.peer, strike.now)
    return False


def _fill_to_be_sent(strike: Strike) -> bool:
    strike.peer.session.full_blocks_sending = True
    fill_to_be_sent(strike.peer)
    return False


def _lose_me(strike: Strike) -> bool:
    peer = strike.peer
    left = [name for name in peer.sim.memories if name != _ABSENT]
    if left:
        peer.session.absent_memory = _ABSENT
        peer.session.memories = [left[0] if name == _ABSENT else name for name in peer.session.memories]
    return False


def _want_cnma(strike: Strike) -> bool:
    strike.peer.session.cnma_time = strike.injection.seconds
    return False


def _leave_out_fields(strike: Strike) -> bytes:
    answer = re.sub(rb"\+CMGR: \d+,", b"+CMGR: ,", strike.moment.reply)
    return re.sub(rb"\+CMGL: (\d+,)", rb"\1", answer)


def _say_more_behind_headers(strike: Strike) -> bytes:
    return re.sub(rb"(\+CMG[LR]: [^\r]*\r\n)", rb"\1^RSSI: 18\r\n_OUWCTI: 4\r\n", strike.moment.reply)


INBOX_FAULTS = table(
    Fault("storage-full", 17, Stage.SWITCH, _fill,
          _("the memory is full: no +CMTI, and +CMS ERROR: 322 for each message"), reset("full_blocks_sending")),
    Fault("storage-full-unsent", 17, Stage.SWITCH, _fill_to_be_sent,
          _("the same with messages to be sent, which another program has stored"), reset("full_blocks_sending")),
    Fault("memory-me-absent", 18, Stage.SWITCH, _lose_me, _("+CPMS with ME is refused"), reset("absent_memory")),
    switch("cmti-other-memory", 18, _("messages are stored, and announced, in another memory than +CPMS says"),
           other_memory=True),
    switch("gaps-in-memory", 18, _("places are not used in order, and +CPMS counts one message too few"), gaps=True),
    switch("cmgl-broken", 18, _("+CMGL is answered with ERROR"), cmgl_refused=True),
    switch("cmgl-incomplete", 18, _("+CMGL leaves out every second message"), cmgl_incomplete=True),
    Fault("header-without-fields", 18, Stage.REPLY, reply(_leave_out_fields),
          _("+CMGR leaves out <stat>, and +CMGL its own name")),
    Fault("lines-behind-header", 18, Stage.REPLY, reply(_say_more_behind_headers),
          _("a URC and a line that no table knows between the header of +CMGR or +CMGL and the PDU")),
    Fault("notifications-lost", 19, Stage.SWITCH, set_state(notifications_lost=True),
          _("what comes in is stored without a word"), reset("notifications_lost")),
    switch("cnmi-refused", 19, _("of AT+CNMI only 2,1,0,0,0 is taken"), cnmi_refused=True),
    Fault("routed-needs-cnma", 20, Stage.SWITCH, _want_cnma,
          _("under +CSMS=1 what is not acknowledged within `seconds` comes again, at last nothing is routed any more"),
          reset("cnma_time"), seconds=10.0, lasting=False),
    switch("pdu-cut", 37, _("the last 8 octets of each PDU that came in are missing"), pdu_lost=8),
    switch("pdu-with-parameter", 37, _("`,0` stands behind each PDU that came in"), pdu_behind=",0"),
)  # fmt: skip
"""What may go wrong in receiving."""
