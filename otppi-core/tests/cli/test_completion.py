import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from otppi.cli.completion import SHELLS
from otppi.testing.waiting import PATIENCE


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_are_valid(otppi: Callable[..., Any], shell: str) -> None:
    result = otppi("completion", shell)
    assert result.code == 0
    assert "doctor" in result.out
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=result.out, text=True, check=True, timeout=PATIENCE)


def test_bash_completes_commands_options_and_files(otppi: Callable[..., Any], tmp_path: Any) -> None:
    (tmp_path / "completion").write_text(otppi("completion", "bash").out)
    (tmp_path / "provision.json").touch()
    (tmp_path / "folder").mkdir()

    def complete(*words: str) -> set[str]:
        quoted = " ".join(f"'{word}'" for word in words)
        script = (
            f"source completion; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _shtab_otppi; "
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        bash = ["bash", "--norc", "-c", script]
        return set(subprocess.run(bash, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE).stdout.split())

    assert complete("otppi", "do") == {"doctor"}
    assert complete("otppi", "user", "") >= {"add", "list", "remove"}
    assert complete("otppi", "keys", "") >= {"rotate", "show"}
    assert complete("otppi", "keys", "--p") == {"--pem"}
    assert complete("otppi", "run", "--pro") == {"--provision"}
    assert "provision.json" in complete("otppi", "run", "--provision", "pro")
