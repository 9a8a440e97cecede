"""Many positions in one pass, by the C interface of the llama.cpp library that xllamacpp carries.

llama.cpp's server gives the probabilities of one position a request; a repair wants those of every token of a region.
Only the server's child process imports this. The structures of the C interface differ between versions and carry no
version, so `Library.load` compares the library's own defaults with the one layout that is known and refuses any other;
whoever asks then falls back to the server. Layout: `llama.h` of llama.cpp b11549, on 64-bit little-endian machines.
"""

from __future__ import annotations

import ctypes
import importlib
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

_CONTEXT_WORDS: Final = 64
_MODEL_WORDS: Final = 40
# (index of the 32-bit word, value): what `llama_context_default_params` gives in the known layout.
_CONTEXT_KNOWN: Final = (
    (0, 512), (1, 2048), (2, 512), (3, 1), (4, 0), (5, 0), (6, 1), (7, 4), (8, 4), (9, 0),
    *((i, 0xFFFFFFFF) for i in (10, 11, 12, 13)),
    *((i, struct.unpack("<I", struct.pack("<f", -1.0))[0]) for i in (16, 17, 18, 19, 21)),
    (26, 1), (27, 1), (34, 0x01010100),
)  # fmt: skip
_MODEL_KNOWN: Final = ((4, 0xFFFFFFFF), (5, 1), (18, 0x00010000))
_N_CTX, _N_BATCH, _N_UBATCH, _N_SEQ, _N_OUT, _N_OUT_SEQ, _THREADS, _THREADS_BATCH = 0, 1, 2, 3, 5, 6, 7, 8
_KV_UNIFIED_BYTE: Final = 141
_EXTRA_BUFFERS_BYTE: Final = 74

_SEQUENCES: Final = 8
_OUTPUTS: Final = 64
_BATCH: Final = 256
_PIECE: Final = 256
_NEAR: Final = 20.0
"""What is so much less likely than the best (natural logarithms) adds nothing to the sum: sixteen times as quick."""

Row: TypeAlias = list[tuple[int, float, bytes]]
"""Tokens that could stand at one place, likeliest first: id, natural log-probability, bytes."""


class UnsupportedError(Exception):
    """The library is not the known one, or numpy is missing."""


class AbandonedError(Exception):
    """Whoever asked has gone."""


class TooLongError(Exception):
    """More tokens than the context holds."""


class _ContextParams(ctypes.Structure):
    _fields_ = (("w", ctypes.c_uint32 * _CONTEXT_WORDS),)


class _ModelParams(ctypes.Structure):
    _fields_ = (("w", ctypes.c_uint32 * _MODEL_WORDS),)


class _Batch(ctypes.Structure):
    _fields_ = (
        ("n_tokens", ctypes.c_int32),
        ("token", ctypes.POINTER(ctypes.c_int32)),
        ("embd", ctypes.c_void_p),
        ("pos", ctypes.POINTER(ctypes.c_int32)),
        ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
        ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
        ("logits", ctypes.POINTER(ctypes.c_int8)),
    )


def _load() -> tuple[Any, Any]:
    """The library with its signatures set, and numpy. Raises UnsupportedError."""
    if sys.byteorder != "little" or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise UnsupportedError("an unknown kind of machine")
    try:
        numpy: Any = importlib.import_module("numpy")
        module: Any = importlib.import_module("xllamacpp.xllamacpp")
        library: Any = ctypes.CDLL(module.__file__)
        pointer, number = ctypes.c_void_p, ctypes.c_int32
        for name, result, arguments in (
            ("llama_context_default_params", _ContextParams, ()),
            ("llama_model_default_params", _ModelParams, ()),
            ("llama_model_load_from_file", pointer, (ctypes.c_char_p, _ModelParams)),
            ("llama_init_from_model", pointer, (pointer, _ContextParams)),
            ("llama_model_get_vocab", pointer, (pointer,)),
            ("llama_vocab_n_tokens", number, (pointer,)),
            ("llama_batch_init", _Batch, (number, number, number)),
            ("llama_decode", number, (pointer, _Batch)),
            ("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float), (pointer, number)),
            ("llama_get_memory", pointer, (pointer,)),
            ("llama_memory_seq_rm", ctypes.c_bool, (pointer, number, number, number)),
            ("llama_memory_seq_cp", None, (pointer, number, number, number, number)),
            (
                "llama_token_to_piece",
                number,
                (pointer, number, ctypes.c_char_p, number, number, ctypes.c_bool),
            ),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (ImportError, OSError, AttributeError) as error:
        raise UnsupportedError(str(error)) from error
    _compare(library.llama_context_default_params().w, _CONTEXT_KNOWN)
    _compare(library.llama_model_default_params().w, _MODEL_KNOWN)
    return library, numpy


def _compare(words: Sequence[int], known: Sequence[tuple[int, int]]) -> None:
    if any(words[index] != value for index, value in known):
        raise UnsupportedError("the library's structures are not the known ones")


@dataclass(slots=True)
class Engine:
    """A context of its own on the model file. Not safe for threads: one call at a time.

    Sequence 0 holds the tokens that were looked at last; the others are for lines that are finished side by side.
    """

    path: Path
    context: int
    threads: int
    _library: Any = field(init=False, default=None)
    _numpy: Any = field(init=False, default=None)
    _model: Any = field(init=False, default=None)
    _ctx: Any = field(init=False, default=None)
    _memory: Any = field(init=False, default=None)
    _vocab: Any = field(init=False, default=None)
    _batch: Any = field(init=False, default=None)
    _size: int = field(init=False, default=0)
    _held: list[int] = field(init=False, default_factory=list[int])
    _pieces: dict[int, bytes] = field(init=False, default_factory=dict[int, bytes])

    @staticmethod
    def supported() -> bool:
        """Whether the library is the known one. Loads it, but no model."""
        try:
            _load()
        except UnsupportedError:
            return False
        return True

    def open(self) -> None:
        """Map the model's file. Raises UnsupportedError."""
        if self._ctx is not None:
            return
        self._library, self._numpy = _load()
        params = self._library.llama_model_default_params()
        # Weights as they stand in the file: the server's process has that very file mapped, so they cost no memory.
        ctypes.cast(ctypes.byref(params), ctypes.POINTER(ctypes.c_uint8))[_EXTRA_BUFFERS_BYTE] = 0
        self._model = self._library.llama_model_load_from_file(str(self.path).encode(), params)
        settings = self._library.llama_context_default_params()
        for index, value in (
            (_N_CTX, self.context), (_N_BATCH, _BATCH), (_N_UBATCH, _BATCH), (_N_SEQ, _SEQUENCES),
            (_N_OUT, _OUTPUTS), (_N_OUT_SEQ, _OUTPUTS), (_THREADS, self.threads), (_THREADS_BATCH, self.threads),
        ):  # fmt: skip
            settings.w[index] = value
        ctypes.cast(ctypes.byref(settings), ctypes.POINTER(ctypes.c_uint8))[_KV_UNIFIED_BYTE] = 1
        self._ctx = self._library.llama_init_from_model(self._model, settings) if self._model else None
        if not self._ctx:
            raise UnsupportedError("the model could not be opened")
        self._memory = self._library.llama_get_memory(self._ctx)
        self._vocab = self._library.llama_model_get_vocab(self._model)
        self._size = int(self._library.llama_vocab_n_tokens(self._vocab))
        self._batch = self._library.llama_batch_init(_BATCH, 0, 1)

    def scan(self, prefix: Sequence[int], tokens: Sequence[int], count: int, gone: Callable[[], bool]) -> list[Row]:
        """For each of `tokens`, which follow `prefix`, the likeliest tokens in its place.

        Raises TooLongError, and AbandonedError where `gone` says so.
        """
        everything = [*prefix, *tokens]
        self._fits(len(everything), prefix)
        first = len(prefix) - 1
        self._hold(everything, first, gone)
        rows: list[Row] = []
        for start in range(first, len(everything) - 1, _OUTPUTS):
            if gone():
                raise AbandonedError
            part = everything[start : min(start + _OUTPUTS, len(everything) - 1)]
            self._decode([(token, start + i, 0, 1) for i, token in enumerate(part)])
            self._held += part
            rows += [self._top(i, count) for i in range(len(part))]
        return rows

    def lines(self, prefixes: Sequence[Sequence[int]], limit: int, gone: Callable[[], bool]) -> list[bytes]:
        """Greedy bytes after each prefix up to the end of the line, its `\\n` included if it came within `limit`."""
        results: list[bytes] = []
        for start in range(0, len(prefixes), _SEQUENCES - 1):
            results += self._lines(prefixes[start : start + _SEQUENCES - 1], limit, gone)
        return results

    def _lines(self, prefixes: Sequence[Sequence[int]], limit: int, gone: Callable[[], bool]) -> list[bytes]:
        self._fits(max(*map(len, prefixes), len(self._held)) + len(prefixes) * (limit + 1), min(prefixes, key=len))
        base = max(prefixes, key=lambda p: (_common(p, self._held), len(p)))
        if _common(base, self._held) < len(base) - 1:  # else what is held already goes on past it, and stays
            self._hold(base, len(base) - 1, gone)
        written = [bytearray() for _ in prefixes]
        waiting: list[tuple[int, int, int]] = []  # (prefix, token to feed, its position)
        for number, tokens in enumerate(prefixes):
            sequence = number + 1
            shared = min(_common(tokens, self._held), len(tokens) - 1)
            self._library.llama_memory_seq_cp(self._memory, 0, sequence, 0, shared)
            for at in range(shared, len(tokens) - 1, _BATCH):
                part = tokens[at : min(at + _BATCH, len(tokens) - 1)]
                self._decode([(token, at + i, sequence, 0) for i, token in enumerate(part)])
            waiting.append((number, tokens[-1], len(tokens) - 1))
        try:
            for _ in range(limit):
                if not waiting:
                    break
                if gone():
                    raise AbandonedError
                self._decode([(token, position, number + 1, 1) for number, token, position in waiting])
                following: list[tuple[int, int, int]] = []
                for index, (number, _token, position) in enumerate(waiting):
                    best = int(self._logits(index).argmax())
                    data = self._piece(best)
                    head, newline, _rest = data.partition(b"\n")
                    written[number] += head + newline
                    if data and not newline:
                        following.append((number, best, position + 1))
                waiting = following
        finally:
            for number in range(len(prefixes)):
                self._library.llama_memory_seq_rm(self._memory, number + 1, -1, -1)
        return [bytes(line) for line in written]

    def _fits(self, needed: int, shortest: Sequence[int]) -> None:
        if not shortest:
            raise ValueError("a prefix is empty")
        if needed > self.context:
            raise TooLongError(f"{needed} tokens, and the context holds {self.context}")

    def _hold(self, tokens: Sequence[int], upto: int, gone: Callable[[], bool]) -> None:
        """Bring sequence 0 to exactly `tokens[:upto]`, keeping what it shares."""
        shared = min(_common(tokens, self._held), upto)
        self._library.llama_memory_seq_rm(self._memory, 0, shared, -1)
        del self._held[shared:]
        for at in range(shared, upto, _BATCH // 2):
            if gone():
                raise AbandonedError
            part = list(tokens[at : min(at + _BATCH // 2, upto)])
            self._decode([(token, at + i, 0, 0) for i, token in enumerate(part)])
            self._held += part

    def _decode(self, items: Sequence[tuple[int, int, int, int]]) -> None:
        """Evaluate (token, position, sequence, whether its logits are wanted)."""
        batch = self._batch
        batch.n_tokens = len(items)
        for i, (token, position, sequence, wanted) in enumerate(items):
            if not 0 <= token < self._size:
                raise ValueError(f"there is no token {token}")
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = token, position, 1
            batch.seq_id[i][0], batch.logits[i] = sequence, wanted
        if self._library.llama_decode(self._ctx, batch):
            self._library.llama_memory_seq_rm(self._memory, -1, -1, -1)
            self._held.clear()
            raise TooLongError("the context is full")

    def _logits(self, index: int) -> Any:
        pointer = self._library.llama_get_logits_ith(self._ctx, index)
        return self._numpy.ctypeslib.as_array(pointer, (self._size,))

    def _top(self, index: int, count: int) -> Row:
        np, logits = self._numpy, self._logits(index)
        highest = logits.max()
        near = np.flatnonzero(logits > highest - _NEAR)
        if len(near) < count:
            near = np.argpartition(logits, -count)[-count:]
        values = logits[near]
        total = highest + np.log(np.exp(values - highest).sum())
        best = near[np.argsort(-values)[:count]]
        return [(int(i), float(logits[i] - total), self._piece(int(i))) for i in best]

    def _piece(self, token: int) -> bytes:
        """The token's bytes; empty for control tokens such as the end of the turn."""
        if token not in self._pieces:
            buffer = ctypes.create_string_buffer(_PIECE)
            size = self._library.llama_token_to_piece(self._vocab, token, buffer, _PIECE, 0, False)
            self._pieces[token] = buffer.raw[: max(0, size)]
        return self._pieces[token]


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
