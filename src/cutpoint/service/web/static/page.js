// The pages beside the labelling page: forms that post JSON, each with a key of its own; parts that keep themselves fresh.
import { newKey, request } from "./outbox.js";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-post]");
  if (!form) return;
  event.preventDefault();
  const body = { key: newKey() };
  for (const [name, value] of new FormData(form, event.submitter)) body[name] = value;
  for (const field of form.querySelectorAll("[data-number]")) {
    if (field.value === "") delete body[field.name]; // stays as it is
    else body[field.name] = Number(field.value);
  }
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  const { status, data } = await request(form.dataset.post, body);
  for (const button of form.querySelectorAll("button")) button.disabled = false;
  const said = document.getElementById("said");
  if (status >= 200 && status < 300) {
    if (data.link) return showLink(data.link);
    await refresh();
    said.textContent = data.note || "Saved.";
  } else {
    said.textContent = status === 0 ? "No connection to the server; nothing was changed." : data.error || `Refused (${status}).`;
  }
});

function showLink(link) { // shown once: the server keeps only its hash
  const box = document.getElementById("link");
  box.hidden = false;
  box.querySelector(".link").textContent = location.origin + link;
  box.scrollIntoView({ block: "nearest" });
  refresh();
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(15000) });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-fresh]")) {
      const other = fresh.getElementById(part.id);
      if (other && part.innerHTML !== other.innerHTML && !part.contains(document.activeElement)) part.replaceChildren(...other.childNodes);
    }
  } catch { /* no connection: what is shown stays */ }
}

const every = Number(document.querySelector("[data-every]")?.dataset.every);
if (every) setInterval(() => document.visibilityState === "visible" && refresh(), every * 1000);
