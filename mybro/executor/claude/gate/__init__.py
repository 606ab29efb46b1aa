"""Which shell commands need no question: those of which every part is understood and known to be harmless.

A list of what is dangerous is never complete. So it is the other way round: a command is read strictly, each
program in it must be known, with the options and places that it is given, and anything else is asked about.
"""

from mybro.executor.claude.gate.judgement import Reach, reach_of
from mybro.executor.claude.gate.place import is_secret

__all__ = ["Reach", "is_secret", "reach_of"]
