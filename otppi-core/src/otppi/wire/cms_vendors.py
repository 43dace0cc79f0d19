"""Owns what makers mean by numbers of +CMS ERROR that the standard leaves to them (3GPP TS 27.005 3.2.5).

One number means different things: 512 is a SIM that is not ready (Quectel), no error (SIMCom), an acknowledgement by
the SMSC (u-blox), a busy network (Motorola). So each maker has its table, from its own manual. A number is explained by
the one of the standard that says the same of a message; where it does not prove that nothing went out, that is 500.
"""

from collections.abc import Mapping
from functools import lru_cache

from otppi.wire.cme_cms_tables import CMS_MEANINGS

_LINE_LOST_SOMETHING = 304
"""Invalid PDU mode parameter: our PDUs are well formed, so bytes were lost on the way to the modem."""
_NOT_SUPPORTED = 303
_NOT_ALLOWED = 302
_SIM_BUSY = 314
_MEMORY_FAILURE = 320
_FULL = 322
_NO_SMSC = 330
_NO_NETWORK = 331
_BUSY = 522
_UNKNOWN = 500

_Table = Mapping[int, tuple[int, str]]

# SIMCom SIM800 V1.01, 19.2. Quectel EC25&EC21 V1.3, 21.6, has some of them, and means something else by 512.
_SIMCOM: _Table = {
    512: (_UNKNOWN, "SMS no error"),
    513: (_LINE_LOST_SOMETHING, "message length exceeds maximum length"),
    514: (_LINE_LOST_SOMETHING, "invalid request parameters"),
    515: (_MEMORY_FAILURE, "ME storage failure"),
    516: (_NOT_SUPPORTED, "invalid bearer service"),
    517: (_NOT_SUPPORTED, "invalid service mode"),
    519: (_LINE_LOST_SOMETHING, "invalid message format"),
    520: (_BUSY, "too many MO concatenated messages"),
    521: (_BUSY, "SMS layer not ready"),
    522: (_NO_NETWORK, "no SMS service any more"),
    524: (_LINE_LOST_SOMETHING, "reserved MTI"),
    525: (_BUSY, "no free entity in the relay layer"),
    528: (_UNKNOWN, "more message to send state error"),
    529: (_NOT_ALLOWED, "MO SMS is not allowed"),
    530: (_NO_NETWORK, "GPRS is suspended"),
    531: (_FULL, "ME storage full"),
    532: (_SIM_BUSY, "doing SIM refresh"),
}
_QUECTEL: _Table = {
    512: (_SIM_BUSY, "SIM not ready"),
    **{code: _SIMCOM[code] for code in (513, 514, 515, 517, 528, 529, 530, 531)},
}

# Siemens TC65 V02.000, 2.12; Cinterion's modules descend from it.
_SIEMENS: _Table = {
    512: (_UNKNOWN, "user abort"),
    513: (_MEMORY_FAILURE, "unable to store"),
    514: (_UNKNOWN, "invalid status"),
    515: (_LINE_LOST_SOMETHING, "invalid character in address string"),
    516: (_LINE_LOST_SOMETHING, "invalid length"),
    517: (_LINE_LOST_SOMETHING, "invalid character in PDU"),
    519: (_LINE_LOST_SOMETHING, "invalid length or character"),
    520: (_LINE_LOST_SOMETHING, "invalid character in text"),
    521: (_UNKNOWN, "timer expired"),
    522: (_BUSY, "operation temporarily not allowed"),
    532: (_SIM_BUSY, "SIM not ready"),
    535: (_BUSY, "protocol stack busy"),
    538: (_LINE_LOST_SOMETHING, "invalid parameter"),
    549: (_LINE_LOST_SOMETHING, "incorrect PDU length"),
    550: (_LINE_LOST_SOMETHING, "invalid message type indication"),
    551: (_LINE_LOST_SOMETHING, "invalid characters in address"),
    553: (_LINE_LOST_SOMETHING, "incorrect PDU length (UDL)"),
    554: (_LINE_LOST_SOMETHING, "incorrect SCA length"),
}

# Telit 80617ST10991A rev. 9, 3.2.2.2. TR1M runs while the SMSC's acknowledgement is waited for (24.011 10).
_TELIT: _Table = {
    510: (_UNKNOWN, "message blocked"),
    512: (_BUSY, "no SM resources"),
    513: (_UNKNOWN, "TR1M timeout"),
    514: (_UNKNOWN, "lower layer error"),
    515: (_UNKNOWN, "no response from network"),
}

# u-blox LENA-R8 UBX-22016905 R04, A.2. The network's causes (24.011 E-2) stand there from 350 on.
_UBLOX_RP_CAUSES = (1, 8, 10, 0, 21, 0, 27, 28, 29, 30, 38, 41, 42, 47, 50, 69, 81, 95, 96, 97, 98, 99, 111, 127)
_UBLOX: _Table = {
    **{code: (cause, CMS_MEANINGS[cause]) for code, cause in enumerate(_UBLOX_RP_CAUSES, 350) if cause},
    512: (_UNKNOWN, "relay protocol acknowledgement"),
    513: (_UNKNOWN, "SMS timer expired"),
    514: (_UNKNOWN, "SMS forwarding availability failed"),
    515: (_UNKNOWN, "SMS forwarding availability aborted"),
    516: (_LINE_LOST_SOMETHING, "invalid TP-Message-Type-Indicator"),
    521: (_LINE_LOST_SOMETHING, "missing TP-Validity-Period"),
    522: (_LINE_LOST_SOMETHING, "invalid TP-Service-Centre-Time-Stamp"),
    523: (_LINE_LOST_SOMETHING, "missing TP-Destination-Address"),
    524: (_LINE_LOST_SOMETHING, "invalid TP-Destination-Address"),
    525: (_NO_SMSC, "missing service centre address"),
    526: (_NO_SMSC, "invalid service centre address"),
    527: (_LINE_LOST_SOMETHING, "invalid alphabet"),
    528: (_LINE_LOST_SOMETHING, "invalid TP-User-Data-Length"),
    529: (_LINE_LOST_SOMETHING, "missing TP-User-Data"),
    530: (_LINE_LOST_SOMETHING, "TP-User-Data too long"),
    536: (_BUSY, "MNR creation failed"),
    537: (_BUSY, "CMM creation failed"),
    538: (_UNKNOWN, "network connection lost"),
    539: (_BUSY, "pending MO SM transfer"),
    543: (_NOT_ALLOWED, "SMS rejected by SMS control"),
    544: (_NOT_ALLOWED, "service centre is not a fixed dial number"),
    545: (_NOT_ALLOWED, "destination is not a fixed dial number"),
    546: (_NOT_ALLOWED, "barred dial number check failed"),
    604: (_NO_NETWORK, "no service"),
    606: (_BUSY, "service request already pending"),
    615: (_UNKNOWN, "MN setup SS error"),
    616: (_BUSY, "call controller blocked"),
}

# Wavecom AT commands interface guide, 16.3.
_WAVECOM: _Table = {
    512: (_NO_NETWORK, "MM establishment failure"),
    513: (_UNKNOWN, "lower layer failure"),
    514: (_UNKNOWN, "CP error"),
    515: (_BUSY, "please wait, initialisation or command in progress"),
}

# Motorola g20 98-08901C68-O, table 95.
_MOTOROLA: _Table = {
    512: (_BUSY, "network busy"),
    513: (_LINE_LOST_SOMETHING, "invalid destination address"),
    514: (_LINE_LOST_SOMETHING, "invalid message body length"),
    515: (_NO_NETWORK, "phone is not in service"),
    517: (_UNKNOWN, "user terminated"),
}

_MAKERS: Mapping[str, _Table] = {
    "simcom": _SIMCOM,
    "quectel": _QUECTEL,
    "siemens": _SIEMENS,
    "cinterion": _SIEMENS,
    "gemalto": _SIEMENS,
    "thales": _SIEMENS,
    "telit": _TELIT,
    "u-blox": _UBLOX,
    "wavecom": _WAVECOM,
    "motorola": _MOTOROLA,
}


def makers_cms(code: int, maker: str) -> tuple[int, str] | None:
    """Return which number of the standard says the same as a maker's, and its meaning; None where no table has it.

    Args:
        code: Of the +CMS ERROR.
        maker: The manufacturer as the modem names it (+CGMI).
    """
    return _table(maker).get(code)


@lru_cache(maxsize=64)
def _table(maker: str) -> _Table:
    said = maker.casefold()
    return next((table for name, table in _MAKERS.items() if name in said), {})
