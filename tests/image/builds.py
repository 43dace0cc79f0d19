"""The image's roots, built once for a content: the twin of amd64, and the card of arm64."""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]
BUILT = TOP / "build/image"


def built(arch: str) -> Path:
    """Return the folder with what `image/bin/build` makes: `root`, `packages.tsv`, `sbom.spdx.json`.

    Where the environment's OTPPI_TESTED_IMAGE names a folder with a card's image, that one is tested.
    """
    if arch == "arm64" and (given := os.environ.get("OTPPI_TESTED_IMAGE")):
        return Path(given)
    folder = BUILT / arch
    environment = {**os.environ, "OTPPI_VENV": sys.prefix}
    done = subprocess.run(
        [TOP / "image/bin/build", arch, folder], env=environment, capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, f"the image cannot be built:\n{done.stdout[-1000:]}{done.stderr[-4000:]}"
    return folder
