"""Everything relational on Postgres: one module and one class for each role."""
