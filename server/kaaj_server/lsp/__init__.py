"""The language server: Kaaj as any LSP client sees it."""
