// Short texts for people: times, money, intents, states.

export function seconds(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10000) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.round(ms / 1000);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export function money(usd) {
  if (!usd) return "";
  return usd < 0.005 ? "under $0.01" : `$${usd.toFixed(2)}`;
}

export function clock(secondsSince1970) {
  const at = new Date(secondsSince1970 * 1000);
  const day = at.toDateString() === new Date().toDateString();
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return day ? time : `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
}

export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

export function intentName(intent) {
  return (intent.action ?? intent.kind).replaceAll("_", " ");
}

// Why a sentence was taken to mean what it was taken to mean.
export function why(intent) {
  const sure = intent.confidence < 1 ? ` (${Math.round(intent.confidence * 100)} % sure)` : "";
  switch (intent.source) {
    case "grammar": return `A rule on this machine knows this sentence${sure}.`;
    case "claude": return `Claude understood it so${sure}.`;
    case "openai": return `The language model understood it so${sure}.`;
    default: return "No rule knows this sentence: it goes to the coding agent as it was said.";
  }
}

export function argumentsOf(intent) {
  const given = Object.entries(intent.arguments ?? {}).filter(([, value]) => value !== null);
  if (intent.target && !given.some(([, value]) => value === intent.target)) given.unshift(["about", intent.target]);
  if (intent.agent) given.push(["agent", intent.agent]);
  return given.map(([name, value]) => [name.replaceAll("_", " "), String(value)]);
}

const WORD = /\s+/;

// What was put right in a sentence: parts that stay, parts as heard, parts as corrected.
export function corrections(heard, text) {
  const a = heard.trim().split(WORD);
  const b = text.trim().split(WORD);
  if (a.length * b.length > 40000) return [{ kind: "old", text: heard }, { kind: "new", text }];
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  const parts = [];
  const add = (kind, word) => {
    const last = parts.at(-1);
    if (last?.kind === kind) last.text += ` ${word}`;
    else parts.push({ kind, text: word });
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      add("same", b[j]);
      i += 1;
      j += 1;
    } else if (i < a.length && (j === b.length || table[i + 1][j] >= table[i][j + 1])) {
      add("old", a[i]);
      i += 1;
    } else {
      add("new", b[j]);
      j += 1;
    }
  }
  return parts;
}
