"""Collapse inside a record, match across records, identity across nights. Pure: no clock, no disk, no network."""
