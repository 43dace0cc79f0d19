"""How hard a password is to guess: zxcvbn, in a process that lives for one answer, since its dictionaries take 14 MB.

Run as `python -m otppi.host.administrators.strength`. It reads a JSON line `{"password": …, "words": […]}` from stdin
and writes `{"score": 0 to 4, "weakness": one of WEAKNESSES}`.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LOOKED_AT = 40
"""Characters: the whole is no easier to guess than its beginning, and zxcvbn takes seconds for 128 of them."""
WEAKNESSES = ("own", "known", "word", "keyboard", "repeat", "sequence", "date", "short")
_NICE = 10

_INDONESIAN = """
admin administrator operator rahasia sandi katasandi kunci buka masuk bismillah alhamdulillah assalamualaikum
insyaallah subhanallah astaghfirullah allahuakbar muhammad islam merdeka indonesia garuda pancasila nusantara jakarta
surabaya bandung semarang medan makassar yogyakarta jogja denpasar palembang malang bogor depok bekasi tangerang
bali jawa sumatera kalimantan sulawesi papua lombok sayang cinta sayangku cintaku kamu aku kita selamanya terimakasih
selamat pagi siang malam makan minum nasi goreng kopi rumah mobil motor sekolah kantor kerja uang kaya sukses bahagia
keluarga ibu bapak ayah mama papa adik kakak anak teman sahabat budi agus joko siti dewi putri putra wati sari ratna
andi dian rina tono bambang susanto setiawan wijaya kusuma hidayat rahman ahmad nur fitri ayu bintang bulan matahari
kucing anjing harimau macan naga persib persija arema persebaya bola juara telkomsel indosat axis tri smartfren pulsa
modem gateway pesan kirim server raspberry januari februari maret april mei juni juli agustus september oktober
november desember senin selasa rabu kamis jumat sabtu minggu satu dua tiga empat lima enam tujuh delapan sembilan
sepuluh
"""


def judged(password: str, words: Iterable[str]) -> dict[str, Any]:
    """Return the score of a password, and what makes it weak.

    Args:
        password: It.
        words: That whoever guesses tries first: names, numbers.
    """
    from zxcvbn import zxcvbn  # here, as the gateway imports this module for its words

    given = [*words, *_INDONESIAN.split()]
    result = zxcvbn(password[:LOOKED_AT], user_inputs=given)
    return {"score": result["score"], "weakness": weakness_of(result["sequence"])}


def weakness_of(sequence: Sequence[Mapping[str, Any]]) -> str:
    """Return the weakness of the longest part that can be guessed otherwise than by trying all characters."""
    parts = [part for part in sequence if part["pattern"] != "bruteforce"]
    if not parts:
        return "short"
    part = max(parts, key=lambda one: len(one["token"]))
    kinds = {"spatial": "keyboard", "repeat": "repeat", "sequence": "sequence", "date": "date", "regex": "date"}
    if part["pattern"] != "dictionary":
        return kinds[part["pattern"]]
    return {"user_inputs": "own", "passwords": "known"}.get(part["dictionary_name"], "word")


def main() -> None:
    """Answer one question, and end."""
    os.nice(_NICE)
    asked = json.loads(sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(judged(asked["password"], asked["words"])))


if __name__ == "__main__":
    main()
