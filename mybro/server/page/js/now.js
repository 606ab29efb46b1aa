// The top of the page: what mybro does now, how loud it is, and the words that are being said.

import { $, h, keyed, text } from "/page/js/dom.js";
import { seconds } from "/page/js/words.js";

const STEPS = [
  ["hear", "Hear", "waited_ms"],
  ["words", "Words", "recognised_ms"],
  ["meaning", "Meaning", "understood_ms"],
  ["work", "Work", "started_ms"],
  ["reply", "Reply", null],
];
const LINK = { connecting: "Connecting", open: "Connected", lost: "Connection lost, trying again", refused: "Not let in" };

export function newest(state) {
  return [...state.turns.values()].pop() ?? null;
}

// Which step the session is in: the one furthest along that goes on.
export function stepOf(state) {
  const turn = newest(state);
  if (state.ear === "hearing" || state.ear === "closing") return "hear";
  if (turn?.phase === "recognising") return "words";
  if (turn?.phase === "thinking") return "meaning";
  if ([...state.jobs.values()].some((job) => !job.ended)) return "work";
  if (state.speaking) return "reply";
  return "";
}

export function headline(state) {
  if (state.link !== "open") return LINK[state.link];
  if (state.questions.size) return "It needs your answer";
  switch (stepOf(state)) {
    case "hear": return state.ear === "closing" ? "Is that all?" : "Listening…";
    case "words": return "Writing it down…";
    case "meaning": return "Understanding…";
    default: return idle(state);
  }
}

function idle(state) {
  const work = [...state.jobs.values()].filter((job) => !job.ended);
  if (work.length === 1) return `${capital(work[0].title) || "Working"}…`;
  if (work.length) return `${work.length} jobs at work…`;
  if (state.speaking) return "Speaking…";
  if (state.status?.paused) return "Paused. Say or press: resume";
  if (state.local || state.ear === "idle") return "Listening: speak";
  return "Ready";
}

function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function showNow(state) {
  text($("says"), headline(state));
  const link = $("link");
  link.dataset.link = state.link;
  text($("link-text"), LINK[state.link]);
  showPlace(state);
  showSteps(state);
  showWords(state);
  const trouble = state.trouble;
  $("trouble").hidden = !trouble;
  text($("trouble"), trouble ? [trouble.message, trouble.hint].filter(Boolean).join(". ") : "");
}

function showPlace(state) {
  const repo = state.status?.repo ?? "";
  const model = (state.model || state.status?.model || "").split("/").pop();
  keyed($("place"), repo ? [repo] : [], (one) => one, () => model, () => h("span", { title: repo },
    h("b", {}, repo.split("/").filter(Boolean).pop() ?? repo),
    model ? h("span.fine", {}, ` hears with ${model}`) : null));
}

function showSteps(state) {
  const now = stepOf(state);
  const timing = newest(state)?.timing;
  keyed($("steps"), STEPS, ([id]) => id, ([id, , field]) => `${id === now} ${field && timing?.[field]}`,
    ([id, name, field]) => h("li.step", id === now ? { "aria-current": "step" } : {},
      h("span", {}, name),
      h("span.step-time", {}, field && timing?.[field] > 0 ? seconds(timing[field]) : "")));
}

function showWords(state) {
  const turn = newest(state);
  const open = turn && !turn.final && turn.text && ["hearing", "recognising"].includes(turn.phase);
  const words = $("words");
  words.classList.toggle("partial", Boolean(open));
  text(words, open ? turn.text : state.speaking ? `“${state.speaking}”` : "");
  words.hidden = !words.textContent;
}

// ---------------------------------------------------------------- level and waveform

let shown = null;

export function showLevel(state) {
  const bounded = Math.max(-60, Math.min(0, state.level));
  const meter = $("meter");
  const value = String(Math.round(bounded));
  if (meter.getAttribute("aria-valuenow") !== value) {
    meter.setAttribute("aria-valuenow", value);
    meter.setAttribute("aria-valuetext", bounded <= -60 ? "silence" : `${value} decibels`);
    $("meter-bar").style.transform = `scaleX(${(bounded + 60) / 60})`;
  }
  draw($("wave"), state);
}

function draw(canvas, state) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  const last = state.wave.at(-1);
  const stamp = `${width} ${height} ${state.wave.length} ${last?.peak}`;
  if (stamp === shown && !state.local) return;
  shown = stamp;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const look = getComputedStyle(canvas);
  const paint = canvas.getContext("2d");
  paint.clearRect(0, 0, width, height);
  const step = 4 * scale;
  const bars = Math.floor(width / step);
  const recent = state.wave.slice(-bars);
  const middle = height / 2;
  for (let at = 0; at < bars; at += 1) {
    const bar = recent[recent.length - bars + at];
    const loud = bar ? Math.min(1, 10 ** (bar.peak / 20)) ** 0.7 : 0;
    const tall = Math.max(scale, loud * (height - 2 * scale));
    paint.fillStyle = bar?.speech ? look.getPropertyValue("--voice") : look.getPropertyValue("--wave");
    paint.fillRect(at * step, middle - tall / 2, step - 2 * scale, tall);
  }
}
