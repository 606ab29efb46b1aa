// What mybro says, spoken by this browser, where the person wants that: its voice comes from the speech API.

import { $ } from "/page/js/dom.js";
import { notice } from "/page/js/notice.js";

const KEPT = "mybro-aloud";
const MOST_WAITING = 4;

export function makeAloud() {
  const button = $("aloud");
  const waiting = [];
  let on = false;
  let playing = null;
  let turn = 0;

  function show() {
    button.setAttribute("aria-pressed", String(on));
  }

  function hush() {
    turn += 1;
    waiting.length = 0;
    playing?.pause();
    playing = null;
  }

  async function sound(words) {
    const answer = await fetch("/v1/audio/speech", {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input: words.slice(0, 4000), response_format: "wav" }),
    });
    if (!answer.ok) throw new Error((await answer.json()).error?.message ?? "It cannot be spoken");
    return URL.createObjectURL(await answer.blob());
  }

  async function next() {
    if (playing || !waiting.length) return;
    const mine = turn;
    playing = new Audio();
    const player = playing;
    let place = "";
    try {
      place = await sound(waiting.shift());
      if (mine !== turn) return;
      player.src = place;
      await player.play();
      await new Promise((done) => { player.onended = player.onpause = player.onerror = done; });
    } catch (error) {
      if (mine === turn) notice(error.name === "NotAllowedError" ? "The browser plays no sound before the page is used" : error.message);
    } finally {
      if (place) URL.revokeObjectURL(place);
      if (playing === player) playing = null;
    }
    if (mine === turn) next();
  }

  button.addEventListener("click", () => {
    on = !on;
    try {
      localStorage.setItem(KEPT, on ? "on" : "");
    } catch {
      // a browser that keeps nothing asks again next time
    }
    if (!on) hush();
    show();
  });
  try {
    on = localStorage.getItem(KEPT) === "on";
  } catch {
    // the same
  }
  show();

  return {
    hush,
    hear(event, state) {
      switch (event.event) {
        case "SayStarted":
          if (!on || state.status?.muted) return;
          waiting.push(event.text);
          if (waiting.length > MOST_WAITING) waiting.shift();
          next();
          break;
        case "SayFinished": if (event.interrupted) hush(); break;
        // Whoever speaks is not talked over.
        case "SpeechStarted":
        case "StopAll": hush(); break;
        default:
      }
    },
  };
}
