// The browser's microphone as the session's: its sound goes to the server while Talk is on.

import { socketUrl } from "/page/js/api.js";
import { $, text } from "/page/js/dom.js";
import { notice } from "/page/js/notice.js";
import { level } from "/page/js/reduce.js";

const RATE = 16000;
const HOLD_MS = 350;
const MOST_WAITING = 4 << 20;
const RESTARTS = 1012;
const AGAIN_MS = 250;
const MOST_KEPT = 60 * 2 * RATE;
// The beginning of a word may have been taken for silence: so many bytes before what was heard are kept.
const BEFORE = RATE;
const SOUND = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

class Microphone {
  // `onSound` gets each piece of sound, `onEnd` a reason, or "" where it ended as it was meant to.
  constructor(onSound, onEnd) {
    this.onSound = onSound;
    this.onEnd = onEnd;
    this.ended = false;
    // What was not heard for certain yet, each piece with its place; `next` is the place to send from.
    this.kept = [];
    this.at = 0;
    this.next = 0;
    this.base = 0;
    this.moving = 0;
  }

  async start() {
    if (!navigator.mediaDevices) throw new Error("A browser gives its microphone only to https pages and to this machine");
    this.open();
    this.media = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
    if (this.ended) return this.release();
    this.context = new AudioContext({ sampleRate: RATE });
    await this.context.audioWorklet.addModule("/page/js/capture_worklet.js");
    if (this.ended) return this.release();
    this.node = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    this.node.port.onmessage = (message) => this.send(message.data);
    this.context.createMediaStreamSource(this.media).connect(this.node);
    await this.context.resume();
    return undefined;
  }

  open() {
    const socket = new WebSocket(socketUrl("/ws/microphone"));
    this.socket = socket;
    let trouble = "";
    socket.addEventListener("open", () => {
      this.moving = 0;
      this.base = this.next = this.kept[0]?.at ?? this.at;
      this.flush();
      if (this.stopping) socket.send(JSON.stringify({ end: true }));
    });
    socket.addEventListener("message", (message) => {
      const told = JSON.parse(message.data);
      trouble = told.error?.message ?? trouble;
      if (told.heard !== undefined) this.forget(this.base + told.heard - BEFORE);
    });
    socket.addEventListener("close", (event) => this.closed(event.code, trouble));
  }

  // A session that another takes over from has heard every sentence to its end; what came since goes to that one.
  closed(code, trouble) {
    if (code === RESTARTS && !this.moving) this.moving = performance.now();
    const late = performance.now() - this.moving > (1000 * MOST_KEPT) / (2 * RATE);
    if (this.moving && !late && !trouble) {
      setTimeout(() => { if (!this.ended) this.open(); }, AGAIN_MS);
      return;
    }
    this.release();
    this.finish(trouble || (code === 1000 || this.stopping ? "" : "The connection for the microphone broke off"));
  }

  send(buffer) {
    if (this.stopping) return;
    this.onSound(new Int16Array(buffer));
    this.kept.push({ at: this.at, buffer });
    this.at += buffer.byteLength;
    this.forget(this.at - MOST_KEPT);
    if (this.socket.bufferedAmount > MOST_WAITING) this.fail("The connection is too slow for sound");
    else this.flush();
  }

  flush() {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    for (const { at, buffer } of this.kept) {
      if (at < this.next) continue;
      this.socket.send(buffer);
      this.next = at + buffer.byteLength;
    }
  }

  forget(until) {
    while (this.kept.length && this.kept[0].at + this.kept[0].buffer.byteLength <= until) this.kept.shift();
  }

  // What has been said is heard to its end; the server closes then.
  stop() {
    if (this.stopping) return;
    this.stopping = true;
    this.release();
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ end: true }));
    else if (this.moving) this.fail("");
  }

  fail(why) {
    this.stopping = true;
    this.release();
    this.socket?.close();
    this.finish(why);
  }

  finish(why) {
    if (this.ended) return;
    this.ended = true;
    this.onEnd(why);
  }

  release() {
    for (const track of this.media?.getTracks() ?? []) track.stop();
    this.media = null;
    if (this.context && this.context.state !== "closed") this.context.close();
  }
}

function measure(state, samples) {
  let sum = 0;
  let peak = 0;
  for (const sample of samples) {
    sum += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  const decibels = (value) => value > 0 ? Math.max(-120, 20 * Math.log10(value / 32768)) : -120;
  level(state, decibels(Math.sqrt(sum / samples.length)), decibels(peak), state.ear === "hearing");
}

function saying(error) {
  switch (error.name) {
    case "NotAllowedError": return "The browser was not allowed the microphone: see its settings for this page";
    case "NotFoundError": return "This browser has no microphone";
    default: return error.message;
  }
}

// A short press turns Talk on until the next one; a long one holds it as long as it lasts.
export function makeTalk(store) {
  const button = $("talk");
  let microphone = null;
  let pressed = 0;
  let wasOn = false;

  function show(on) {
    button.setAttribute("aria-pressed", String(on));
    text($("talk-text"), on ? "Listening" : "Talk");
    store.patch({ local: on });
  }

  function on() {
    const mine = new Microphone(
      (samples) => { measure(store.state, samples); store.patch({}); },
      (why) => {
        if (why) notice(why);
        if (microphone === mine) {
          microphone = null;
          show(false);
        }
      });
    microphone = mine;
    show(true);
    mine.start().catch((error) => mine.fail(saying(error)));
  }

  function off() {
    microphone?.stop();
    microphone = null;
    show(false);
  }

  function down() {
    if (pressed) return;
    pressed = performance.now();
    wasOn = microphone !== null;
    if (!wasOn) on();
  }

  function up() {
    if (!pressed) return;
    const held = performance.now() - pressed > HOLD_MS;
    pressed = 0;
    if (held || wasOn) off();
  }

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    down();
  });
  button.addEventListener("pointerup", up);
  button.addEventListener("pointercancel", up);
  // Assistive technology clicks without a pointer.
  button.addEventListener("click", (event) => { if (event.detail === 0) { down(); up(); } });
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  addEventListener("blur", up);
  addEventListener("pagehide", off);
  return { down, up, off };
}
