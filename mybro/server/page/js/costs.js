// What it costs: this session, and day by day.

import { get } from "/page/js/api.js";
import { $, h, svg } from "/page/js/dom.js";
import { money, plural } from "/page/js/words.js";

const DAYS = 30;
const HEIGHT = 64;

export function costsTab(store) {
  const panel = $("panel-costs");
  async function show() {
    let days = [];
    let trouble = "";
    try {
      days = await get("/v1/costs");
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
      h("p.fine", {}, "Budgets: executor.budget_usd for a session and executor.budget_day_usd for a day; see mybro config."));
  }
  return { show };
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
