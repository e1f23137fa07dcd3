"""Ship the plugin template, which `imle new-plugin` copies, inside the wheel.

A hook, because the declarative `force-include` also acts on editable installs, where the copied folder would be found
in place of the package.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TemplateHook(BuildHookInterface):
    """Add examples/plugin_template to wheels that are not editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Extend what the wheel includes."""
        if version == "standard":
            build_data["force_include"]["examples/plugin_template"] = "imle_core/cli/plugin_template"
