const told = document.querySelector("#told");

async function ask(path) {
  const answer = await fetch(path);
  const data = await answer.json();
  if (!answer.ok) throw new Error([data.error.message, data.error.hint].filter(Boolean).join(": "));
  return data;
}

function row(coin, price) {
  const cells = [document.createElement("th"), document.createElement("td")];
  cells[0].scope = "row";
  cells[0].textContent = coin;
  cells[1].textContent = price.toLocaleString(undefined, { maximumFractionDigits: 8 });
  const line = document.createElement("tr");
  line.append(...cells);
  return line;
}

async function showPrices() {
  try {
    const { prices } = await ask("/api/v1/price?coins=bitcoin,ethereum,solana&currencies=usd");
    const rows = Object.entries(prices).map(([coin, price]) => row(coin, price.usd));
    document.querySelector("#prices").replaceChildren(...rows);
  } catch (error) {
    told.textContent = error.message;
  }
}

document.querySelector("#wallet").addEventListener("submit", async (event) => {
  event.preventDefault();
  told.textContent = "Asking the chain";
  try {
    const address = new FormData(event.target).get("address");
    const found = await ask(`/api/v1/wallet/balance?address=${encodeURIComponent(address)}`);
    told.textContent = `${found.ether} ether`;
  } catch (error) {
    told.textContent = error.message;
  }
});

if (window.ethereum) {
  const connect = document.querySelector("#connect");
  connect.hidden = false;
  connect.addEventListener("click", async () => {
    const [address] = await window.ethereum.request({ method: "eth_requestAccounts" });
    document.querySelector("#address").value = address;
  });
}

showPrices();
