"""What models can do: sampling as their makers recommend it, context window, tools, and the loop that suits them.

Sources: the models' generation_config.json and cards on Hugging Face (Qwen3-Coder 480B/30B: 0.7, 0.8, 20, 1.05;
Coder-Next: 1.0, 0.95, 40; Qwen2.5-Coder: 0.7, 0.8, 20, 1.1), DashScope's model list for the hosted names. A window
here is what the model allows; what a server really serves is asked from the server and counts more. Fill-in tokens: the
models' tokenizer_config.json and cards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kaaj_agent.ports import FillIn, Profile, Sampling

_QWEN3_CODER = Sampling(temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.05)
_QWEN3_NEXT = Sampling(temperature=1.0, top_p=0.95, top_k=40)
_QWEN25_CODER = Sampling(temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.1)
_DEFAULT = Sampling()
_QWEN_FILL = FillIn(
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<|repo_name|>",
    "<|file_sep|>",
    (
        *("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>"),
        *("<|repo_name|>", "<|file_sep|>", "<|endoftext|>", "<|im_end|>"),
    ),
)
_DEEPSEEK_FILL = FillIn(
    "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", stop=("<｜fim▁begin｜>", "<｜end▁of▁sentence｜>")
)

GUIDED_UP_TO = 8.0
"""Billions of parameters up to which a model is not trusted with free tool use."""


@dataclass(frozen=True, slots=True)
class _Family:
    pattern: str
    window: int
    sampling: Sampling = _DEFAULT
    big: bool = False  # of one size, and capable: its name's digits say nothing
    fill_in: FillIn | None = None


_FAMILIES = (
    _Family(r"qwen3-?coder-?next", 262_144, _QWEN3_NEXT, big=True, fill_in=_QWEN_FILL),
    _Family(r"qwen3-?coder-?(plus|flash)", 1_000_000, _QWEN3_CODER, big=True, fill_in=_QWEN_FILL),
    _Family(r"qwen3-?coder", 262_144, _QWEN3_CODER, big=True, fill_in=_QWEN_FILL),
    _Family(r"qwen2\.?5-?coder", 32_768, _QWEN25_CODER, fill_in=_QWEN_FILL),
    _Family(r"codeqwen|qwen", 32_768),
    _Family(r"gpt-?5", 400_000, big=True),
    _Family(r"gpt-?4\.1", 1_047_576, big=True),
    _Family(r"gpt-?oss", 131_072),
    _Family(r"gpt-?4o|gpt-?4-turbo|\bo[134]\b", 128_000, big=True),
    _Family(r"claude", 200_000, big=True),
    _Family(r"gemini", 1_048_576, big=True),
    _Family(r"kimi-?k2.*(?:0905|thinking|turbo)", 262_144, big=True),
    _Family(r"kimi", 131_072, big=True),
    _Family(r"deepseek-?coder-?v2", 131_072, fill_in=_DEEPSEEK_FILL),
    _Family(r"deepseek-?coder", 16_384, fill_in=_DEEPSEEK_FILL),
    _Family(r"deepseek-?r1-?distill", 131_072),
    _Family(r"deepseek", 128_000),
    _Family(r"glm-?4", 128_000),
    _Family(r"minimax", 192_000, big=True),
    _Family(r"devstral|mistral|codestral", 131_072),
    _Family(r"llama-?3|llama-?4", 131_072),
)
_UNKNOWN = _Family("", 32_768)

MAX_TOKENS = 8_192
"""Tokens of one reply; less where the window is small."""


def profile_for(
    model: str,
    *,
    window: int | None = None,
    loop: Literal["auto", "agentic", "guided"] = "auto",
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    repetition_penalty: float | None = None,
    seed: int | None = None,
    tool_calls: Literal["auto", "native", "xml", "hermes"] = "auto",
) -> Profile:
    """The profile of a model by its name, in any of the ways in which servers write it.

    `window` is the real one where it is known, in tokens. The rest are the user's settings, which win: `tool_calls`
    other than `auto` and `native` has the tools told and called in the text, whatever the endpoint can.
    """
    family = _family(model)
    size = parameters(model)
    small = not family.big and size is not None and size <= GUIDED_UP_TO
    real = window or family.window
    own = family.sampling
    sampling = Sampling(
        own.temperature if temperature is None else temperature,
        own.top_p if top_p is None else top_p,
        own.top_k if top_k is None else top_k,
        own.repetition_penalty if repetition_penalty is None else repetition_penalty,
        seed,
    )
    return Profile(
        model=model,
        window=real,
        loop=("guided" if small else "agentic") if loop == "auto" else loop,
        sampling=sampling,
        max_tokens=max(min(MAX_TOKENS, real // 4), 256),
        fill_in=family.fill_in,
        native_tools=tool_calls in ("auto", "native"),
        dialect=tool_calls if tool_calls in ("xml", "hermes") else "hermes" if writes_hermes(model) else "xml",
    )


def parameters(model: str) -> float | None:
    """Billions of parameters as the name tells them (the whole of a mixture, not its active part)."""
    sizes = [float(size) for size in re.findall(r"(?<![a-z\d.])(\d+(?:\.\d+)?)b(?![a-z\d])", model.lower())]
    return max(sizes, default=None)


def prefer(models: Sequence[str]) -> str:
    """The model to take of those that a server has: coder models first, then the larger; "" where none can chat."""
    able = [name for name in models if not re.search(r"embed|rerank|whisper|tts|bge-|clip|guard", name.lower())]

    def rank(name: str) -> tuple[int, float, int]:
        low = name.lower()
        coder = 3 if re.search(r"qwen3-?coder", low) else 2 if re.search(r"coder|code|devstral", low) else 0
        return coder, parameters(name) or 0.0, -able.index(name)

    return max(able, key=rank, default="")


def writes_hermes(model: str) -> bool:
    """Whether the model was taught calls as JSON rather than Qwen3-Coder's XML."""
    return re.search(r"qwen-?2|hermes|codeqwen", model.lower()) is not None


def _family(model: str) -> _Family:
    name = model.lower().replace("_", "-").replace(" ", "-")
    return next((family for family in _FAMILIES if re.search(family.pattern, name)), _UNKNOWN)
