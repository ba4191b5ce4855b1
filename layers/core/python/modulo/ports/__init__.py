"""Ports: one protocol for each outside role; the tenant is always the first parameter.

Every method raises `Unavailable` when what is behind the port does not answer.
"""
