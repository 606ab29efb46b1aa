// Puts the parts together.

import { makeAloud } from "/page/js/aloud.js";
import { get, post, say } from "/page/js/api.js";
import { costsTab } from "/page/js/costs.js";
import { $, h, text } from "/page/js/dom.js";
import { doctorTab } from "/page/js/doctor.js";
import { makeEnter } from "/page/js/enter.js";
import { historyTab } from "/page/js/history.js";
import { takeKeys } from "/page/js/keys.js";
import { latencyTab } from "/page/js/latency.js";
import { logsTab } from "/page/js/logs.js";
import { machineTab } from "/page/js/machine.js";
import { announce, attempt, notice } from "/page/js/notice.js";
import { showLevel, showNow } from "/page/js/now.js";
import { showQuestions } from "/page/js/questions.js";
import { makeTabs } from "/page/js/side.js";
import { makeStore } from "/page/js/store.js";
import { follow } from "/page/js/stream.js";
import { makeTalk } from "/page/js/talk.js";
import { makeTurns } from "/page/js/turns.js";

const EXAMPLES = ["run the tests", "show me the changes", "what can I say?"];
const SOON_MS = 150;

const store = makeStore();
const talk = makeTalk(store);
const aloud = makeAloud();

// ---------------------------------------------------------------- what is pressed

async function stop() {
  talk.off();
  aloud.hush();
  await attempt(post("/v1/stop"));
}

function undo() {
  return attempt(post("/v1/undo?wait_s=0"));
}

function mute() {
  return attempt(say(store.state.status?.muted ? "unmute" : "mute"));
}

function pause() {
  return attempt(say(store.state.status?.paused ? "resume" : "pause"));
}

$("stop").addEventListener("click", stop);
$("undo").addEventListener("click", undo);
$("mute").addEventListener("click", mute);
$("pause").addEventListener("click", pause);
$("type").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = $("sentence");
  const sentence = field.value.trim();
  if (sentence && await attempt(say(sentence))) field.value = "";
});
$("examples").append(...EXAMPLES.map((sentence) => h("li", {},
  h("button", { type: "button", onclick: () => attempt(say(sentence)) }, `“${sentence}”`))));
takeKeys({ talk, stop, undo, mute });

// ---------------------------------------------------------------- what is shown

store.watch(showNow);
store.watch(showLevel);
store.watch(showQuestions);
store.watch(makeTurns(() => store.patch({})));
store.watch((state) => {
  const { muted, paused } = state.status ?? {};
  $("mute").setAttribute("aria-pressed", String(Boolean(muted)));
  $("pause").setAttribute("aria-pressed", String(Boolean(paused)));
  text($("pause"), paused ? "Resume" : "Pause");
  document.title = state.questions.size ? "? mybro" : "mybro";
});
store.listen(announce);
store.listen(aloud.hear);
addEventListener("resize", () => store.patch({}));

const side = makeTabs({ history: historyTab(), latency: latencyTab(), costs: costsTab(store), doctor: doctorTab(), machine: machineTab(), logs: logsTab() });

// ---------------------------------------------------------------- what the events alone do not say

let asking = 0;

async function refresh() {
  asking = 0;
  try {
    store.settle(await get("/v1/status"));
  } catch (error) {
    if (error.status && error.status !== 401) notice(error.message);
  }
}

function soon() {
  if (!asking) asking = setTimeout(refresh, SOON_MS);
}

const BRINGS_NEWS = new Set(["Recorded", "JobFinished", "JobFailed", "JobStopped", "TurnTimed"]);
let news = 0;

store.listen((event) => {
  if (event.event === "LevelMeasured" || (event.event === "JobProgressed" && event.kind !== "step")) return;
  soon();
  if (!BRINGS_NEWS.has(event.event)) return;
  clearTimeout(news);
  news = setTimeout(() => side.refresh(), 2 * SOON_MS);
});

const enter = makeEnter(() => stream.now());
const stream = follow(store, {
  onRefused: enter.show,
  onEntered: () => {
    enter.hide();
    soon();
    side.refresh();
  },
});
