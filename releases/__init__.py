"""Tables -> data/clean: gates, atomic publish, reading back. Knows nothing of the web or of pages."""
