"""Adapters of AWS services, which also work with anything that speaks their protocols."""
