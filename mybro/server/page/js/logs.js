// The log as it is written, with filters.

import { socketUrl } from "/page/js/api.js";
import { $, h } from "/page/js/dom.js";

const KEPT = 500;
const AGAIN_MS = 2000;
const LEVELS = ["debug", "info", "warning", "error"];

export function logsTab() {
  const panel = $("panel-logs");
  const lines = h("ol.log", { "aria-label": "Log lines, the newest first" });
  const level = h("select", { id: "log-level" }, LEVELS.map((name) => h("option", { value: name, selected: name === "info" }, name)));
  const contains = h("input", { id: "log-contains", type: "search", placeholder: "any text", maxLength: 200 });
  const hold = h("button", { type: "button", "aria-pressed": "false" }, "Hold");
  const nothing = h("p.fine", {}, "No line passes the filter yet.");
  let socket = null;
  let timer = 0;
  let typing = 0;
  let held = [];

  panel.append(
    h("form.filters", { onsubmit: (event) => event.preventDefault() },
      h("label", { htmlFor: "log-level" }, "From"), level,
      h("label", { htmlFor: "log-contains" }, "with"), contains, hold),
    nothing, lines);
  level.addEventListener("change", open);
  contains.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(open, 250); });
  hold.addEventListener("click", () => {
    const on = hold.getAttribute("aria-pressed") !== "true";
    hold.setAttribute("aria-pressed", String(on));
    if (!on) for (const record of held.splice(0)) add(record);
  });

  function open() {
    close();
    lines.replaceChildren();
    nothing.hidden = false;
    held = [];
    const query = new URLSearchParams({ after: "0", level: level.value, contains: contains.value });
    const mine = new WebSocket(socketUrl(`/v1/logs/stream?${query}`));
    socket = mine;
    mine.addEventListener("message", (message) => {
      const record = JSON.parse(message.data);
      if (socket !== mine || "heartbeat" in record) return;
      if (hold.getAttribute("aria-pressed") === "true") held = [...held.slice(1 - KEPT), record];
      else add(record);
    });
    mine.addEventListener("close", () => { if (socket === mine) timer = setTimeout(open, AGAIN_MS); });
  }

  function close() {
    clearTimeout(timer);
    const mine = socket;
    socket = null;
    mine?.close();
  }

  function add(record) {
    nothing.hidden = true;
    lines.prepend(line(record));
    while (lines.childElementCount > KEPT) lines.lastElementChild.remove();
  }

  return { show: () => { if (!socket) open(); }, leave: close };
}

// Fields as a person reads them: without what is empty, and without quotes.
function short(value) {
  if (Array.isArray(value)) return value.map(short).join(", ");
  if (value === null || typeof value !== "object") return String(value ?? "");
  return Object.entries(value).map(([name, one]) => [name, one?.constructor === Object ? `(${short(one)})` : short(one)])
    .filter(([, one]) => one !== "" && one !== "false" && one !== "0").map(([name, one]) => `${name}=${one}`).join(" ");
}

function line(record) {
  const { timestamp, level, logger, event, fields, ...rest } = record;
  const { seq, t, wall_ms, ...own } = fields ?? {};
  const more = short({ ...rest, ...own });
  const time = timestamp ? new Date(timestamp).toLocaleTimeString() : "";
  return h(`li.log-line.${/^\w+$/.test(level) ? level : "info"}`, {},
    h("time", {}, time), h("b", {}, ` ${event} `),
    level !== "info" ? h("span.chip", {}, level) : null,
    h("span.fine", {}, ` ${(logger ?? "").replace(/^mybro\./, "")} ${more}`.slice(0, 600)));
}
