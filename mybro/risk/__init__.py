"""How dangerous a spoken request is: judged here from the words, whatever a model said.

Reading and testing need no question. An edit inside the repository needs none either: a checkpoint stands
before it. A file or folder that is to be deleted is named back all the same: its name may have been heard
wrong. What leaves the machine (a push, a pull request, a deployment) or cannot be brought back (a
branch, a database, history, files elsewhere) is read back and waits for a yes. A plain push is a `write`
that waits, since it cannot be taken back; a forced one is `destructive`.

Only the words are judged. A command that a coding session wants to run is judged again when it does.
"""

from mybro.risk.judgement import judge
from mybro.risk.summary import readback

__all__ = ["judge", "readback"]
