"""Owns the tables of the 7 bit alphabets: the default one (3GPP TS 23.038 6.2.1) and the national ones (annex A)."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

RESERVED: Final = "\ufffd"
"""Stands in a table where 23.038 has no character."""


class NationalLanguage(IntEnum):
    """A language with shift tables of its own; the value is its identifier in a header (23.038 6.2.1.2.4)."""

    DEFAULT = 0
    TURKISH = 1
    SPANISH = 2
    PORTUGUESE = 3
    BENGALI = 4
    GUJARATI = 5
    HINDI = 6
    KANNADA = 7
    MALAYALAM = 8
    ORIYA = 9
    PUNJABI = 10
    TAMIL = 11
    TELUGU = 12
    URDU = 13


# Locking shift tables: sixteen characters a row, septets 0x00 to 0x7F. 0x1B is the escape; alone it shows as a space.
_DEFAULT_LOCKING: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
_TURKISH_LOCKING: Final = (
    "@£$¥€éùıòÇ\nĞğ\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ ŞşßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "İABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "çabcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
_PORTUGUESE_LOCKING: Final = (
    "@£$¥êéúíóç\nÔô\rÁá"
    "Δ_ªÇÀ∞^\\€Ó| ÂâÊÉ"
    " !\"#º%&'()*+,-./"
    "0123456789:;<=>?"
    "ÍABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÃÕÚÜ§"
    "~abcdefghijklmno"
    "pqrstuvwxyzãõ`üà"
)
_URDU_LOCKING: Final = (
    "\u0627\u0622\u0628\u067b\u0680\u067e\u06a6\u062a\u06c2\u067f\n\u0679\u067d\r\u067a\u067c"
    "\u062b\u062c\u0681\u0684\u0683\u0685\u0686\u0687\u062d\u062e\u062f \u068c\u0688\u0689\u068a"
    " !\u068f\u068d\u0630\u0631\u0691\u0693)(\u0699\u0632,\u0696.\u0698"
    "0123456789:;\u069a\u0633\u0634?"
    "\u0635\u0636\u0637\u0638\u0639\u0641\u0642\u06a9\u06aa\u06ab\u06af\u06b3\u06b1\u0644\u0645\u0646"
    "\u06ba\u06bb\u06bc\u0648\u06c4\u06d5\u06c1\u06be\u0621\u06cc\u06d0\u06d2\u064d\u0650\u064f\u0657"
    "\u0654abcdefghijklmno"
    "pqrstuvwxyz\u0655\u0651\u0653\u0656\u0670"
)

# The scripts of India have one order in Unicode, and one in these tables: so Devanagari, which has all letters, gives
# the tables of the others. At "~" each language has letters of its own, 0x60 and 0x7B to 0x7F. At 0x24 of Kannada some
# editions of 23.038 print the letter of 0x3D, a misprint.
_INDIC_LOCKING: Final = (
    "\u0901\u0902\u0903\u0905\u0906\u0907\u0908\u0909\u090a\u090b\n\u090c\u090d\r\u090e\u090f"
    "\u0910\u0911\u0912\u0913\u0914\u0915\u0916\u0917\u0918\u0919\u091a \u091b\u091c\u091d\u091e"
    " !\u091f\u0920\u0921\u0922\u0923\u0924)(\u0925\u0926,\u0927.\u0928"
    "0123456789:;\u0929\u092a\u092b?"
    "\u092c\u092d\u092e\u092f\u0930\u0931\u0932\u0933\u0934\u0935\u0936\u0937\u0938\u0939\u093c\u093d"
    "\u093e\u093f\u0940\u0941\u0942\u0943\u0944\u0945\u0946\u0947\u0948\u0949\u094a\u094b\u094c\u094d"
    "~abcdefghijklmno"
    "pqrstuvwxyz~~~~~"
)
_DEVANAGARI: Final = range(0x0900, 0x0980)


def _indic_locking(block: int, absent: str, own: str) -> str:
    """Make a locking shift table.

    Args:
        block: Where the script begins in Unicode.
        absent: The last two hexadecimal digits of the Devanagari letters that the script does not have.
        own: The six characters of 0x60 and 0x7B to 0x7F.
    """
    table = _INDIC_LOCKING
    for letter in bytes.fromhex(absent):
        table = table.replace(chr(_DEVANAGARI.start + letter), RESERVED)
    moved = "".join(chr(ord(char) - _DEVANAGARI.start + block) if ord(char) in _DEVANAGARI else char for char in table)
    for char in own:
        moved = moved.replace("~", char, 1)
    return moved


LOCKING: Final[Mapping[NationalLanguage, str]] = MappingProxyType(
    {
        NationalLanguage.DEFAULT: _DEFAULT_LOCKING,
        NationalLanguage.TURKISH: _TURKISH_LOCKING,
        NationalLanguage.SPANISH: _DEFAULT_LOCKING,  # A.3.2: Spanish has none
        NationalLanguage.PORTUGUESE: _PORTUGUESE_LOCKING,
        NationalLanguage.BENGALI: _indic_locking(
            0x0980, "0d0e 1112 29 31 333435 4546 494a", "\u09ce\u09d7\u09dc\u09dd\u09f0\u09f1"
        ),
        NationalLanguage.GUJARATI: _indic_locking(
            0x0A80, "0e 12 29 31 34 46 4a", "\u0ad0\u0ae0\u0ae1\u0ae2\u0ae3\u0af1"
        ),
        NationalLanguage.HINDI: _indic_locking(0x0900, "", "\u0950\u0972\u097b\u097c\u097e\u097f"),
        NationalLanguage.KANNADA: _indic_locking(
            0x0C80, "01 0d 11 29 34 45 49", "\u0cd5\u0cd6\u0ce0\u0ce1\u0ce2\u0ce3"
        ),
        NationalLanguage.MALAYALAM: _indic_locking(
            0x0D00, "01 0d 11 29 3c 45 49", "\u0d57\u0d60\u0d61\u0d62\u0d63\u0d79"
        ),
        NationalLanguage.ORIYA: _indic_locking(
            0x0B00, "0d0e 1112 29 31 34 4546 494a", "\u0b56\u0b57\u0b60\u0b61\u0b62\u0b63"
        ),
        NationalLanguage.PUNJABI: _indic_locking(
            0x0A00, "0b0c0d0e 1112 29 31 34 37 3d 43444546 494a", "\u0a51\u0a70\u0a71\u0a72\u0a73\u0a74"
        ),
        NationalLanguage.TAMIL: _indic_locking(
            0x0B80,
            "01 0b0c0d 11 161718 1b 1d 202122 252627 2b2c2d 3c3d 434445 49",
            "\u0bd0\u0bd7\u0bf0\u0bf1\u0bf2\u0bf9",
        ),
        NationalLanguage.TELUGU: _indic_locking(0x0C00, "0d 11 29 34 3c 45 49", "\u0c55\u0c56\u0c60\u0c61\u0c62\u0c63"),
        NationalLanguage.URDU: _URDU_LOCKING,
    }
)
"""The 128 characters of each locking shift table, by septet."""

_DEFAULT_SINGLE: Final = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
_TURKISH_SINGLE: Final = _DEFAULT_SINGLE | {
    0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "\u0131", 0x73: "ş",
}  # fmt: skip
_SPANISH_SINGLE: Final = _DEFAULT_SINGLE | {
    0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú",
}  # fmt: skip
_PORTUGUESE_SINGLE: Final = _DEFAULT_SINGLE | {
    0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á",
    0x12: "Φ", 0x13: "Γ", 0x15: "Ω", 0x16: "Π", 0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê",
    0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x5B: "Ã", 0x5C: "Õ",
    0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â",
}  # fmt: skip

# What the single shift tables of India have in common, and the septets where their own characters stand.
_INDIC_SINGLE: Final = (
    _DEFAULT_SINGLE
    | dict(enumerate("@£$¥¿\"¤%&'\f*+"))
    | dict(enumerate("-/<=>¡^¡_#*", 0x0E))
    | dict(enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0x41))
)
_INDIC_OWN: Final = (0x19, 0x1A, *range(0x1C, 0x28), *range(0x2A, 0x2F), *range(0x30, 0x3C), 0x3F)


def _indic_single(own: str) -> Mapping[int, str]:
    table = _INDIC_SINGLE | dict(zip(_INDIC_OWN, own, strict=False))
    return MappingProxyType({septet: char for septet, char in table.items() if char != RESERVED})


_DANDAS: Final = "\u0964\u0965"

SINGLE: Final[Mapping[NationalLanguage, Mapping[int, str]]] = MappingProxyType(
    {
        NationalLanguage.DEFAULT: MappingProxyType(_DEFAULT_SINGLE),
        NationalLanguage.TURKISH: MappingProxyType(_TURKISH_SINGLE),
        NationalLanguage.SPANISH: MappingProxyType(_SPANISH_SINGLE),
        NationalLanguage.PORTUGUESE: MappingProxyType(_PORTUGUESE_SINGLE),
        NationalLanguage.BENGALI: _indic_single(
            "\u09e6\u09e7\u09e8\u09e9\u09ea\u09eb\u09ec\u09ed\u09ee\u09ef\u09df\u09e0\u09e1\u09e2\u09e3"
            "\u09f2\u09f3\u09f4\u09f5\u09f6\u09f7\u09f8\u09f9\u09fa"
        ),
        NationalLanguage.GUJARATI: _indic_single(
            _DANDAS + "\u0ae6\u0ae7\u0ae8\u0ae9\u0aea\u0aeb\u0aec\u0aed\u0aee\u0aef"
        ),
        NationalLanguage.HINDI: _indic_single(
            _DANDAS + "\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d\u096e\u096f"
            "\u0951\u0952\u0953\u0954\u0958\u0959\u095a\u095b\u095c\u095d\u095e\u095f\u0960\u0961\u0962\u0963\u0970\u0971"
        ),
        NationalLanguage.KANNADA: _indic_single(
            _DANDAS + "\u0ce6\u0ce7\u0ce8\u0ce9\u0cea\u0ceb\u0cec\u0ced\u0cee\u0cef\u0cde\u0cf1\u0cf2"
        ),
        NationalLanguage.MALAYALAM: _indic_single(
            _DANDAS + "\u0d66\u0d67\u0d68\u0d69\u0d6a\u0d6b\u0d6c\u0d6d\u0d6e\u0d6f"
            "\u0d70\u0d71\u0d72\u0d73\u0d74\u0d75\u0d7a\u0d7b\u0d7c\u0d7d\u0d7e\u0d7f"
        ),
        NationalLanguage.ORIYA: _indic_single(
            _DANDAS + "\u0b66\u0b67\u0b68\u0b69\u0b6a\u0b6b\u0b6c\u0b6d\u0b6e\u0b6f\u0b5c\u0b5d\u0b5f\u0b70\u0b71"
        ),
        NationalLanguage.PUNJABI: _indic_single(
            _DANDAS + "\u0a66\u0a67\u0a68\u0a69\u0a6a\u0a6b\u0a6c\u0a6d\u0a6e\u0a6f\u0a59\u0a5a\u0a5b\u0a5c\u0a5e\u0a75"
        ),
        NationalLanguage.TAMIL: _indic_single(
            _DANDAS + "\u0be6\u0be7\u0be8\u0be9\u0bea\u0beb\u0bec\u0bed\u0bee\u0bef"
            "\u0bf3\u0bf4\u0bf5\u0bf6\u0bf7\u0bf8\u0bfa"
        ),
        NationalLanguage.TELUGU: _indic_single(
            RESERVED * 2 + "\u0c66\u0c67\u0c68\u0c69\u0c6a\u0c6b\u0c6c\u0c6d\u0c6e\u0c6f"
            "\u0c58\u0c59\u0c78\u0c79\u0c7a\u0c7b\u0c7c\u0c7d\u0c7e\u0c7f"
        ),
        NationalLanguage.URDU: _indic_single(
            "\u0600\u0601\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9\u060c\u060d\u060e\u060f"
            "\u0610\u0611\u0612\u0613\u0614\u061b\u061f\u0640\u0652\u0658\u066b\u066c\u0672\u0673\u06cd\u06d4"
        ),
    }
)
"""The characters of each single shift table, by the septet after the escape."""
