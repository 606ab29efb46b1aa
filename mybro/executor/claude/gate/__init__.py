"""Which shell commands need no question: those of which every part is understood and known to be harmless.

A list of what is dangerous is never complete. So it is the other way round: a command is read strictly, each
program in it must be known, with the options and places that it is given, and anything else is asked about.

What decides, where a command could be judged either way:

- What undo brings back is harmless: an edit of what git tracks or a checkpoint holds, so a lock file that is
  written anew (`cargo update`), a commit, `git stash` and `git stash pop` (a checkpoint restores the stash).
- What undo cannot bring back is asked: what is deleted, what git ignores, what lies outside.
- What leaves the machine is asked: what is sent, published, or served to everybody (`--host 0.0.0.0`).
- What shows secrets is asked: files and variables that hold them, and reports in which nothing is hidden
  (`terraform show -json`, `helm get values`, `docker compose config`).
- Code of the repository may run in the sandbox as its tests do, where it is what such a call always runs
  (`go generate` with the directives that are there); code that the line itself chooses is read first, and
  asked about where it does harm or cannot be read (`manage.py test --settings=evil`).
- What is fetched by a name that the repository does not know is asked: to install is to run it.
"""

from mybro.executor.claude.gate.judgement import Reach, reach_of
from mybro.executor.claude.gate.place import is_secret

__all__ = ["Reach", "is_secret", "reach_of"]
