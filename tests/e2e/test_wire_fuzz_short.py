"""The wire under fire, in short; `make torture` does the same with many more seeds (`tests/torture`)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kaaj_server import testing_siege as siege
from kaaj_server.testing_siege import Way
from kaaj_server.testing_wire import broken_streams

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is looked at in /proc")
WAYS: list[Way] = ["stdio", "tcp"]


@pytest.mark.parametrize("way", WAYS)
async def test_whatever_is_framed_well_is_answered_and_the_server_lives(tmp_path: Path, way: Way) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        assert await siege.odd_messages(env, folder, way, range(5)) == 1_500


async def test_a_stream_that_is_no_messages_ends_the_server(tmp_path: Path) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        assert await siege.broken_framing(env, folder, "stdio", broken_streams(0)[::8]) == 2


async def test_a_stranger_whose_stream_is_no_messages_is_hung_up_on(tmp_path: Path) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        assert await siege.broken_strangers(env, folder, broken_streams(0)) == 15


@pytest.mark.parametrize("cancels", [False, True])
async def test_a_flood_is_answered_to_the_last(tmp_path: Path, cancels: bool) -> None:  # noqa: FBT001 - a case
    async with siege.yard(tmp_path) as (env, folder):
        await siege.flood(env, folder, "stdio", 2_000, cancels=cancels)


async def test_notifications_are_no_open_requests(tmp_path: Path) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        await siege.notified(env, folder, 1_600)


@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_fetches_nothing_makes_the_server_wait_and_not_grow(tmp_path: Path, way: Way) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        await siege.deaf_client(env, folder, way)


@pytest.mark.parametrize("way", WAYS)
async def test_a_message_over_the_limit_is_read_past(tmp_path: Path, way: Way) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        await siege.too_large(env, folder, way)


async def test_out_of_turn_everything_is_refused(tmp_path: Path) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        await siege.out_of_turn(env, folder)


async def test_a_client_that_never_reads_the_log_hangs_nothing(tmp_path: Path) -> None:
    async with siege.yard(tmp_path) as (env, folder):
        await siege.unread_log(env, folder)
