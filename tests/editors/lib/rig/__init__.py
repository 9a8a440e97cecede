"""What the tests in the editors stand on: their installation, and VS Code in a browser with its windows."""
