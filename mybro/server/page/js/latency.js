// How long each stage takes: p50, p95, the newest, and a picture over time.

import { get } from "/page/js/api.js";
import { $, h, svg } from "/page/js/dom.js";
import { seconds } from "/page/js/words.js";

const NAMES = {
  endpoint: ["End of speech", "quiet until the sentence was known to be over"],
  recognise: ["Recognition", "the recogniser at work"],
  transcript: ["Words", "from the end of speech to the final words"],
  understand: ["Meaning", "from the words to the intent"],
  start: ["Start", "from the intent to the work"],
};
const WIDTH = 240;
const HEIGHT = 44;

export function latencyTab() {
  const panel = $("panel-latency");
  async function show() {
    let found;
    try {
      found = await get("/v1/latency");
    } catch (error) {
      panel.replaceChildren(h("p.trouble", {}, error.message));
      return;
    }
    const stages = Object.keys(NAMES).filter((name) => found[name]);
    panel.replaceChildren(...(stages.length ? stages.map((name) => row(name, found[name])) : [
      h("p.empty-lead", {}, "No times yet."),
      h("p.fine", {}, "Say “run the tests”: the times of each stage of the turn stand here, and how they change."),
    ]));
  }
  return { show };
}

function row(name, stage) {
  const [title, meaning] = NAMES[name];
  const newest = stage.recent.at(-1)?.[1];
  return h("section.stage-row", {},
    h("div.stage-name", {}, h("h3", {}, title), h("p.fine", {}, meaning)),
    h("dl.numbers", {},
      number("p50", stage.p50_ms), number("p95", stage.p95_ms), number("newest", newest),
      h("div", {}, h("dt", {}, "turns"), h("dd", {}, String(stage.count)))),
    picture(title, stage));
}

function number(name, ms) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, seconds(ms)));
}

function picture(title, stage) {
  const values = stage.recent.slice(-60).map(([, ms]) => ms);
  const top = Math.max(...values, stage.p95_ms, 1) * 1.1;
  const x = (at) => values.length < 2 ? WIDTH / 2 : 4 + (at * (WIDTH - 8)) / (values.length - 1);
  const y = (ms) => HEIGHT - 3 - (Math.max(0, ms) / top) * (HEIGHT - 6);
  const level = (ms, look) => svg("line", { x1: 0, x2: WIDTH, y1: y(ms), y2: y(ms), class: look });
  const line = svg("polyline", { points: values.map((ms, at) => `${x(at)},${y(ms)}`).join(" "), class: "spark" });
  const dots = values.map((ms, at) => svg("circle", { cx: x(at), cy: y(ms), r: at === values.length - 1 ? 3 : 1.5, class: "spark-dot" }));
  return svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "sparkline",
    "aria-label": `${title}, the newest ${values.length}: between ${seconds(Math.min(...values))} and ${seconds(Math.max(...values))}`,
  }, level(stage.p50_ms, "median"), level(stage.p95_ms, "high"), line, ...dots);
}
