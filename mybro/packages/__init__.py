"""The packages that a project asks for, through the tool that the project itself uses."""
