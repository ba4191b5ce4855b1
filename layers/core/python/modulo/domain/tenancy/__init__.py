"""Who calls: tenants, users, keys, and their quotas."""
