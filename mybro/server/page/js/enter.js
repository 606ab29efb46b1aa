// Coming in: where this browser is not known, the page's address or the password is asked for.

import { post } from "/page/js/api.js";
import { $, text } from "/page/js/dom.js";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

export function makeEnter(entered) {
  const dialog = $("enter");
  const trouble = $("enter-trouble");
  dialog.addEventListener("cancel", (event) => event.preventDefault());

  $("enter-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const password = $("enter-password").value;
    const pasted = $("enter-token").value.trim();
    const token = pasted.includes("token=") ? pasted.split("token=").pop() : pasted;
    try {
      await post("/v1/session", password ? { password } : { token: token.slice(0, 200) });
      event.target.reset();
      trouble.hidden = true;
      entered();
    } catch (error) {
      text(trouble, error.message);
      trouble.hidden = false;
    }
  });

  return {
    show() {
      if (dialog.open) return;
      // Only a server that listens beyond its own machine has a password.
      $("enter-password-part").hidden = LOOPBACK.includes(location.hostname);
      dialog.showModal();
    },
    hide() {
      if (dialog.open) dialog.close();
    },
  };
}
