// The conversation: each sentence as it was heard, what it was taken for, and the work that came of it.

import { get } from "/page/js/api.js";
import { detailOf, sizeOf } from "/page/js/diff.js";
import { $, h, keyed } from "/page/js/dom.js";
import { attempt } from "/page/js/notice.js";
import { argumentsOf, corrections, intentName, money, plural, seconds, why } from "/page/js/words.js";

const PHASES = {
  queued: "waits its turn", running: "at work", waiting: "needs an answer", stopping: "stopping", done: "done",
  bad: "done, and not well", failed: "failed", stopped: "stopped",
};
const SHOWN_LINES = 6;

let redraw = () => {};

// `changed` has the page looked at anew, where something changes that no event tells of.
export function makeTurns(changed) {
  redraw = changed;
  return showTurns;
}

function showTurns(state) {
  const turns = [...state.turns.values()].filter((turn) => turn.text || turn.problem || jobsOf(state, turn).length);
  turns.reverse();
  $("empty").hidden = turns.length > 0;
  keyed($("turns"), turns, (turn) => turn.turn, (turn) => stampOf(state, turn), (turn, old) => make(state, turn, old));
}

function jobsOf(state, turn) {
  return [...state.jobs.values()].filter((job) => job.turn === turn.turn);
}

function stampOf(state, turn) {
  return [turn.rev, ...jobsOf(state, turn).map((job) => `${job.job}:${job.rev}:${job.phase}`)].join(" ");
}

function make(state, turn, old) {
  const jobs = jobsOf(state, turn);
  const node = h("article.turn", { "aria-label": turn.text || "A sentence" },
    heading(turn),
    meaning(turn, old),
    jobs.map((job) => work(job, old)),
    replies(turn, jobs));
  if (!turn.final) node.classList.add("open");
  return node;
}

function heading(turn) {
  const parts = turn.heard && turn.heard !== turn.text ? corrections(turn.heard, turn.text) : null;
  const notes = [];
  if (turn.typed) notes.push("typed");
  if (turn.alternatives?.length) notes.push(`${turn.alternatives.slice(0, 3).join(" or ")}?`);
  if (turn.phase === "stopped") notes.push("stopped");
  if (turn.phase === "empty") notes.push("no words");
  return h("div.turn-head", {},
    h("h3.sentence", {}, turn.text || "…"),
    parts ? h("p.heard", {}, "heard: ", parts.filter((part) => part.kind !== "new").map((part) =>
      [part.kind === "old" ? h("del", {}, part.text) : part.text, " "])) : null,
    notes.length ? h("p.fine", {}, notes.join(" · ")) : null,
    turn.problem ? h("p.trouble", {}, `${turn.problem.message}. ${turn.problem.hint}`) : null);
}

function meaning(turn, old) {
  const intent = turn.intent;
  if (!intent) return null;
  const facts = argumentsOf(intent);
  const was = old?.querySelector("details.meaning")?.open ?? false;
  return h("details.meaning", { open: was },
    h("summary", { "data-act": "why" },
      h("span.chip", {}, intentName(intent)),
      h(`span.chip.risk-${intent.risk}`, {}, intent.risk),
      h("span.fine", {}, "why")),
    h("p.fine", {}, why(intent), turn.ms ? ` It took ${seconds(turn.ms)}.` : ""),
    facts.length ? h("dl.facts", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])) : null);
}

function work(job, old) {
  const outcome = job.outcome;
  return h(`section.job.${job.phase}`, { "aria-label": job.title || "job" },
    h("div.job-head", {},
      h("span.mark", { "aria-hidden": "true" }),
      h("span.job-title", {}, job.title || "job"),
      job.agent ? h("span.chip", {}, job.agent) : null,
      h("span.job-phase", {}, PHASES[job.phase] ?? job.phase)),
    outcome?.summary ? h("p.summary", {}, outcome.summary) : null,
    job.problem ? h("p.trouble", {}, `${job.problem.message}. ${job.problem.hint}`) : null,
    job.taken ? h("p.fine", {}, "Taken back: the sentence went on.") : null,
    job.words && !job.ended ? h("p.stream", {}, job.words) : null,
    progress(job, old),
    outcome?.detail && outcome.detail.trim() !== outcome.summary.trim() ? detailOf(outcome.detail, `Detail of ${job.title}`) : null,
    diffOf(job),
    footer(job));
}

function progress(job, old) {
  if (!job.lines.length) return null;
  const recent = job.lines.slice(-SHOWN_LINES);
  const list = (lines) => h("ul.progress", {}, lines.map((line) => h(`li.${line.kind}`, {}, line.text)));
  if (!job.ended) return list(recent);
  const key = `steps-${job.job}`;
  const was = old?.querySelector(`[data-key="${key}"]`)?.open ?? false;
  return h("details", { open: was, "data-key": key },
    h("summary.fine", { "data-act": key }, plural(job.lines.length, "step")), list(job.lines));
}

function footer(job) {
  const outcome = job.outcome;
  const size = outcome?.detail ? sizeOf(outcome.detail) : null;
  const facts = [
    ...(outcome?.changed ?? []).slice(0, 6).map((path) => h("code.path", {}, path)),
    (outcome?.changed?.length ?? 0) > 6 ? `and ${outcome.changed.length - 6} more` : null,
    size && (size.plus || size.minus) ? h("span", {}, h("span.plus", {}, `+${size.plus}`), " ", h("span.minus", {}, `−${size.minus}`)) : null,
    (job.ended ? outcome?.changed?.length && !size : job.checkpoint) ? diffButton(job) : null,
    job.ended && job.began ? seconds(job.ended - job.began) : null,
    outcome?.cost_usd ? money(outcome.cost_usd) : null,
  ].filter(Boolean);
  return facts.length ? h("p.job-foot", {}, facts.map((fact) => h("span", {}, fact))) : null;
}

// Hands that write tell which files they changed; what they changed in them is kept with the checkpoints.
function diffButton(job) {
  const show = async () => {
    const shown = job.diff;
    job.diff = null;
    if (!shown && !(await attempt(get(`/v1/jobs/${job.job}/diff`).then((told) => { job.diff = told; })))) return;
    job.rev += 1;
    redraw();
  };
  const name = job.diff ? "Hide the diff" : job.ended ? "Show the diff" : "Show the diff so far";
  return h("button.small", { type: "button", "data-act": `diff-${job.job}`, "aria-expanded": String(Boolean(job.diff)), onclick: show }, name);
}

function diffOf(job) {
  if (!job.diff) return null;
  const { diff, files, whole } = job.diff;
  return [
    diff ? detailOf(diff, `What ${job.title} changed`) : h("p.fine", {}, "Nothing that can be shown as text."),
    whole ? null : h("p.fine", {}, `Not all of ${plural(files.length, "file")} can be shown.`),
  ];
}

function replies(turn, jobs) {
  const known = jobs.map((job) => job.outcome?.summary ?? "");
  const said = (turn.said ?? []).filter((words) => !known.some((summary) => summary && (summary.includes(words) || words.startsWith(summary))));
  return said.length ? h("ul.said", { "aria-label": "mybro said" }, said.map((words) => h("li", {}, words))) : null;
}
