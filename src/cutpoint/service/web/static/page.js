// The pages beside the labelling page: forms that post JSON, each with a key of its own; parts that keep themselves fresh.
// What an annotator says of items goes through the outbox, so that it outlives a lost connection.
import { onTold, outbox, troubled } from "./banner.js";
import { refresh } from "./fresh.js";
import { newKey, request } from "./outbox.js";

const $ = (id) => document.getElementById(id);

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-post]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.ask && !(await sure(form.dataset))) return;
  for (const spot of document.querySelectorAll(".said")) spot.textContent = ""; // of what was done before
  const part = form.closest("section") ?? form.closest("main"); // the form itself may be replaced meanwhile
  const body = contents(form, event.submitter);
  if ("kept" in form.dataset) return keep(form, part, body);
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  const { status, data } = await request(form.dataset.post, { key: newKey(), ...body });
  for (const button of buttons) button.disabled = false;
  if (status >= 200 && status < 300) {
    if (data.link) showLink(data);
    if (data.revoked && data.revoked === $("link").querySelector("b").textContent) $("link").hidden = true;
    if ("once" in form.dataset || data.link) form.reset();
    await refresh(true);
    say(part, data.link ? "" : data.note || "Saved.");
  } else {
    if (status === 400) await refresh(true); // perhaps it is no longer as it was shown
    form.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    say(part, status === 0 ? "No connection to the server; nothing was changed." : data.error || `Refused (${status}).`, true);
  }
});

function sure({ ask, then, yes }) { // where nothing brings it back
  const dialog = $("ask");
  $("ask-title").textContent = ask;
  dialog.querySelector("p").textContent = then;
  dialog.querySelector("[value=yes]").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }));
}

function contents(form, submitter) {
  const body = Object.fromEntries(new FormData(form, submitter));
  for (const field of form.querySelectorAll("[data-truth]")) body[field.name] = field.value === "true";
  for (const field of form.querySelectorAll("[data-number]")) {
    if (field.value !== "") body[field.name] = Number(field.value);
    else if (field.dataset.number === "or nothing") body[field.name] = null;
    else delete body[field.name]; // stays as it is
  }
  return body;
}

function say(part, words, bad = false) { // in the part of the page that it belongs to
  const spot = part.querySelector(".said");
  if (!spot) return;
  spot.textContent = words;
  spot.classList.toggle("bad", bad);
}

function keep(form, part, body) {
  const chosen = form.querySelector("select")?.selectedOptions[0].textContent;
  const words = chosen === undefined ? `Taking ${form.dataset.of} back` : `“${chosen}” for ${form.dataset.of}`;
  outbox.add(form.dataset.post, body, words);
  if (!troubled()) say(part, "On its way to the server.");
  outbox.pump();
}

onTold(async (what, entry, data) => {
  if (troubled()) say(document, ""); // the banner says where it is kept
  if (what !== "sent" && what !== "rejected") return;
  await refresh(true);
  if (!outbox.list().length) say(document, what === "sent" ? `Saved. ${data.note ?? ""}` : "");
});

function showLink({ link, annotator }) { // shown once: the server keeps only its hash
  const box = $("link");
  box.hidden = false;
  box.querySelector("b").textContent = annotator;
  box.querySelector(".link").textContent = location.origin + link;
  box.scrollIntoView({ block: "nearest" });
}

// A picture that the server cannot show says so in words, as it does where it is labelled; one that has not come is asked
// for again.
function unshown(image) {
  const words = Object.assign(document.createElement("span"), { className: "soft" });
  image.replaceWith(words);
  look(image, words);
}

async function look(image, words) {
  const answer = await fetch(image.src).catch(() => null);
  if (answer?.status === 200 && !image.dataset.again) {
    image.dataset.again = "";
    words.replaceWith(image);
    image.src = `${image.src}`; // load it anew
  } else if (answer?.ok) {
    words.textContent = "This picture cannot be shown";
  } else {
    words.textContent = "This picture has not come yet";
    setTimeout(() => words.isConnected && look(image, words), 5000);
  }
}

document.addEventListener("error", (event) => event.target.matches("img") && unshown(event.target), true);
for (const image of [...document.images]) if (image.complete && !image.naturalWidth) unshown(image); // before we listened

const every = Number(document.querySelector("[data-every]")?.dataset.every);
if (every) setInterval(() => document.visibilityState === "visible" && refresh(), every * 1000);
outbox.pump(); // what another page could not send
