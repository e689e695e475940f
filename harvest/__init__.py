"""The web -> data/raw: a polite client, robots, discovery, the WARC archive. Knows nothing of what pages mean."""
