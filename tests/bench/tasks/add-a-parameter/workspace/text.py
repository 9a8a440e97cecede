"""Breaking text into lines."""


def wrap(text):
    """The words of a text in lines of at most 20 characters."""
    lines = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > 20:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines
