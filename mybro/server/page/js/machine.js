// What the machine is doing, while somebody looks.

import { get } from "/page/js/api.js";
import { $, h, svg } from "/page/js/dom.js";

const EVERY_MS = 2000;
const KEPT = 60;
const WIDTH = 240;
const HEIGHT = 44;
const GIB = 2 ** 30;

export function machineTab() {
  const panel = $("panel-machine");
  let timer = 0;
  let shares = [];

  async function look() {
    clearTimeout(timer);
    let next = EVERY_MS;
    try {
      const { machine, load, every_s } = await get("/v1/system");
      if (panel.hidden) return;
      next = Math.max(next, every_s * 1000);
      if (load.cpu_percent !== null) shares = [...shares, load.cpu_percent / 100].slice(-KEPT);
      panel.replaceChildren(...rows(machine, load, shares));
    } catch (error) {
      panel.replaceChildren(h("p.trouble", {}, error.message));
    }
    if (!panel.hidden) timer = setTimeout(look, next);
  }

  return { show: look, leave: () => clearTimeout(timer) };
}

function rows(machine, load, shares) {
  const { memory_total: memory, disk_total: disk } = load;
  return [
    gauge("Processor", load.cpu_percent, `load ${load.load_average.map((one) => one.toFixed(1)).join(", ")}`),
    picture(shares),
    gauge("Memory", 100 * (1 - load.memory_available / memory), `${gib(load.memory_available)} free of ${gib(memory)}`),
    gauge("Disk", 100 * (1 - load.disk_free / disk), `${gib(load.disk_free)} free of ${gib(disk)}`),
    load.gpu_percent === null ? null : gauge("GPU", load.gpu_percent, machine.gpu),
    load.battery_percent === null ? null : gauge("Battery", load.battery_percent, load.charging ? "charging" : ""),
    load.temperature_celsius === null ? null
      : h("p", {}, h("b", {}, `${Math.round(load.temperature_celsius)} °C`), " at the hottest sensor"),
    h("p.fine", {}, [machine.processor, `${machine.cores} cores`, machine.system, `Python ${machine.python}`].filter(Boolean).join(" · ")),
    h("p.fine", {}, `Looked at by ${machine.monitor}.`),
  ].filter(Boolean);
}

function gib(bytes) {
  return `${(bytes / GIB).toFixed(bytes < 10 * GIB ? 1 : 0)} GiB`;
}

function gauge(name, percent, note) {
  const bar = h("div.gauge-bar");
  bar.style.transform = `scaleX(${Math.max(0, Math.min(100, percent ?? 0)) / 100})`;
  return h("div.gauge", {},
    h("div.gauge-head", {}, h("span", {}, name), h("b", {}, percent === null ? "–" : `${Math.round(percent)} %`), h("span.fine", {}, note)),
    h("div.meter", { "aria-hidden": "true" }, bar));
}

function picture(shares) {
  const x = (at) => (WIDTH * (at + KEPT - shares.length)) / (KEPT - 1);
  const points = shares.map((share, at) => `${x(at)},${HEIGHT - 2 - share * (HEIGHT - 4)}`);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "sparkline", role: "img", "aria-label": "The processor, look by look" },
    svg("polyline", { points: points.join(" "), class: "spark" }));
}
