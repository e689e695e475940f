"""The nouns: every column of every table, what a source file may say, the tree of errors. Pure."""
