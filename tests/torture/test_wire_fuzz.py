"""The wire under fire, by the number of seeds in KAAJ_TORTURE: 300 odd messages and 15 broken streams a seed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kaaj_server import testing_siege as siege
from kaaj_server.testing_siege import Way
from kaaj_server.testing_wire import broken_streams

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="memory is looked at in /proc"),
    pytest.mark.timeout(3_600),
]
SEEDS = int(os.environ.get("KAAJ_TORTURE", "20"))
WAYS: list[Way] = ["stdio", "tcp"]


@pytest.mark.parametrize("way", WAYS)
async def test_whatever_is_framed_well_is_answered_and_the_server_lives(tmp_path: Path, way: Way) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        count = await siege.odd_messages(env, folder, way, range(1_000, 1_000 + SEEDS))
        print(f"{way}: {count:,} odd messages")


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_that_is_no_messages_ends_the_server(tmp_path: Path, way: Way) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        count = await siege.broken_framing(env, folder, way, broken_streams(0))
        print(f"{way}: {count:,} broken streams")


async def test_a_stranger_whose_stream_is_no_messages_is_hung_up_on(tmp_path: Path) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        streams = [stream for seed in range(SEEDS) for stream in broken_streams(seed)]
        print(f"{await siege.broken_strangers(env, folder, streams):,} broken streams of strangers")


@pytest.mark.parametrize("cancels", [False, True])
@pytest.mark.parametrize("way", WAYS)
async def test_a_flood_is_answered_to_the_last(tmp_path: Path, way: Way, cancels: bool) -> None:  # noqa: FBT001 - a case
    async with siege.yard(tmp_path) as (env, folder):
        await siege.flood(env, folder, way, 10_000, cancels=cancels)
