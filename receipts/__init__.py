"""A cell -> its bytes: tracing and verification. Reads archive and releases, writes nothing there."""
