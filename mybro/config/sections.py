"""The sections of the settings, with units in their names."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True)


class AudioSettings(_Section):
    """The ear."""

    input_device: str | None = Field(
        None, description="name or number of the microphone; default: the system's"
    )
    output_device: str | None = Field(None, description="name or number of the loudspeaker")
    listen: Literal["push-to-talk", "hands-free"] = Field(
        "push-to-talk", description="when the microphone is open"
    )
    talk_key: str = Field("right_option", description="the key to hold while talking")
    release_after_s: float = Field(
        30.0, gt=0, description="push-to-talk: how long the microphone stays open afterwards"
    )
    idle_after_s: float = Field(
        600.0, gt=0, description="hands-free: let go of the microphone after this long without speech"
    )
    vad: Literal["silero", "webrtc", "silero+webrtc"] = Field("silero", description="what judges speech")
    vad_threshold: float = Field(0.5, gt=0, lt=1, description="Silero's probability that counts as speech")
    wake_phrase: str | None = Field(
        None, min_length=4, max_length=40,
        description="hands-free: do only what begins with this (hey mybro); recognised on this machine",
    )  # fmt: skip
    near_only: bool = Field(
        False, description="take softer voices than the one at the microphone for somebody else's"
    )
    own_voice_only: bool = Field(
        False, description="do only what the voice says that mybro voice enrol has learned"
    )
    voice_processing: Literal["auto", "on", "off"] = Field(
        "auto",
        description="macOS: let the system take mybro's voice out; auto: where it proved that it can",
    )
    webrtc_mode: int = Field(1, ge=0, le=3, description="WebRTC VAD's aggressiveness")
    pre_roll_ms: int = Field(500, ge=0, le=2000, description="sound kept from before the onset")
    onset_ms: int = Field(64, ge=20, le=1000, description="speech needed before an utterance begins")
    interrupt_ms: int = Field(
        128, ge=60, le=1000, description="speech that silences mybro's voice; less only makes it softer"
    )
    speculate_ms: int = Field(
        96, ge=60, le=2000, description="quiet after which transcription starts on trial"
    )
    hangover_ms: int = Field(500, ge=100, le=5000, description="quiet after which an utterance has ended")
    max_utterance_s: float = Field(28.0, gt=1, le=300, description="an utterance is cut after this long")


class TurnSettings(_Section):
    """When a turn is over. All waits are quiet after speech; what was said decides which one counts."""

    rule: Literal["meaning", "silence", "captions"] = Field(
        "meaning",
        description="meaning: by what was said; silence: audio.hangover_ms; captions: that, or 3 s of speech",
    )
    complete_ms: int = Field(180, ge=60, le=5000, description="after a whole command that can be taken back")
    whole_ms: int = Field(240, ge=60, le=5000, description="after a sentence that seems to be over")
    open_ms: int = Field(600, ge=60, le=5000, description="after one that may go on")
    dangling_ms: int = Field(1500, ge=60, le=5000, description="after one that must go on")
    destructive_ms: int = Field(1800, ge=60, le=5000, description="after one that cannot be taken back")
    join_ms: int = Field(
        1500, ge=0, le=5000,
        description="speech so soon after a turn's end goes on with it: what was begun is taken back",
    )  # fmt: skip
    use_grammar: bool = Field(True, description="know whole commands by the local grammar")
    use_endings: bool = Field(True, description="know by its last words whether a sentence must go on")
    use_smart_turn: bool = Field(
        True, description="judge the sound, too, where Smart Turn is there: `mybro models setup turn`"
    )
    learn_pauses: bool = Field(True, description="wait longer for a person who pauses longer")


class TranscribeSettings(_Section):
    """Speech to text."""

    backend: Literal["auto", "mlx-whisper", "faster-whisper", "sherpa-onnx", "parakeet-mlx", "openai"] = (
        Field(
            "auto",
            description="the speech recogniser; auto: mlx-whisper on Apple silicon, else faster-whisper",
        )
    )
    model: str = Field("auto", description="a name that `mybro models` lists, a folder, or a hub repository")
    language: str = Field("en", description="ISO 639-1 code, or 'auto'")
    latin_names: bool = Field(True, description="keep names in Latin script in other languages")
    compute_type: Literal["auto", "int8", "float16", "float32"] = "auto"
    prompt: str = Field("", description="words to expect, added to the built-in ones")
    timeout_s: float = Field(60.0, gt=0)
    partials: bool = Field(True, description="show words while they are spoken, where that costs little")
    openai_base_url: str | None = Field(None, description="any OpenAI-compatible transcription address")
    openai_api_key: SecretStr | None = None


class WordsSettings(_Section):
    """The person's own words. What mybro was told that it got wrong is kept apart: `mybro words`."""

    repository: bool = Field(True, description="know the names of the repository")
    vocabulary: tuple[str, ...] = Field((), description="names to listen for")
    replacements: dict[str, str] = Field({}, description="what is heard, and what to write instead")


class BrainSettings(_Section):
    """Text to intent."""

    provider: Literal["auto", "claude", "openai", "none"] = Field(
        "auto", description="auto: Claude if a key is there"
    )
    model: str = "claude-haiku-5-5"
    hard_model: str = Field("claude-opus-5-5", description="asked when the fast model is unsure")
    effort: Literal["low", "medium", "high"] = "low"
    speculate: bool = Field(
        False, description="ask the language model while the turn may still go on: quicker, and costs more"
    )
    timeout_s: float = Field(8.0, gt=0)
    retries: int = Field(1, ge=0, le=5)
    anthropic_api_key: SecretStr | None = Field(None, description="else ANTHROPIC_API_KEY, else the keychain")
    anthropic_base_url: str | None = None
    openai_base_url: str | None = Field(
        None, description="Ollama, LM Studio, Gemini or any compatible server"
    )
    openai_model: str | None = None
    openai_api_key: SecretStr | None = None


class ExecutorSettings(_Section):
    """The hands."""

    agent: Literal["claude", "acp"] = Field(
        "claude", description="who does coding tasks: Claude Code, or the agent of acp_command"
    )
    acp_command: str | None = Field(
        None, description="starts an agent that speaks the Agent Client Protocol, with its arguments"
    )
    claude_path: str | None = Field(None, description="the Claude Code CLI; default: `claude` on PATH")
    model: str | None = Field(None, description="the coding session's model; default: the CLI's")
    trusted: tuple[str, ...] = Field(
        (), description="folders of repositories whose own hooks, settings and tool servers agents may use"
    )
    rules: Literal["mend", "tell", "off"] = Field(
        "mend",
        description="what an agent writes against the repository's rules: it mends it, it is told, no rules",
    )
    permission_timeout_s: float = Field(
        120.0, gt=0, description="an unanswered question is denied after this long"
    )
    turn_timeout_s: float = Field(
        1800.0, gt=0, description="a job without any sign of life for this long is stopped"
    )
    budget_usd: float | None = Field(
        None, gt=0, description="what one session may cost, as far as its agent tells"
    )
    budget_day_usd: float | None = Field(
        None, gt=0, description="what all sessions may cost in a day, as far as their agents tell"
    )
    sandbox: Literal["auto", "on", "off"] = Field(
        "auto", description="hold coding agents in a sandbox: where one works, in any case, or never"
    )
    test_timeout_s: float = Field(900.0, gt=0)
    command_timeout_s: float = Field(300.0, gt=0, description="git, linters and formatters end after this")
    checkpoint_ignored: bool = Field(False, description="checkpoints also keep what git ignores")
    checkpoint_max_file_mb: int = Field(256, ge=1, description="larger files are not kept in checkpoints")
    checkpoint_exclude: tuple[str, ...] = Field(
        ("node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox", ".mypy_cache", ".ruff_cache",
         ".pytest_cache", ".hypothesis", ".gradle"),
        description="names of folders that checkpoints leave out, unless git tracks something inside",
    )  # fmt: skip


class SpeakSettings(_Section):
    """The voice."""

    backend: Literal["auto", "say", "avspeech", "piper", "espeak", "elevenlabs", "openai", "none"] = Field(
        "auto", description="auto never chooses a cloud voice"
    )
    voice: str | None = Field(None, description="the voice's name; piper: a path to its .onnx file")
    rate_wpm: int = Field(190, ge=80, le=500, description="words per minute")
    volume: float = Field(0.8, ge=0, le=1)
    chimes: bool = Field(True, description="short sounds: listening, accepted, stopped")
    timeout_s: float = Field(10.0, gt=0, description="a voice that gives no sound for this long is given up")
    queue_limit: int = Field(16, ge=1, le=200, description="sentences that may wait to be said")
    notify: bool = Field(True, description="desktop notification when a job ends or asks")
    away_after_s: float = Field(
        45.0, ge=0, description="notify a person who has not spoken or typed for this long"
    )
    piper_path: str | None = Field(
        None, description="the piper program; default: on PATH, or the installed piper-tts package"
    )
    openai_base_url: str | None = Field(None, description="any OpenAI-compatible speech address")
    openai_model: str = "gpt-4o-mini-tts"
    openai_api_key: SecretStr | None = Field(None, description="for OpenAI itself, else OPENAI_API_KEY")
    elevenlabs_base_url: str = "https://api.elevenlabs.io"
    elevenlabs_model: str = "eleven_flash_v2_5"
    elevenlabs_api_key: SecretStr | None = Field(None, description="else ELEVENLABS_API_KEY")


class JournalSettings(_Section):
    """The memory."""

    retention_days: int = Field(90, ge=0, description="older entries are deleted; 0 keeps all")
    keep_audio: bool = Field(True, description="keep the recordings beside the transcripts")


class ServerSettings(_Section):
    """The page and its API."""

    enabled: bool = Field(False, description="`mybro run` serves the page, too; `mybro serve` always does")
    host: str = Field("127.0.0.1", description="beyond this machine only with TLS and a password")
    port: int = Field(7777, ge=0, le=65535, description="0: any free one")
    logs_port: int | None = Field(7778, ge=0, le=65535, description="the log's stream; none: not served")
    wyoming_port: int | None = Field(None, ge=0, le=65535, description="speech for Home Assistant: no token")
    public_url: str | None = Field(None, description="the address that clients see, behind a proxy")
    allowed_hosts: tuple[str, ...] = Field((), description="more names under which it may be asked for")
    cors_origins: tuple[str, ...] = Field(("http://localhost:5173",), description="other pages that may call")
    tls_cert: str | None = Field(None, description="path of a certificate, PEM")
    tls_key: str | None = Field(None, description="path of its key, PEM")
    jwt_secret: SecretStr | None = Field(None, description="signs programs' tokens; else the keychain's")
    rate_per_s: float = Field(100.0, gt=0, description="calls that one client may make, over time")
    burst: int = Field(200, ge=1, description="calls that one client may make at once")
    max_upload_mb: int = Field(25, ge=1, le=1024, description="the largest recording that is taken")
    body_timeout_s: float = Field(20.0, gt=0, description="a request must have come in whole by then")
    header_timeout_s: float = Field(10.0, gt=0, description="so long may a request's head take")
    max_connections: int = Field(200, ge=4, description="WebSockets at a time")
    database_url: SecretStr | None = Field(None, description="PostgreSQL for the API's tables; else SQLite")
    redis_url: SecretStr | None = Field(None, description="Redis as the first tier of the intent cache")
    celery_url: SecretStr | None = Field(None, description="Redis, for long work by `mybro serve worker`")
    celery_fallback: bool = Field(True, description="where no worker can be reached, the session does it")
    upkeep_s: float = Field(3600.0, ge=1, description="how often what is too old is deleted")
    cache_ttl_s: float = Field(86_400.0, ge=0, description="how long an intent is kept; 0: not at all")
    log_transcripts: bool = Field(False, description="logs show what was said")
