// What was said before: its sound, what came of it, and how it went, step by step.

import { get, say } from "/page/js/api.js";
import { $, h, keyed } from "/page/js/dom.js";
import { attempt } from "/page/js/notice.js";
import { replayOf } from "/page/js/replay.js";
import { clock, money, plural } from "/page/js/words.js";

const PAGE = 20;

export function historyTab() {
  const panel = $("panel-history");
  const search = h("input", { id: "history-search", type: "search", placeholder: "Search what was said", maxLength: 200 });
  const list = h("ol.history");
  const more = h("button", { type: "button", hidden: true }, "Older");
  const empty = h("div", { hidden: true });
  let next = null;
  let loaded = [];
  let searched = "";
  let typing = 0;
  let asked = 0;

  panel.append(h("label.hidden", { htmlFor: "history-search" }, "Search the history"), search, empty, list, more);
  search.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(show, 250); });
  more.addEventListener("click", () => load(next));

  async function load(before) {
    asked += 1;
    const mine = asked;
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (before !== null) query.set("before", String(before));
    if (search.value.trim()) query.set("search", search.value.trim());
    let page;
    try {
      page = await get(`/v1/history?${query}`);
    } catch (error) {
      if (mine === asked) tell(error.message, "");
      return;
    }
    if (mine !== asked) return;
    if (before === null) loaded = merged(page, search.value.trim() === searched ? loaded : []);
    else loaded = [...loaded, ...page.items];
    searched = search.value.trim();
    keyed(list, loaded, (one) => one.id, (one) => `${one.state} ${one.text} ${one.jobs.length}`, item);
    if (before !== null || loaded.length <= PAGE) next = page.next;
    more.hidden = next === null;
    if (list.childElementCount) empty.hidden = true;
    else if (search.value.trim()) tell("Nothing like that was said.", "");
    else tell("No history yet.", "What you say is kept on this machine, with its sound: it can be heard and replayed here.");
  }

  function tell(lead, fine) {
    empty.replaceChildren(h("p.empty-lead", {}, lead), fine ? h("p.fine", {}, fine) : "");
    empty.hidden = false;
  }

  const show = () => load(null);
  return { show };
}

// The newest page, and what was loaded of older ones before.
function merged(page, before) {
  const oldest = page.items.at(-1)?.id ?? Infinity;
  return [...page.items, ...(page.next === null ? [] : before.filter((one) => one.id < oldest))];
}

// Whether somebody looks at it or listens to it: it is left in peace then.
function inUse(node) {
  const sound = node.querySelector("audio");
  return node.querySelector('[aria-expanded="true"]') !== null || (sound !== null && !sound.paused);
}

function item(one, old) {
  if (old && inUse(old)) {
    old.querySelector(".chip").replaceWith(stateOf(one));
    return old;
  }
  const cost = money(one.cost_usd);
  const changed = one.jobs.flatMap((job) => job.changed);
  const summary = one.jobs.map((job) => job.summary).filter(Boolean).join(" ");
  const replay = h("div.replay-place");
  const show = h("button", { type: "button", "aria-expanded": "false" }, "Replay");
  show.addEventListener("click", () => toggle(show, replay, one));
  return h("li.past", {},
    h("div.past-head", {}, h("span.fine", {}, `#${one.id} ${clock(one.said)}`), stateOf(one)),
    h("p.past-text", {}, one.text || "(no words)"),
    summary ? h("p.fine", {}, summary) : null,
    changed.length || cost ? h("p.fine", {}, [plural(changed.length, "file") + " changed", cost].filter(Boolean).join(" · ")) : null,
    one.has_audio ? h("audio", { controls: true, preload: "none", src: `/v1/history/${one.id}/audio`, "aria-label": `Sound of: ${one.text}` }) : null,
    h("div.past-acts", {}, show,
      one.text ? h("button", { type: "button", onclick: () => attempt(say(one.text)) }, "Do it again") : null),
    replay);
}

function stateOf(one) {
  return h(`span.chip.state-${one.state}`, {}, one.state);
}

async function toggle(button, place, one) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  place.replaceChildren();
  if (!open) return;
  try {
    place.append(replayOf(await get(`/v1/history/${one.id}`)));
  } catch (error) {
    place.append(h("p.trouble", {}, error.message));
  }
}
