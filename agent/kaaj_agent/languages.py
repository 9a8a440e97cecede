"""By file name: the language, as prompts call it, how its fence is tagged and its lines commented out; and whether
a file holds tests.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    """`fence` is the tag of a Markdown fence; `comment` begins a comment up to the line's end, or is empty."""

    name: str
    fence: str
    comment: str = ""


PLAIN: Final = Language("text", "text")

_TABLE: Final = (
    (Language("Python", "python", "#"), "py pyi pyw"),
    (Language("JavaScript", "javascript", "//"), "js mjs cjs"),
    (Language("JavaScript React", "jsx", "//"), "jsx"),
    (Language("TypeScript", "typescript", "//"), "ts mts cts"),
    (Language("TypeScript React", "tsx", "//"), "tsx"),
    (Language("Rust", "rust", "//"), "rs"),
    (Language("Go", "go", "//"), "go"),
    (Language("Java", "java", "//"), "java"),
    (Language("Kotlin", "kotlin", "//"), "kt kts"),
    (Language("Scala", "scala", "//"), "scala sc"),
    (Language("C", "c", "//"), "c h"),
    (Language("C++", "cpp", "//"), "cc cpp cxx hh hpp hxx"),
    (Language("C#", "csharp", "//"), "cs"),
    (Language("Swift", "swift", "//"), "swift"),
    (Language("Dart", "dart", "//"), "dart"),
    (Language("Zig", "zig", "//"), "zig"),
    (Language("PHP", "php", "//"), "php"),
    (Language("Ruby", "ruby", "#"), "rb rake gemspec Rakefile Gemfile"),
    (Language("Perl", "perl", "#"), "pl pm"),
    (Language("Lua", "lua", "--"), "lua"),
    (Language("R", "r", "#"), "r"),
    (Language("Julia", "julia", "#"), "jl"),
    (Language("Haskell", "haskell", "--"), "hs"),
    (Language("OCaml", "ocaml"), "ml mli"),
    (Language("Elixir", "elixir", "#"), "ex exs"),
    (Language("Erlang", "erlang", "%"), "erl hrl"),
    (Language("Clojure", "clojure", ";"), "clj cljs cljc edn"),
    (Language("Shell", "bash", "#"), "sh bash zsh .bashrc .zshrc .profile"),
    (Language("PowerShell", "powershell", "#"), "ps1 psm1"),
    (Language("SQL", "sql", "--"), "sql"),
    (Language("HTML", "html"), "html htm"),
    (Language("CSS", "css"), "css"),
    (Language("SCSS", "scss", "//"), "scss"),
    (Language("Vue", "vue"), "vue"),
    (Language("Svelte", "svelte"), "svelte"),
    (Language("JSON", "json"), "json"),
    (Language("JSON with comments", "jsonc", "//"), "jsonc"),
    (Language("YAML", "yaml", "#"), "yaml yml"),
    (Language("TOML", "toml", "#"), "toml"),
    (Language("INI", "ini", ";"), "ini cfg"),
    (Language("XML", "xml"), "xml svg"),
    (Language("Markdown", "markdown"), "md markdown"),
    (Language("reStructuredText", "rst"), "rst"),
    (Language("LaTeX", "latex", "%"), "tex"),
    (Language("Dockerfile", "dockerfile", "#"), "Dockerfile Containerfile dockerfile"),
    (Language("Makefile", "makefile", "#"), "Makefile makefile GNUmakefile mk"),
    (Language("CMake", "cmake", "#"), "CMakeLists.txt cmake"),
    (Language("Protocol Buffers", "protobuf", "//"), "proto"),
    (Language("Nix", "nix", "#"), "nix"),
    (Language("Terraform", "hcl", "#"), "tf hcl"),
)
_WORDS: Final = tuple((word, language) for language, words in _TABLE for word in words.split())
_BY_NAME: Final = {word: language for word, language in _WORDS if "." in word or word.lower().endswith("file")}
_BY_EXTENSION: Final = {word: language for word, language in _WORDS if word not in _BY_NAME}


def language_of(path: PurePath | str) -> Language:
    """The language of a file by its whole name, else by its extension; `PLAIN` where neither is known."""
    name = os.path.basename(path)  # noqa: PTH119 - a path object costs more than all the rest
    stem, dot, extension = name.rpartition(".")
    return _BY_NAME.get(name) or (_BY_EXTENSION.get(extension.lower(), PLAIN) if dot and stem else PLAIN)


_TEST_STEMS: Final = frozenset({"conftest", "test", "tests", "spec", "specs"})


def is_test(path: PurePath) -> bool:
    """Whether a file holds tests, by the usual names."""
    name = path.name.lower()
    stem = name.split(".", 1)[0]
    if stem.startswith("test_") or stem.endswith(("_test", "_spec", "_tests")) or stem in _TEST_STEMS:
        return True
    if ".test." in name or ".spec." in name or path.stem.endswith(("Test", "Tests", "Spec")):
        return True
    return bool({"tests", "test", "__tests__", "spec"}.intersection(part.lower() for part in path.parts[-4:-1]))
