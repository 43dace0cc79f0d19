"""Owns ready-made profiles of simulated modems that answer as well-known models do; all numbers are made up."""

from otppi.simulator.profile import ModemProfile
from otppi.wire.ussd import UssdForm

_CPIN_HUAWEI = "^CPIN: {lock},{times},{puk_tries},{pin_tries},10,3"
_HUAWEI_COMMANDS = frozenset({"^CURC", "^USSDMODE", "^PORTSEL", "^GETPORTMODE"})

SIM800 = ModemProfile(
    manufacturer="SIMCOM_Ltd",
    model="SIMCOM_SIM800L",
    revision="Revision:1418B05SIM800L24",
    iccid_commands=("+CCID",),
    technology=0,
    memories={"SM": 30},
    full_urc="SMS FULL",
    boot_urcs=("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"),
    answers={
        "+SPIC": "+SPIC: {pin_tries},{puk_tries},0,10",
        "+CMTE?": "+CMTE: 0,25.50",
        "+CSMINS?": "+CSMINS: 0,1",
        "+CNETLIGHT=": "",
    },
)
"""A 2G module on a serial line: a USSD string is plain, one message memory."""

SIM7600 = ModemProfile(
    manufacturer="SIMCOM INCORPORATED",
    model="SIMCOM_SIM7600E-H",
    revision="+CGMR: LE20B04SIM7600M22",
    iccid_commands=("+CICCID", "+ICCID"),
    memories={"SM": 40, "ME": 23, "SR": 10},
    full_urc='+SMS FULL: "{memory}"',
    boot_urcs=("RDY", "+CPIN: READY", "SMS DONE", "PB DONE"),
    ussd_form=UssdForm.UCS2_HEX,
    vendor_commands=frozenset({"+CUSBPIDSWITCH"}),
    answers={
        "+SPIC": "+SPIC: {pin_tries},{puk_tries},0,10",
        "+CPSI?": "+CPSI: LTE,Online,001-01,0x0001,1,1,EUTRAN-BAND3,1650,5,5,-94,-850,-567,15",
        "+CNSMOD?": "+CNSMOD: 0,8",
        "+CNSMOD=": "",
        "+CMTE?": "+CMTE: 0,41",
    },
)
"""An LTE module: USSD strings in UCS-2."""

HUAWEI_E173 = ModemProfile(
    manufacturer="huawei",
    model="E173",
    revision="11.126.85.00.209",
    iccid_commands=("^ICCID",),
    technology=2,
    memories={"SM": 20, "ME": 100},
    boot_urcs=("^SRVST:0", "^SIMST:1", "^SRVST:2", "^MODE:5,4"),
    chatter=("^RSSI:18", "^BOOT:20952548,0,0,0,6"),
    chatter_interval=5.0,
    ussd_form=UssdForm.GSM7_HEX,
    vendor_commands=_HUAWEI_COMMANDS,
    answers={
        "^CPIN?": _CPIN_HUAWEI,
        "^SYSINFO": "^SYSINFO:2,3,0,5,1,,4",
        "^CVOICE?": "^CVOICE:0,8000,16,20",
        "^CARDLOCK?": "^CARDLOCK: 2,0,0",
    },
)
"""A UMTS stick: USSD strings are packed GSM-7 in hexadecimal, and it talks until AT^CURC=0."""

HUAWEI_E3372 = ModemProfile(
    manufacturer="huawei",
    model="E3372",
    revision="21.200.07.00.00",
    iccid_commands=("^ICCID",),
    memories={"SM": 50, "ME": 500},
    boot_urcs=("^SIMST:1", "^SRVST:2"),
    chatter=('^HCSQ:"LTE",40,30,120,20', "^RSSI:21"),
    chatter_interval=5.0,
    ussd_form=UssdForm.GSM7_HEX,
    vendor_commands=_HUAWEI_COMMANDS,
    answers={
        "^CPIN?": _CPIN_HUAWEI,
        "^HCSQ?": '^HCSQ:"LTE",40,30,120,20',
        "^SYSINFOEX": '^SYSINFOEX:2,3,0,1,,6,"LTE",101,"LTE"',
        "^CVOICE?": "^CVOICE:0,8000,16,20",
        "^SETPORT?": "^SETPORT:FF;12,10,16",
    },
)
"""An LTE stick with the firmware that shows serial ports."""

QUECTEL_EC25 = ModemProfile(
    manufacturer="Quectel",
    model="EC25",
    revision="EC25EFAR06A03M4G",
    iccid_commands=("+QCCID", "+CCID"),
    memories={"ME": 255, "SM": 50},
    full_urc='+QIND: "smsfull","{memory}"',
    boot_urcs=("RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"),
    vendor_commands=frozenset({"+QPINC"}),
    answers={
        "+QINISTAT": "+QINISTAT: 7",
        "+QINDCFG=": "",
        "+QURCCFG=": "",
        '+QURCCFG="URCPORT"': '+QURCCFG: "urcport","usbat"',
        "+QCFG=": "",
        '+QCFG="USBCFG"': '+QCFG: "usbcfg",0x2C7C,0x0125,1,1,1,1,1,0,0',
        "+QNWINFO": '+QNWINFO: "FDD LTE","{operator_code}","LTE BAND 3",1650',
    },
)
"""An LTE module: USSD strings are plain."""

ZTE_MF190 = ModemProfile(
    manufacturer="ZTE CORPORATION",
    model="MF190",
    revision="BD_MF190V1.0.0B04",
    iccid_commands=("+CCID",),
    technology=2,
    memories={"SM": 25, "ME": 100},
    boot_urcs=("+ZUSIMR:2",),
    chatter=('+ZPASR: "UMTS"', "+ZUSIMR:2"),
    chatter_interval=5.0,
    ussd_form=UssdForm.UCS2_HEX,
    answers={
        "+ZCDRUN=": "",
        "+ZOPRT=": "",
        "+ZPAS?": '+ZPAS: "UMTS","CS_PS"',
        "+ZPINPUK=?": "+ZPINPUK: {pin_tries},{puk_tries}",
    },
)
"""A UMTS stick that shows a CD-ROM first."""

WAVECOM_Q2406 = ModemProfile(
    manufacturer="WAVECOM MODEM",
    model="MULTIBAND  900E  1800",
    revision="651_09gm.Q2406B 1335236 042705 18:03",
    iccid_commands=("+CCID",),
    technology=0,
    memories={"SM": 15, "SR": 5},
    full_urc='+CIEV: "{memory}",1',
    boot_urcs=("+WIND: 1", "+WIND: 3", "+WIND: 7", "+WIND: 4"),
    baud_rate=9600,
    answers={
        "+WIND?": "+WIND: 0",
        "+WIND=": "",
        "+WOPEN?": "+WOPEN: 0",
        "+WOPEN=": "",
        "+CPINC?": "+CPINC: {pin_tries},3,{puk_tries},10",
    },
)
"""A 2G modem on a serial line of 9,600 bit/s."""

VENDORS: dict[str, ModemProfile] = {
    "sim800": SIM800,
    "sim7600": SIM7600,
    "huawei-e173": HUAWEI_E173,
    "huawei-e3372": HUAWEI_E3372,
    "quectel-ec25": QUECTEL_EC25,
    "zte-mf190": ZTE_MF190,
    "wavecom-q2406": WAVECOM_Q2406,
}
"""The profiles by name."""
