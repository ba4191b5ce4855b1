"""Operators' commands: on the settings of this process, or in a deployment by the function `admin`."""
