"""Everything relational, one protocol for each role: each method is one transaction.

What the caller may not see raises `NotFound`, whether it exists or not; a role that does not
suffice on something the caller may see raises `Forbidden`.
"""
