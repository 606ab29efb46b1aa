// The tabs at the side: only the one that is looked at asks for anything.

import { $ } from "/page/js/dom.js";

export function makeTabs(tabs) {
  const names = Object.keys(tabs);
  let current = "";

  function choose(name, focus = false) {
    if (name !== current) tabs[current]?.leave?.();
    for (const one of names) {
      const tab = $(`tab-${one}`);
      const on = one === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      $(`panel-${one}`).hidden = !on;
      if (on && focus) tab.focus();
    }
    current = name;
    tabs[name].show();
  }

  for (const [at, name] of names.entries()) {
    const tab = $(`tab-${name}`);
    tab.addEventListener("click", () => choose(name));
    tab.addEventListener("keydown", (event) => {
      const next = { ArrowRight: at + 1, ArrowLeft: at - 1 + names.length, Home: 0, End: names.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      choose(names[next % names.length], true);
    });
  }
  choose(names[0]);
  return { refresh: () => tabs[current].show() };
}
