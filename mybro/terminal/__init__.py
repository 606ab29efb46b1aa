"""The terminal view: it only watches the events."""

from mybro.terminal.view import View, choose_view

__all__ = ["View", "choose_view"]
