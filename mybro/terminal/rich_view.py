from mybro.terminal.plain import PlainView as RichView

__all__ = ["RichView"]
