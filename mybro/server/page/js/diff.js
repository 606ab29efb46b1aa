// A job's detail: a diff with its lines marked, or an output as it is.

import { h } from "/page/js/dom.js";

const MOST = 400;
const NOISE = /^(diff --git |index |new file mode|deleted file mode|similarity index)/;

export function isDiff(detail) {
  return /^(diff --git |--- |@@ )/m.test(detail) && /^[+-]/m.test(detail);
}

function kindOf(line) {
  if (line.startsWith("+++ ") || line.startsWith("--- ")) return "file";
  if (line.startsWith("@@")) return "hunk";
  if (line.startsWith("+")) return "plus";
  if (line.startsWith("-")) return "minus";
  return "same";
}

const MEANT = { plus: "added: ", minus: "removed: " };

export function detailOf(detail, name) {
  const diff = isDiff(detail);
  const lines = detail.replace(/\n$/, "").split("\n").filter((line) => !(diff && NOISE.test(line)));
  const shown = lines.slice(0, MOST).map((line) => {
    const kind = diff ? kindOf(line) : "same";
    if (kind === "same") return h("span.line", {}, line || " ");
    return h(`span.line.${kind}`, {}, MEANT[kind] ? h("span.hidden", {}, MEANT[kind]) : null, line);
  });
  if (lines.length > MOST) shown.push(h("span.line.hunk", {}, `… ${lines.length - MOST} more lines`));
  return h("pre.detail", { tabIndex: 0, role: "region", "aria-label": name, className: diff ? "detail diff" : "detail" },
    h("code", {}, shown));
}

// "+3 −1", from a diff.
export function sizeOf(detail) {
  if (!isDiff(detail)) return null;
  const kinds = detail.split("\n").map(kindOf);
  const count = (kind) => kinds.filter((one) => one === kind).length;
  return { plus: count("plus"), minus: count("minus") };
}
