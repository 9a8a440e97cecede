"""What real editors declare in `initialize`, for the fake one."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Json: TypeAlias = Any
_ACTIONS: Final[Json] = {
    "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "refactor", "refactor.rewrite"]}},
    "dataSupport": True,
    "resolveSupport": {"properties": ["edit"]},
}
_OPERATIONS: Final = ["create", "rename", "delete"]
VSCODE: Final[Json] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": _OPERATIONS,
            "changeAnnotationSupport": {"groupsOnLabel": True},
        },
        "codeLens": {"refreshSupport": True},
        "didChangeConfiguration": {"dynamicRegistration": True},
    },
    "textDocument": {"codeAction": _ACTIONS},
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
}
NEOVIM_11: Final[Json] = {
    "general": {"positionEncodings": ["utf-8", "utf-16", "utf-32"]},
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "workspaceEdit": {"resourceOperations": ["rename", "create", "delete"]},
        "codeLens": {"refreshSupport": True},  # as docs/neovim.md sets it up
    },
    "textDocument": {"codeAction": _ACTIONS},
    "window": {"workDoneProgress": True, "showDocument": {"support": True}, "showMessage": {}},
}
NEOVIM_07: Final[Json] = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"resourceOperations": ["rename", "create", "delete"]},
    },
    "textDocument": {"codeAction": _ACTIONS},
    "window": {"workDoneProgress": True, "showDocument": {"support": False}, "showMessage": {}},
}
EGLOT: Final[Json] = {
    "workspace": {"applyEdit": True, "configuration": True, "workspaceEdit": {"documentChanges": True}},
    "textDocument": {"codeAction": {"codeActionLiteralSupport": _ACTIONS["codeActionLiteralSupport"]}},
}


def with_events(capabilities: Json, version: int = 1, *, diagnostics: bool = False) -> Json:
    """The same client with the event stream, and with answers to `kaaj/diagnostics` where `diagnostics` is set."""
    return capabilities | {
        "experimental": {"kaaj": {"version": version} | ({"diagnostics": True} if diagnostics else {})}
    }
