"""A LocalStack plugin: runs functions as processes without Docker, listens on loopback only, and fires schedules."""
