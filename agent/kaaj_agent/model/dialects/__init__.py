"""Dialects: what a reply means is decided here and nowhere else.

Native `tool_calls`, Qwen3-Coder's XML, Hermes JSON, JSON in a fence, bare JSON; whole or in any chunking.
"""

from kaaj_agent.model.dialects.reader import Outcome, ReplyReader, read_reply

__all__ = ["Outcome", "ReplyReader", "read_reply"]
