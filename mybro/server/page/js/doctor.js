// What the doctor found in the repository, and having it look; it is mended by the same words as by voice.

import { get, post, say } from "/page/js/api.js";
import { $, h } from "/page/js/dom.js";
import { attempt } from "/page/js/notice.js";
import { clock, plural } from "/page/js/words.js";

const AGAIN_MS = 700;
const PLACES = 4;
const RISK = { low: "", medium: "risk-write", high: "risk-destructive" };

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export function doctorTab() {
  const panel = $("panel-doctor");
  const look = h("button", { type: "button" }, "Have it look");
  const place = h("div.findings");
  panel.append(look, place);

  look.addEventListener("click", async () => {
    look.disabled = true;
    place.replaceChildren(h("p.fine", {}, "It looks. Stop ends it."));
    await attempt(examined());
    look.disabled = false;
    await show();
  });

  async function examined() {
    let task = await post("/v1/doctor");
    while (task.state === "running" || task.state === "queued") {
      await wait(AGAIN_MS);
      task = await get(task.url);
    }
    if (task.error) throw new Error([task.error.message, task.error.hint].filter(Boolean).join(". "));
  }

  async function show() {
    if (look.disabled) return;
    try {
      place.replaceChildren(...report(await get("/v1/doctor")));
    } catch (error) {
      if (error.code === "no_report") {
        place.replaceChildren(h("p.empty-lead", {}, "It has not looked yet."),
          h("p.fine", {}, "Press the button, or say “how healthy is this repo”. It reads the repository and runs none of it."));
      } else place.replaceChildren(h("p.trouble", {}, error.message));
    }
  }

  return { show };
}

function report(found) {
  const counts = Object.entries(found.counts).filter(([, count]) => count).map(([name, count]) => `${count} ${name}`);
  return [
    h("p.score", {}, h("b", {}, `${found.score}`), ` of 100, ${found.grade}`),
    h("p.fine", {}, [...counts, `at ${clock(found.at)}`, found.complete ? "" : "not everything was looked at"].filter(Boolean).join(" · ")),
    found.findings.length ? h("ol.history", {}, found.findings.map(finding)) : h("p", {}, "It found nothing."),
    found.unexamined.length ? h("details", {}, h("summary.fine", {}, `Not looked at: ${found.unexamined.length}`),
      h("ul.fine", {}, found.unexamined.map((gap) => h("li", {}, `${gap.what}: ${gap.why}`)))) : "",
  ];
}

function finding(one) {
  const safe = one.mends.safe ?? 0;
  const risk = RISK[one.severity];
  return h("li.past", {},
    h("div.past-head", {}, h("span.past-text", {}, `${one.number}. ${one.title}`), h(risk ? `span.chip.${risk}` : "span.chip", {}, one.severity)),
    h("p.fine", {}, one.message),
    h("p.fine", {}, one.places.slice(0, PLACES).map((at) => h("code", {}, `${at.path || "repository"}${at.line ? `:${at.line}` : ""} `)),
      one.count > PLACES ? `${plural(one.count, "place")} in all` : ""),
    h("details", {}, h("summary.fine", {}, "Why, and what to do"), h("p.fine", {}, one.why), h("p.fine", {}, one.mend)),
    safe ? h("div.past-acts", {}, h("button", { type: "button", onclick: () => attempt(say(`fix number ${one.number}`)) }, `Fix number ${one.number}`)) : null);
}
