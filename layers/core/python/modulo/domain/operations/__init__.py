"""Work behind requests: queue messages, dead letters, sweeps, purges, deletions, backups."""
