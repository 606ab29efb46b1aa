const says = document.getElementById("says");
const state = document.getElementById("state");

async function call(method, path) {
  const answer = await fetch(path, { method, credentials: "same-origin" });
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${body.error.message}. ${body.error.hint}`);
  return body;
}

async function show() {
  try {
    const status = await call("GET", "/v1/status");
    says.textContent = status.says;
    state.textContent = JSON.stringify(status, null, 2);
  } catch (error) {
    says.textContent = error.message;
  }
}

document.getElementById("stop").addEventListener("click", () => call("POST", "/v1/stop").then(show, show));
show();
setInterval(show, 1000);
