"""Compiled code of this plugin."""
