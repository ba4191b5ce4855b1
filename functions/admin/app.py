"""Operators' commands in a deployment, whose database nobody else reaches; invoked through IAM only."""

from modulo.runtime.admin.door import admin_handler

handler = admin_handler()
