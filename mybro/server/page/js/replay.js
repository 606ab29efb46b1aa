// How one sentence went, from its events: a list with times that can be played at the speed it had.

import { h } from "/page/js/dom.js";
import { seconds } from "/page/js/words.js";

const LONGEST_GAP_MS = 3000;
const MOST = 300;

const TOLD = {
  Typed: (body) => `typed “${body.text}”`,
  Transcript: (body) => `${body.final ? "heard" : "so far"} “${body.text}”`,
  Understood: (body) => `meant ${(body.intent?.action ?? body.intent?.kind ?? "").replaceAll("_", " ")}`,
  JobStarted: (body) => `began: ${body.title}`,
  JobProgressed: (body) => body.text,
  JobAsked: (body) => `asked: ${body.text}`,
  Answered: (body) => `answered ${body.choice ?? (body.yes ? "yes" : "no")}`,
  JobFinished: (body) => body.outcome?.summary || "finished",
  JobFailed: (body) => body.problem?.message || "failed",
  JobStopped: () => "stopped",
  SayStarted: (body) => `said “${body.text}”`,
};

function nameOf(event) {
  return event.name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

export function replayOf(past) {
  const events = past.events.slice(0, MOST);
  if (!events.length) return h("p.fine", {}, "Its events are not kept any more.");
  const begin = events[0].at;
  const rows = events.map((event) => h("li", {},
    h("span.replay-time", {}, `+${seconds((event.at - begin) * 1000) || "0 ms"}`),
    h("span", {}, TOLD[event.name]?.(event.body) ?? nameOf(event))));
  const list = h("div.replay", { tabIndex: 0, role: "region", "aria-label": "How it went" }, h("ol", {}, rows));
  const play = h("button", { type: "button" }, "Play it");
  let timer = 0;

  function stop() {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "Play it";
  }

  function step(at) {
    for (const row of rows) row.classList.toggle("current", row === rows[at]);
    rows[at].classList.remove("ahead");
    list.scrollTop = rows[at].offsetTop - list.offsetTop - list.clientHeight / 2;
    const after = events[at + 1];
    if (!after || !list.isConnected) stop();
    else timer = setTimeout(() => step(at + 1), Math.min(LONGEST_GAP_MS, (after.at - events[at].at) * 1000));
  }

  play.addEventListener("click", () => {
    if (timer) {
      stop();
      for (const row of rows) row.classList.remove("ahead", "current");
      return;
    }
    play.textContent = "Show all";
    for (const row of rows) row.classList.add("ahead");
    step(0);
  });
  return h("div", {}, play, list);
}
