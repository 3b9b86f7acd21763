"""Who may do what, and how much: tenants, members, keys, quotas, the audit log and the usage, as actions."""
