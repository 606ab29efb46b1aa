"""One text becomes a PDF and a web page; its numbers come from analysis.py."""
