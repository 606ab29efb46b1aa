"""The person's own words, and a recogniser whose words are put right."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from mybro.config import WordsSettings
from mybro.errors import TranscriptionError
from mybro.events import AudioBlock, Envelope, Event, Transcribed, Transcript, Typed
from mybro.transcribe.corrected import CorrectedTranscription
from mybro.transcribe.names import RepositoryNames
from mybro.transcribe.own_words import OwnWords, keep, learned, place
from mybro.words import taught

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "data"


def own(**replacements: str) -> OwnWords:
    return OwnWords(WordsSettings(replacements=replacements))


def say(words: OwnWords, *texts: str, final: bool = True) -> None:
    for number, text in enumerate(texts):
        words.watch(Envelope(number, 0.0, Transcript(number, text, final, 0)))


@pytest.mark.parametrize(
    ("sentence", "right"),
    [
        ("That was wrong, it is parse date.", "parse date"), ("that's wrong. It's user id", "user id"),
        ("No, that was wrong, I said main dot py!", "main dot py"), ("you got that wrong, it should be x",
        "x"),
        ("that is not right, it is called snake case foo bar", "snake case foo bar"),
    ],
)  # fmt: skip
def test_what_teaches(sentence: str, right: str) -> None:
    assert taught(sentence) == right


@pytest.mark.parametrize(
    "sentence",
    ["that is wrong", "no, that was wrong", "that was wrong, undo it", "that is wrong, it is not what I want",
    "",
     "it is user id", "that was wrong, it is a very long story that I want to tell you now if you please"],
)  # fmt: skip
def test_what_teaches_nothing(sentence: str) -> None:
    assert taught(sentence) is None


def test_replacements_are_whole_words_and_the_longest_wins() -> None:
    words = own(**{"claude": "Claude", "claude code": "Claude Code", "My  Bro": "mybro"})
    assert words.apply("ask claude code, or CLAUDE or my bro") == "ask Claude Code, or Claude or mybro"
    assert words.apply("claudette and my brother") == "claudette and my brother"
    assert own().apply("claude") == "claude"


def test_it_learns_from_what_was_wrong_and_forgets() -> None:
    words = OwnWords(WordsSettings(), {"parse date": "parse_date"}.get)  # type: ignore[arg-type]
    say(words, "rename the pause tape to x", "That was wrong, it is parse date")
    assert learned() == {"pause tape": "parse_date"}
    assert words.apply("Rename Pause tape, please") == "Rename parse_date, please"
    keep({})
    os.utime(place(), ns=(1, 1))  # another process changed it at another time
    assert words.apply("rename pause tape") == "rename pause tape"


def test_a_casing_command_says_how_it_is_written() -> None:
    words = own()
    say(words, "open the con fig loader", "that was wrong, it is pascal case config loader")
    assert learned() == {"con fig loader": "ConfigLoader"}


@pytest.mark.parametrize("before", ["run the tests", "stop"])
def test_nothing_is_learned_where_nothing_sounds_alike(before: str) -> None:
    words = own()
    say(words, before, "that was wrong, it is kubernetes cluster autoscaler")
    assert learned() == {}


def test_only_final_transcripts_teach() -> None:
    words = own()
    say(words, "open con fig", final=False)
    say(words, "that was wrong, it is config")
    assert learned() == {}
    typed: Event = Typed(9, "x")
    words.watch(Envelope(9, 0.0, typed))


@pytest.mark.parametrize("broken", ["", "[]", "nonsense", '{"": "x"}'])
def test_a_broken_file_counts_as_empty(data: Path, broken: str) -> None:
    data.mkdir()
    place().write_text(broken)
    assert learned() == {} and own().apply("x") == "x"
    keep({"a": "b"})
    assert json.loads(place().read_text()) == {"a": "b"}


def test_a_folder_that_cannot_be_written_is_told(data: Path) -> None:
    data.write_text("a file where the folder should be")
    say(own(), "open con fig", "that was wrong, it is config")  # a session goes on
    with pytest.raises(TranscriptionError) as error:
        keep({"a": "b"})
    assert error.value.code == "words_not_kept"


def test_what_was_learned_is_for_its_owner(data: Path) -> None:
    keep({"a": "b"})
    assert stat.S_IMODE(data.stat().st_mode) & 0o077 == 0


# ---------------------------------------------------------------------------- the recogniser


class Parrot:
    """Hears what it is told to hear."""

    def __init__(self, text: str, language: str = "en") -> None:
        self.text = text
        self.language = language
        self.asked: list[tuple[int, str]] = []
        self.dropped: list[int] = []
        self.closed = 0

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False, expected: str = ""
    ) -> Transcribed | None:
        return Transcribed(turn, request, self.text, "parrot", self.language) if self.text else None

    def drop(self, request: int) -> None:
        self.dropped.append(request)

    async def aclose(self) -> None:
        self.closed += 1


async def heard(text: str, repo: Path | None = None, *, language: str = "en") -> Transcribed | None:
    names = RepositoryNames(repo, ["mein_name"])
    await names.refresh()
    parrot = Parrot(text, language)
    stands = CorrectedTranscription(parrot, own(foo="bar"), names, lambda said: said == "stop foo")
    found = await stands.transcribe(1, 2, AudioBlock(0, b""))
    stands.drop(2)
    await stands.aclose()
    assert parrot.dropped == [2, -3] and parrot.closed == 1
    return found


async def test_names_code_and_own_words_are_put_right_and_told(tmp_path: Path) -> None:
    (tmp_path / "dates.py").write_text("def parse_date(): ...\n")
    found = await heard("rename pars date to camel case foo id", tmp_path)
    assert found is not None
    assert found.text == "rename parse_date to barId"
    assert found.heard == "rename pars date to camel case foo id"


async def test_what_is_right_is_not_said_to_have_been_changed() -> None:
    found = await heard("run the tests")
    assert found is not None and (found.text, found.heard) == ("run the tests", "")
    assert await heard("") is None


async def test_what_is_understood_as_it_is_stays() -> None:
    found = await heard("stop foo")
    assert found is not None and found.text == "stop foo"


async def test_other_languages_keep_their_words() -> None:
    found = await heard("rename mein name to snake case x y foo", language="de")
    assert found is not None and found.text == "rename mein name to snake case x y bar"


async def test_a_repository_that_cannot_be_read_leaves_software_words(tmp_path: Path) -> None:
    names = RepositoryNames(tmp_path / "gone")
    await names.refresh()
    assert names.lexicon.exact(["doc", "string"]) is not None


async def test_where_a_name_is_likely_it_listens_again_with_names_in_mind(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def raw_scheme(): ...\n")
    names = RepositoryNames(tmp_path)
    await names.refresh()

    class Unsure(Parrot):
        async def transcribe(
            self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False, expected: str = ""
        ) -> Transcribed | None:
            self.asked.append((request, expected))
            text = "Where is raw scheme called?" if expected else self.text
            return Transcribed(turn, request, text, "unsure", average_logprob=-0.6)

    async def put_right(text: str) -> tuple[Transcribed | None, Unsure]:
        unsure = Unsure(text)
        stands = CorrectedTranscription(unsure, own(), names, lambda said: said == "stop")
        return await stands.transcribe(1, 7, AudioBlock(0, b"")), unsure

    found, unsure = await put_right("Where is rust came called?")
    assert found is not None and found.request == 7
    assert (found.text, found.heard) == ("Where is raw_scheme called?", "Where is rust came called?")
    assert [request for request, _ in unsure.asked] == [7, -8] and "raw_scheme" in unsure.asked[1][1]
    # What is another sentence altogether is not believed, and what needs no name is not heard again.
    for text in (
        "explain what rust can do for a web server and why",
        "stop",
        "he was not an ill disposed young man",
    ):
        found, unsure = await put_right(text)
        assert found is not None and (found.text, found.heard) == (text, "")
    assert len(unsure.asked) == 1
