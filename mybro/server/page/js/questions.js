// What only the person can decide. A yes that destroys has a button of its own, which names what it destroys.

import { post } from "/page/js/api.js";
import { detailOf } from "/page/js/diff.js";
import { $, h, keyed } from "/page/js/dom.js";
import { attempt } from "/page/js/notice.js";

let answering = false;

export function showQuestions(state) {
  const box = $("questions");
  const questions = [...state.questions.values()];
  box.hidden = questions.length === 0;
  const asked = state.status?.asked;
  questions.sort((a, b) => (b.number === asked) - (a.number === asked));
  const before = box.childElementCount;
  keyed(box, questions, (one) => one.number, (one) => `${one.text} ${one.detail}`, make);
  if (answering && box.childElementCount < before) {
    answering = false;
    // Whoever answers by keys goes on from here: to the next question, but not to one of its buttons.
    if (document.activeElement === document.body) (box.querySelector(".question") ?? $("turns")).focus();
  }
}

function make(question) {
  const destructive = question.risk === "destructive";
  const title = `question-${question.number}`;
  return h(`article.question.${question.risk}`, { role: "group", tabIndex: -1, "aria-labelledby": title },
    h("p.question-who", {}, question.agent ? `${question.agent} asks` : destructive ? "This destroys something" : question.choices?.length ? "Which one?" : "May it?"),
    h("h3", { id: title }, question.text),
    question.detail && question.detail !== question.text ? detailOf(question.detail, "What it is about") : null,
    h("div.answers", {}, question.choices?.length ? choices(question) : yesOrNo(question, destructive)));
}

function yesOrNo(question, destructive) {
  const yes = destructive
    ? button(`Yes, ${question.object || "do it"}`, "danger", question, { yes: true, object: question.object ?? "" })
    : button("Yes", "primary", question, { yes: true });
  const always = destructive || question.kind !== "permission" || !question.job
    ? null : button("Yes, all session", "", question, { yes: true, always: true });
  return destructive ? [button("No", "primary", question, { yes: false }), yes]
    : [yes, button("No", "", question, { yes: false }), always];
}

function choices(question) {
  return [
    ...question.choices.map((choice) => button(choice.label, "choice", question,
      { yes: true, choice: choice.label, object: question.object ?? "" }, choice.description)),
    button("None of them", "", question, { yes: false }),
  ];
}

function button(label, look, question, body, description = "") {
  const node = h("button", { type: "button", "data-act": label }, h("span", {}, label),
    description ? h("span.fine", {}, description) : null);
  if (look) node.classList.add(look);
  node.addEventListener("click", () => {
    const buttons = node.parentElement.querySelectorAll("button");
    for (const one of buttons) one.disabled = true;
    answering = true;
    attempt(post(`/v1/questions/${question.number}/answer`, body)).then((done) => {
      if (!done) for (const one of buttons) one.disabled = false;
    });
  });
  return node;
}
