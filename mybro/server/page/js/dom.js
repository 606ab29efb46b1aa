// Elements by their names; texts are only ever set as text, so nothing that was said becomes markup.

export const $ = (id) => document.getElementById(id);

// An element with classes after dots ("p.fine"), properties, and children that are elements or texts.
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && !key.includes("-")) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

// Children by key: those that stay keep their node, and with it the focus, selection and scroll in it.
// `make(item)` gives a node; `stamp(item)` says when it has to be made anew.
export function keyed(container, items, key, stamp, make) {
  const known = container.keyedNodes ?? (container.keyedNodes = new Map());
  const wanted = new Set();
  let before = container.firstChild;
  for (const item of items) {
    const id = key(item);
    const now = stamp(item);
    wanted.add(id);
    let entry = known.get(id);
    if (!entry || entry.stamp !== now) {
      const node = make(item, entry?.node);
      if (entry && entry.node !== node) {
        const had = entry.node.contains(document.activeElement) ? document.activeElement.dataset.act : null;
        if (entry.node === before) before = node;
        entry.node.replaceWith(node);
        if (had) node.querySelector(`[data-act="${CSS.escape(had)}"]`)?.focus();
      }
      entry = { node, stamp: now };
      known.set(id, entry);
    }
    if (entry.node === before) before = before.nextSibling;
    else container.insertBefore(entry.node, before);
  }
  for (const [id, entry] of known) {
    if (!wanted.has(id)) {
      entry.node.remove();
      known.delete(id);
    }
  }
}
