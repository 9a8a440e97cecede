"""Capabilities are read from anything a client may send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_server.lsp.features import Features, read
from kaaj_server.testing import EGLOT, NEOVIM_07, NEOVIM_11, VSCODE, with_events

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["workspace", "workspaceEdit", "general", "window", "experimental", "kaaj", "version"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_nothing_a_client_sends_is_too_odd(capabilities: Any) -> None:
    assert isinstance(read(capabilities), Features)


def test_the_editors_that_are_known() -> None:
    code, eleven, seven, eglot = map(read, (VSCODE, NEOVIM_11, NEOVIM_07, EGLOT))
    assert [one.annotations for one in (code, eleven, seven, eglot)] == [True, False, False, False]
    assert [one.document_changes for one in (code, eleven, seven, eglot)] == [True, True, True, True]
    assert [one.resolve_edit for one in (code, eleven, seven, eglot)] == [True, True, True, False]
    assert [one.encoding for one in (code, eleven, seven, eglot)] == ["utf-16", "utf-8", "utf-16", "utf-16"]
    assert eglot.operations == frozenset()
    assert [one.progress for one in (code, eleven, seven, eglot)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("declared", "events", "complains"),
    [
        ({"version": 1}, True, False),
        ({"version": 2}, False, True),
        ({"version": "1"}, False, True),
        ({}, False, True),
        (None, False, False),
        (False, False, False),
    ],
)
def test_the_stream_is_for_its_own_version(declared: Any, events: bool, complains: bool) -> None:  # noqa: FBT001
    features = read({"experimental": {"kaaj": declared}})
    assert features.events is events
    assert bool(features.version_complaint) is complains


def test_the_same_client_with_the_stream() -> None:
    assert read(with_events(VSCODE)).events
    assert not read(VSCODE).events
