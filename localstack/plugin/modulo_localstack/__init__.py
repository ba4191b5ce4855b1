"""LocalStack without Docker: functions as processes, a loopback-only server, schedules that fire."""
