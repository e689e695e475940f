"""Text from the site or a file, made safe to print: control characters are shown, not sent to the terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with whatever cannot be seen written out, line ends and tabs aside."""
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)
