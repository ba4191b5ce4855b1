"""Everything that measures: one file a question; see README.md."""
