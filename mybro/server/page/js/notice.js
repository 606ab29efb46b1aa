// What went wrong with something that was pressed, and what is told to those who do not see the page.

import { $, text } from "/page/js/dom.js";

const SHOWN_MS = 8000;
let timer = 0;

export function notice(words) {
  const node = $("notice");
  text(node, words);
  node.hidden = !words;
  clearTimeout(timer);
  if (words) timer = setTimeout(() => notice(""), SHOWN_MS);
}

// Waits for a call; a refusal is shown. Gives whether it went well.
export async function attempt(calling) {
  try {
    await calling;
    return true;
  } catch (error) {
    notice(error.message);
    return false;
  }
}

function tell(id, words) {
  text($(id), words);
}

// For screen readers: what was understood and what came of it, and questions at once.
export function announce(event) {
  switch (event.event) {
    case "Transcript": if (event.final && event.text) tell("polite", `Heard: ${event.text}`); break;
    case "JobStarted": tell("polite", `Started: ${event.title}`); break;
    case "JobFinished": tell("polite", event.outcome.summary || "Done"); break;
    case "JobFailed": tell("urgent", event.problem.message); break;
    case "JobStopped": tell("polite", "Stopped"); break;
    case "JobAsked": tell("urgent", event.text); break;
    case "StageFailed": tell("urgent", event.problem.message); break;
    default:
  }
}
