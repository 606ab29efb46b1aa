// Keys that work anywhere on the page: Space talks, Escape stops, U takes back, M silences, / types.

import { $ } from "/page/js/dom.js";

const WRITES = "input, textarea, select, [contenteditable]";
const TAKES_SPACE = `${WRITES}, button, summary, audio, a`;

export function takeKeys({ talk, stop, undo, mute }) {
  addEventListener("keydown", (event) => {
    if ($("enter").open || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (event.key === "Escape") {
      event.preventDefault();
      if (!event.repeat) stop();
      return;
    }
    if (event.key === " " && (target === $("talk") || !target.closest(TAKES_SPACE))) {
      event.preventDefault();
      if (!event.repeat) talk.down();
      return;
    }
    if (target.closest(WRITES) || event.repeat) return;
    if (event.key === "u") undo();
    else if (event.key === "m") mute();
    else if (event.key === "/") {
      event.preventDefault();
      $("sentence").focus();
    }
  });
  addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    if (event.target === $("talk")) event.preventDefault();
    talk.up();
  });
}
