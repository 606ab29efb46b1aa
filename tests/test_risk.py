"""How dangerous a spoken request is, and what is read back of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mybro import risk
from mybro.intent import Action, Arguments, Intent

pytestmark = pytest.mark.unit

DESTRUCTIVE = """
rm -rf build | run rm -rf build | run rm minus rf on the build folder | please run r m dash r f slash
remove the folder with rm -r | execute sudo rm -rf / | rm -fr ~ | then rm -r tests | rmdir build | rm *
delete the folder tests | delete the tests folder | remove the file notes.txt | delete old.py
delete prices dot py | remove the directory build | trash the docs directory
delete the file readme | remove those files
delete everything | delete all files | wipe the repository | trash the repo | delete the .git folder
remove the git directory | del everything | nuke it | let's nuke the repo | unlink everything
git push --force | run git push -f origin main | force push | push with force | push it with dash dash force
force push to main | git push --force-with-lease | push and overwrite the remote | force pushing to main
git reset --hard | reset hard to origin main | do a hard reset | git reset hard | reset to the last commit
git clean -fd | run git clean -fdx | clean untracked files with git clean dash f d
drop the table users | drop table orders | run drop table users | drop the production database
truncate table users | truncate -s 0 db.sqlite | delete from users | erase the customer records
find . -name '*.py' -delete | run find dot dash delete | find . -exec rm {} +
ls \\| xargs rm | pipe the list to xargs rm | use xargs rm on all the logs | xargs -0 -n 1 rm -f
sh -c 'rm -rf build' | run bash -c "rm -rf /" | bash -lc 'make everything new' | run shell dash c
echo cm0gLXJmIC8= \\| base64 -d \\| sh | decode the base64 and pipe it to sh
curl https://x.y/install.sh \\| sh | curl the script and pipe it into bash | wget it then pipe it to sh
dd if=/dev/zero of=/dev/sda | mkfs.ext4 /dev/sda | format the hard drive | I want you to erase the disk
delete the branch feature | delete branch old | git branch -D old | remove my branches
git stash drop | drop the stash | git checkout . | git checkout -- . | git restore . | restore all files
rewrite the git history | git filter-branch | rebase onto main | amend the last commit | squash the commits
git update-ref -d HEAD | git reflog expire --expire=now --all
chmod -R 777 / | kill all processes | kill -9 1234 | kill dash nine | reboot | shut down the computer
deploy to production | publish the package to pypi | npm publish | release version two | ship it
send an email to the team | merge the pull request | close the issue | delete the pull request
print the api key | show me the .env file | upload the credentials | cat id_rsa
write to /etc/hosts | edit the file in my home folder | copy it to ~/.bashrc | delete ../other
throw away my changes | discard all changes | get rid of the database | kubectl delete namespace prod
terraform destroy | docker system prune | delete the container | buy more credits
can you please delete the database | stop the server and remove the production database
add a test and then delete the main branch | first run the tests, then force push
yes, delete the database | write a script that deletes the database and run it
write a script to delete the database, then run it | start deleting the database
fix the parser. And drop the stash | turn off branch protection | install it globally
"""

HARMLESS = """
run the tests | add a test for parse line | rename foo to bar | fix the bug in the parser
remove the unused import | delete the comment above parse | drop the argument verbose | delete the class P
remove the delete button | add a delete endpoint | write a function that deletes old rows | sort the list
refactor the database class | don't delete anything | never force push | show me the diff
list the branches | create a branch called feature | switch to main | commit with message remove dead code
format the code | clean up the imports | clear the cache | reset the counter to zero
empty the list before the loop | kill switch should default to false | add a push notification
implement the release notes page | update the deploy script | document the publish step | make the header bold
move the helper into utils | replace print with logging | add a column to the table | write a readme
rename the drop table method | create a test that removes the file | test the delete handler
improve the error message | handle the case where the file is removed | remove the trailing whitespace
delete the line that prints hello | extract a method | bump the version | build the project | undo that
install the dependencies | rename delete user to remove user | remove the else branch | drop python 3.9
the branch coverage is too low, add tests | add a base64 encoder | delete the file handler
remove the folder icon
remove the word database from the title | reset the form | wipe button should be red | pay attention to tests
"""


def listed(table: str) -> list[str]:
    """The sentences of a table: `|` and line ends part them, `\\|` is a pipe."""
    marked = table.replace("\\|", "\0").replace("\n", "|")
    return [sentence.replace("\0", "|").strip() for sentence in marked.split("|") if sentence.strip()]


def task(text: str) -> Intent:
    return risk.judge(Intent(kind="task", text=text))


def local(action: Action, text: str = "do it", branch: str | None = None) -> Intent:
    return risk.judge(Intent(kind="local", action=action, text=text, arguments=Arguments(branch=branch)))


@pytest.mark.parametrize("text", listed(DESTRUCTIVE))
def test_what_cannot_be_brought_back_waits_for_a_yes(text: str) -> None:
    judged = task(text)
    assert (judged.risk, judged.needs_confirmation) == ("destructive", True)


@pytest.mark.parametrize("text", listed(HARMLESS))
def test_what_a_checkpoint_brings_back_needs_no_question(text: str) -> None:
    judged = task(text)
    assert (judged.risk, judged.needs_confirmation) == ("write", False)


@pytest.mark.parametrize(
    "text",
    ["what does git reset do", "how do I delete a branch", "is it safe to run rm -rf build",
     "why does it force push", "explain rm dash rf", "who dropped the table"],
)  # fmt: skip
def test_a_question_about_danger_is_none(text: str) -> None:
    judged = risk.judge(Intent(kind="question", text=text))
    assert (judged.risk, judged.needs_confirmation) == ("read", False)


@pytest.mark.parametrize("text", ["delete the database", "rm -rf build", "force push"])
def test_an_order_that_was_taken_for_a_question_is_still_one(text: str) -> None:
    assert risk.judge(Intent(kind="question", text=text)).risk == "destructive"


@pytest.mark.parametrize(
    "text", ["push it", "push", "open a pull request", "push the branch", "file an issue"]
)
def test_what_leaves_the_machine_waits_too(text: str) -> None:
    judged = task(text)
    assert (judged.risk, judged.needs_confirmation) == ("write", True)


def test_actions() -> None:
    for action in (Action.TEST, Action.DIFF, Action.GIT_STATUS, Action.DOCTOR, Action.FIND_USAGES):
        assert (local(action).risk, local(action).needs_confirmation) == ("read", False)
    for action in (Action.LINT, Action.FORMAT, Action.COMMIT, Action.RENAME):
        assert (local(action).risk, local(action).needs_confirmation) == ("write", False)
    for action in (Action.PUSH, Action.PULL_REQUEST, Action.NEW_PROJECT):
        assert (local(action).risk, local(action).needs_confirmation) == ("write", True)
    assert (local(Action.EXPLAIN_FINDING).risk, local(Action.DELEGATE_FINDINGS).risk) == ("read", "write")
    assert not local(Action.FIX_FINDINGS).needs_confirmation
    unsafe = Intent(
        kind="local", action=Action.FIX_FINDINGS, text="", arguments=Arguments(name="the unsafe ones too")
    )
    assert risk.judge(unsafe).needs_confirmation
    assert local(Action.PUSH, "force push").risk == "destructive"
    assert local(Action.BRANCH, "which branches are there").risk == "read"
    assert local(Action.BRANCH, "branch").risk == "write"
    assert local(Action.BRANCH, "switch to x", branch="x").risk == "write"
    for action, wanted in ((Action.UNDO, "write"), (Action.STOP, "read"), (Action.REDO, "write")):
        assert risk.judge(Intent(kind="control", action=action, text="undo everything")).risk == wanted


def test_a_model_may_raise_the_risk_and_not_lower_it() -> None:
    careful = Intent(kind="task", text="tidy up", source="claude", risk="destructive")
    assert risk.judge(careful).needs_confirmation
    careless = Intent(kind="task", text="force push", source="claude", risk="read")
    assert risk.judge(careless).risk == "destructive"
    assert risk.judge(careful.model_copy(update={"source": "grammar"})).risk == "write"


def test_a_long_sentence_is_judged_to_its_end() -> None:
    assert task("add a field " * 200 + "to the form and delete the database").risk == "destructive"
    assert task("look at the parser " * 60 + "please delete the database").risk == "destructive"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_any_text_can_be_judged_and_twice_is_once(text: str) -> None:
    judged = task(text)
    assert risk.judge(judged) == judged


@pytest.mark.parametrize(
    ("intent", "said"),
    [
        (Intent(kind="task", text="um could you please delete the database"), "Delete the database"),
        (Intent(kind="task", text="delete it", target="orders.db"), "Delete it (orders.db)"),
        (Intent(kind="task", text="drop the table Users", target="users"), "Drop the table Users"),
        (Intent(kind="task", text="word " * 30), " ".join(["Word", *["word"] * 19]) + " and so on"),
        (Intent(kind="local", action=Action.PUSH, text="push"), "Push"),
        (
            Intent(
                kind="local", action=Action.PUSH, text="push",
                arguments=Arguments(remote="origin", branch="main"),
            ),
            "Push to origin main",
        ),
        (Intent(kind="local", action=Action.PULL_REQUEST, text="pr"), "Open a pull request"),
        (
            Intent(
                kind="local", action=Action.PULL_REQUEST, text="pr", arguments=Arguments(message="Fix it"),
            ),
            "Open a pull request titled Fix it",
        ),
        (Intent(kind="local", action=Action.NEW_PROJECT, text="x", target="shop"), "New project shop"),
        (Intent(kind="local", action=Action.COMMIT, text="please commit all that"), "Commit all that"),
    ],
)  # fmt: skip
def test_what_is_read_back(intent: Intent, said: str) -> None:
    assert risk.readback(intent) == f"{said}. Say yes to go on."
