// The session's events, each once and in order, over as many connections as it takes.

import { get, socketUrl } from "/page/js/api.js";

const FIRST_MS = 300;
const LONGEST_MS = 5000;
const SILENT_MS = 40000;

// Feeds the store for as long as the page is open. `onRefused` is called where the browser is not known.
export function follow(store, { onRefused, onEntered }) {
  let wait = FIRST_MS;
  let timer = 0;
  let watchdog = 0;
  let socket = null;

  function open() {
    clearTimeout(timer);
    const { seq, session } = store.state;
    const mine = new WebSocket(socketUrl(`/v1/events?after=${seq}&session=${encodeURIComponent(session)}`));
    socket = mine;
    mine.addEventListener("message", (message) => {
      if (socket !== mine) return;
      alive();
      take(JSON.parse(message.data));
    });
    mine.addEventListener("close", () => {
      if (socket === mine) lost();
    });
    alive();
  }

  function alive() {
    clearTimeout(watchdog);
    // A network that is gone tells nobody: what is silent for longer than two heartbeats is dead.
    watchdog = setTimeout(() => { socket?.close(); lost(); }, SILENT_MS);
  }

  function take(event) {
    if (event.event === "Hello") {
      wait = FIRST_MS;
      if (store.state.session && store.state.session !== event.session) store.restart();
      store.patch({ session: event.session, link: "open", until: event.seq });
      onEntered();
    } else if (event.event === "Missed") {
      store.patch({ missed: store.state.missed + event.to - event.from + 1, seq: event.to });
    } else if (event.event !== "Heartbeat" && event.seq > store.state.seq) {
      store.take(event, { replay: event.seq <= store.state.until });
    }
  }

  async function lost() {
    clearTimeout(watchdog);
    socket = null;
    store.patch({ link: "lost" });
    try {
      await get("/v1/session");
    } catch (error) {
      if (error.status === 401) {
        store.patch({ link: "refused" });
        onRefused();
      }
    }
    clearTimeout(timer);
    timer = setTimeout(() => { if (socket === null) open(); }, wait);
    wait = Math.min(LONGEST_MS, wait * 1.7);
  }

  function now() {
    if (socket !== null) return;
    wait = FIRST_MS;
    open();
  }
  addEventListener("online", now);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) now(); });
  open();
  return { now };
}
