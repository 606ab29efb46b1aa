// What it costs: this session, and day by day.

import { get, post } from "/page/js/api.js";
import { $, h, svg } from "/page/js/dom.js";
import { attempt } from "/page/js/notice.js";
import { money, plural } from "/page/js/words.js";

const DAYS = 30;
const HEIGHT = 64;

export function costsTab(store) {
  const panel = $("panel-costs");
  async function show() {
    // Whoever is writing a number is left in peace.
    if (panel.querySelector("input:focus")) return;
    let days = [];
    let budget = null;
    let trouble = "";
    try {
      [days, budget] = await Promise.all([get("/v1/costs"), get("/v1/budget")]);
    } catch (error) {
      trouble = error.message;
    }
    const { cost, tokens, finished } = store.state;
    panel.replaceChildren(
      h("dl.numbers.big", {},
        fact("this session", money(cost) || "$0.00"),
        fact("tokens", tokens.toLocaleString()),
        fact("jobs", String(finished)),
        fact("all days", money(days.reduce((sum, day) => sum + day.usd, 0)) || "$0.00")),
      trouble ? h("p.trouble", {}, trouble) : "",
      days.some((day) => day.usd > 0) ? picture(days.slice(-DAYS)) : "",
      days.length ? table(days.slice(-DAYS).reverse()) : h("p.fine", {},
        "Nothing has been spent. What runs on this machine, such as “run the tests”, costs nothing; work by Claude is counted here."),
      budget ? limits(budget) : "");
  }

  function limits(budget) {
    const form = h("form.limits", { autocomplete: "off" },
      h("h3", {}, "What may be spent"),
      limit("session_usd", "By one coding session, $", budget.session_usd),
      limit("day_usd", "By all of a day, $", budget.day_usd),
      h("p.fine", {}, `${money(budget.today_usd) || "Nothing"} was spent today. An empty field means any amount; it holds for coding sessions that begin from now on.`),
      h("button", { type: "submit" }, "Set"));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const given = Object.fromEntries(["session_usd", "day_usd"].map((name) => [name, form.elements[name].value ? Number(form.elements[name].value) : null]));
      document.activeElement?.blur();
      if (await attempt(post("/v1/budget", given))) await show();
    });
    return form;
  }
  return { show };
}

function limit(name, label, value) {
  return h("p.limit", {},
    h("label", { htmlFor: name }, label),
    h("input", { id: name, name, type: "number", min: "0.01", max: "1000000", step: "0.01", inputMode: "decimal", value: value ?? "", placeholder: "any amount" }));
}

function fact(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

function picture(days) {
  const top = Math.max(...days.map((day) => day.usd));
  const wide = 240 / DAYS;
  const bars = days.map((day, at) => {
    const tall = Math.max(1, (day.usd / top) * (HEIGHT - 4));
    return svg("rect", { x: at * wide + 1, y: HEIGHT - tall, width: wide - 2, height: tall, rx: 1.5, class: "cost-bar" });
  });
  return svg("svg", { viewBox: `0 0 240 ${HEIGHT}`, class: "sparkline", role: "img",
    "aria-label": `Cost of ${plural(days.length, "day")}, at most ${money(top)} a day` }, ...bars);
}

function table(days) {
  return h("table", {},
    h("thead", {}, h("tr", {}, ["Day", "Cost", "Tokens", "Jobs"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, days.map((day) => h("tr", {},
      h("th", { scope: "row" }, day.day), h("td", {}, money(day.usd) || "–"),
      h("td", {}, (day.input_tokens + day.output_tokens).toLocaleString()), h("td", {}, String(day.jobs))))));
}
