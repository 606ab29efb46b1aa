// What an event changes. Only here does the state of the session's events change.

const TURNS = 60;
const OUTPUT = 400;
const WAVE = 240;
const SAID = 8;

export function fresh() {
  return {
    link: "connecting", session: "", seq: 0, until: 0, missed: 0, status: null, ready: null,
    ear: "off", source: "", trouble: null, speaking: "",
    level: -120, wave: [], local: false,
    turns: new Map(), jobs: new Map(), questions: new Map(),
    cost: 0, tokens: 0, model: "", finished: 0,
  };
}

function turnOf(state, number) {
  let turn = state.turns.get(number);
  if (!turn) {
    turn = { turn: number, phase: "hearing", text: "", heard: "", alternatives: [], intent: null, rev: 0 };
    state.turns.set(number, turn);
    while (state.turns.size > TURNS) drop(state);
  }
  turn.rev += 1;
  return turn;
}

function drop(state) {
  const [oldest] = state.turns.keys();
  state.turns.delete(oldest);
  for (const [number, job] of state.jobs) if (job.turn === oldest && job.ended) state.jobs.delete(number);
}

function jobOf(state, number) {
  let job = state.jobs.get(number);
  if (!job) {
    job = { job: number, turn: null, title: "", agent: "", phase: "running", step: "", lines: [], words: "", rev: 0 };
    state.jobs.set(number, job);
  }
  job.rev += 1;
  return job;
}

function end(state, event, phase) {
  const job = jobOf(state, event.job);
  job.phase = phase;
  job.ended = event.wall_ms;
  job.outcome = event.outcome ?? null;
  job.problem = event.problem ?? null;
  state.finished += 1;
  if (job.outcome) {
    state.cost += job.outcome.cost_usd;
    state.tokens += job.outcome.input_tokens + job.outcome.output_tokens;
  }
  for (const [number, question] of state.questions) if (question.job === event.job) state.questions.delete(number);
}

function progress(job, event) {
  if (event.kind === "words") job.words = (job.words + event.text).slice(-4000);
  else {
    job.lines.push({ kind: event.kind, text: event.text });
    if (job.lines.length > OUTPUT) job.lines.splice(0, job.lines.length - OUTPUT);
    if (event.kind === "step") {
      job.step = event.text;
      job.words = "";
    }
  }
}

export function level(state, rms, peak, speech) {
  state.level = rms;
  state.wave.push({ peak, speech });
  if (state.wave.length > WAVE) state.wave.splice(0, state.wave.length - WAVE);
}

const CHANGES = {
  Ready: (s, e) => { s.ready = e; },
  SourceOpened: (s, e) => { s.source = e.name; s.ear = "idle"; s.trouble = null; },
  SourceTroubled: (s, e) => { s.trouble = e.problem; },
  ListeningStarted: (s) => { s.trouble = null; },
  SourceClosed: (s) => { s.source = ""; s.ear = "off"; s.trouble = null; if (!s.local) s.level = -120; },
  LevelMeasured: (s, e) => { if (!s.local) level(s, e.rms_dbfs, e.peak_dbfs, e.speech_probability > 0.5); },
  SpeechStarted: (s, e) => { s.ear = "hearing"; turnOf(s, e.turn).at = e.wall_ms; },
  SpeechPaused: (s) => { s.ear = "closing"; },
  SpeechResumed: (s) => { s.ear = "hearing"; },
  SpeechEnded: (s, e) => { s.ear = "idle"; turnOf(s, e.turn).phase = "recognising"; },
  Typed: (s, e) => {
    Object.assign(turnOf(s, e.turn), { text: e.text, typed: true, final: true, phase: "thinking", at: e.wall_ms });
  },
  Transcript: (s, e) => {
    const turn = turnOf(s, e.turn);
    Object.assign(turn, { text: e.text, heard: e.heard, alternatives: e.alternatives, final: e.final, model: e.model });
    turn.at ??= e.wall_ms;
    if (e.final) turn.phase = e.text.trim() ? "thinking" : "empty";
  },
  TranscriptionFailed: (s, e) => { Object.assign(turnOf(s, e.turn), { phase: "failed", problem: e.problem }); },
  RecordingFailed: (s, e) => { Object.assign(turnOf(s, e.turn), { phase: "failed", problem: e.problem }); },
  TurnJoined: (s, e) => {
    s.turns.delete(e.former);
    for (const [number, job] of s.jobs) if (job.turn === e.former) s.jobs.delete(number);
    turnOf(s, e.turn);
  },
  TurnTimed: (s, e) => { turnOf(s, e.turn).timing = e; },
  Intent: (s, e) => {
    Object.assign(turnOf(s, e.turn), { intent: e.intent, ms: e.processing_ms, phase: "understood" });
  },
  Recalled: (s, e) => {
    Object.assign(turnOf(s, e.turn), { text: e.intent.text, intent: e.intent, final: true, phase: "understood" });
  },
  ModelSwitched: (s, e) => { s.model = e.model; },
  JobStarted: (s, e) => {
    Object.assign(jobOf(s, e.job), { turn: e.turn, title: e.title, agent: e.agent, began: e.wall_ms, phase: "running", checkpoint: e.checkpoint });
    turnOf(s, e.turn).phase = "working";
  },
  JobQueued: (s, e) => { jobOf(s, e.job).phase = "queued"; },
  JobAdded: (s, e) => { s.jobs.delete(e.job); jobOf(s, e.into); },
  JobProgressed: (s, e) => { progress(jobOf(s, e.job), e); },
  JobAnswered: (s, e) => { jobOf(s, e.job).lines.push({ kind: "step", text: e.text }); },
  JobAsked: (s, e) => {
    s.questions.set(e.question, { ...e, number: e.question });
    if (e.job) jobOf(s, e.job).phase = "waiting";
  },
  Answered: (s, e) => { answered(s, e.question); },
  QuestionWithdrawn: (s, e) => { answered(s, e.question); },
  JobFinished: (s, e) => { end(s, e, e.outcome.ok ? "done" : "bad"); },
  JobFailed: (s, e) => { end(s, e, "failed"); },
  JobStopped: (s, e) => { end(s, e, "stopped"); },
  TakenBack: (s, e) => { jobOf(s, e.job).taken = e.outcome; },
  SayStarted: (s, e) => { s.speaking = e.text; said(s, e); },
  SayFinished: (s) => { s.speaking = ""; },
  StageFailed: (s, e) => { s.trouble = e.problem; },
  StopAll: (s) => {
    s.questions.clear();
    s.speaking = "";
    for (const turn of s.turns.values()) {
      if (["hearing", "recognising", "thinking", "understood"].includes(turn.phase) && !turn.intent) turn.phase = "stopped";
    }
  },
};

function answered(state, number) {
  const question = state.questions.get(number);
  state.questions.delete(number);
  const job = question?.job ? state.jobs.get(question.job) : null;
  if (job && !job.ended && ![...state.questions.values()].some((other) => other.job === job.job)) {
    job.phase = "running";
    job.rev += 1;
  }
}

// A sentence of mybro's belongs below the newest turn.
function said(state, event) {
  const newest = [...state.turns.keys()].pop();
  if (newest === undefined || [...state.questions.values()].some((one) => one.text === event.text)) return;
  const turn = turnOf(state, newest);
  turn.said = [...(turn.said ?? []), event.text].slice(-SAID);
}

export function reduce(state, event) {
  if (typeof event.seq === "number") state.seq = event.seq;
  CHANGES[event.event]?.(state, event);
}

// The status knows what events leave out: questions about a sentence itself, and how far jobs are.
export function settle(state, status) {
  state.status = status;
  if (status.session !== state.session || status.seq < state.seq) return;
  const open = new Map();
  for (const question of status.questions) {
    const known = state.questions.get(question.number);
    open.set(question.number, { ...known, ...question, detail: question.detail || known?.detail || "" });
  }
  state.questions = open;
  const alive = new Map(status.jobs.map((job) => [job.job, job]));
  for (const job of state.jobs.values()) {
    const now = alive.get(job.job);
    if (!now || job.ended || job.phase === now.phase) continue;
    job.phase = now.phase;
    job.rev += 1;
  }
}
