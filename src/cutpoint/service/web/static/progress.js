// How far it is, above the item: it comes with every receipt and every look for items, so also from what others do.

const $ = (id) => document.getElementById(id);

export function progress(data) {
  if (!data) return;
  $("thread").max = data.of;
  $("thread").value = data.done;
  $("thread-words").textContent = $("thread").title = data.words;
  data.found.forEach((count, k) => { const spot = $(`found-${k}`); if (spot) spot.textContent = count.toLocaleString(); });
  if ($("found").querySelector("a")) sort(data.found);
  $("mine").textContent = data.mine.toLocaleString();
}

function sort(counts) { // of many classes the rarest are seen
  const order = counts.map((_, k) => k).sort((a, b) => counts[a] - counts[b] || a - b);
  $("found").prepend(...order.flatMap((k) => $(`found-${k}`)?.parentNode ?? []));
}
