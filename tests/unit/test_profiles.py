"""What is known about models by their names."""

from __future__ import annotations

from typing import Literal

import pytest

from kaaj_agent.model.profiles import parameters, prefer, profile_for, writes_hermes
from kaaj_agent.ports import Sampling


@pytest.mark.parametrize(
    ("model", "loop", "window", "temperature"),
    [
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct", "agentic", 262_144, 0.7),
        ("qwen3-coder:30b", "agentic", 262_144, 0.7),
        ("Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf", "agentic", 262_144, 0.7),
        ("Qwen3-Coder-Next", "agentic", 262_144, 1.0),
        ("qwen3-coder-plus", "agentic", 1_000_000, 0.7),
        ("qwen/qwen3-coder-flash", "agentic", 1_000_000, 0.7),
        ("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", "guided", 32_768, 0.7),
        ("qwen2.5-coder:7b", "guided", 32_768, 0.7),
        ("qwen2.5-coder:0.5b", "guided", 32_768, 0.7),
        ("Qwen/Qwen2.5-Coder-14B-Instruct", "agentic", 32_768, 0.7),
        ("Qwen/Qwen2.5-Coder-32B-Instruct", "agentic", 32_768, 0.7),
        ("llama-3.1-8b-instruct", "guided", 131_072, None),
        ("somebody/unheard-of-3b", "guided", 32_768, None),
        ("unheard-of-70b", "agentic", 32_768, None),
        ("unheard-of", "agentic", 32_768, None),
        ("gpt-4o-mini", "agentic", 128_000, None),
        ("claude-sonnet-4-5", "agentic", 200_000, None),
        ("moonshotai/Kimi-K2-Instruct", "agentic", 131_072, None),
        ("moonshotai/kimi-k2-0905", "agentic", 262_144, None),
        ("deepseek-coder-v2:16b", "agentic", 131_072, None),
        ("deepseek-chat", "agentic", 128_000, None),
        ("zai-org/GLM-4.6", "agentic", 128_000, None),
    ],
)
def test_a_profile_by_name(model: str, loop: str, window: int, temperature: float | None) -> None:
    profile = profile_for(model)
    assert (profile.model, profile.loop, profile.window) == (model, loop, window)
    assert profile.sampling.temperature == temperature


def test_sampling_of_the_coder_family() -> None:
    coder = profile_for("qwen3-coder").sampling
    assert (coder.top_p, coder.top_k, coder.repetition_penalty) == (0.8, 20, 1.05)
    following = profile_for("qwen3-coder-next").sampling
    assert (following.top_p, following.top_k, following.repetition_penalty) == (0.95, 40, None)


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        ("Qwen3-Coder-30B-A3B-Instruct", "<|fim_prefix|>"),
        ("qwen3-coder-next", "<|fim_prefix|>"),
        ("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", "<|fim_prefix|>"),
        ("deepseek-coder-v2:16b", "<｜fim▁begin｜>"),
        ("gpt-4o-mini", None),
        ("unheard-of", None),
    ],
)
def test_how_a_model_fills_in(model: str, prefix: str | None) -> None:
    fill_in = profile_for(model).fill_in
    assert (fill_in and fill_in.prefix) == prefix
    if fill_in:
        assert fill_in.prefix in fill_in.stop


def test_settings_win() -> None:
    profile = profile_for("qwen2.5-coder:7b", window=4096, loop="agentic", temperature=0.0, seed=7)
    assert (profile.window, profile.loop, profile.max_tokens) == (4096, "agentic", 1024)
    assert (profile.sampling.temperature, profile.sampling.seed, profile.sampling.top_k) == (0.0, 7, 20)


@pytest.mark.parametrize(
    ("name", "size"), [("a-30b-a3b", 30.0), ("x:1.5b", 1.5), ("q4_0", None), ("bb8b", None), ("7B", 7.0)]
)
def test_the_size_in_a_name(name: str, size: float | None) -> None:
    assert parameters(name) == size


@pytest.mark.parametrize(
    ("models", "best"),
    [
        (["llama3:70b", "qwen2.5-coder:7b"], "qwen2.5-coder:7b"),
        (["qwen2.5-coder:7b", "qwen3-coder:30b"], "qwen3-coder:30b"),
        (["qwen2.5-coder:1.5b", "qwen2.5-coder:7b"], "qwen2.5-coder:7b"),
        (["nomic-embed-text", "mistral"], "mistral"),
        (["nomic-embed-text"], ""),
        ([], ""),
    ],
)
def test_the_model_to_take(models: list[str], best: str) -> None:
    assert prefer(models) == best


def test_which_models_write_hermes() -> None:
    assert writes_hermes("Qwen2.5-Coder-7B")
    assert not writes_hermes("qwen3-coder")


def test_every_part_of_the_sampling_can_be_set() -> None:
    profile = profile_for("qwen3-coder", top_p=0.5, top_k=0, repetition_penalty=1.0)
    assert profile.sampling == Sampling(0.7, 0.5, 0, 1.0)


@pytest.mark.parametrize(
    ("model", "wished", "native", "dialect"),
    [
        ("qwen3-coder", "auto", True, "xml"),
        ("qwen2.5-coder:7b", "auto", True, "hermes"),
        ("qwen2.5-coder:7b", "native", True, "hermes"),
        ("gpt-5", "auto", True, "xml"),
        ("qwen3-coder", "xml", False, "xml"),
        ("qwen3-coder", "hermes", False, "hermes"),
        ("qwen2.5-coder:7b", "xml", False, "xml"),
    ],
)
def test_the_form_of_calls(
    model: str, wished: Literal["auto", "native", "xml", "hermes"], *, native: bool, dialect: str
) -> None:
    profile = profile_for(model, tool_calls=wished)
    assert (profile.native_tools, profile.dialect) == (native, dialect)
