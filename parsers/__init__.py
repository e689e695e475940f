"""A page in, records and rejects out. Pure: no network, disk, clock or environment; imports only schema."""
