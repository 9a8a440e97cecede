"""The tier for clients that know LSP and nothing of Kaaj: progress, questions, and papers to read and write."""
