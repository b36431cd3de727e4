"use strict";

// Decisions: one for a clip or source, however many buttons on the page stand for it.

const book = JSON.parse(document.getElementById("decided").textContent);
const place = `temporal-gan-decisions/${book.store}/${JSON.stringify(book.decided)}`;
const decisions = new Map(); // "clip" or "source", a line feed, its name -> {verdict, why, who, when}

function take(kind, entries) {
  for (const [name, [verdict, why, who, when]] of Object.entries(entries)) {
    decisions.set(`${kind}\n${name}`, { verdict, why, who, when });
  }
}

take("clip", book.decided.clip);
take("source", book.decided.source);

// A browser may refuse storage to files; the page then works, but a closed page is lost.
function keep() {
  try {
    localStorage.setItem(place, JSON.stringify([...decisions]));
  } catch {}
}

try {
  const kept = JSON.parse(localStorage.getItem(place) ?? "null");
  if (kept) {
    decisions.clear();
    for (const [key, decision] of kept) decisions.set(key, decision);
  }
} catch {}

const boxes = [...document.querySelectorAll(".decide")];
const keyOf = (box) => `${box.dataset.kind}\n${box.dataset.name}`;

for (const box of boxes) {
  for (const verdict of ["keep", "reject"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = verdict;
    button.dataset.verdict = verdict;
    button.setAttribute("aria-label", `${verdict} ${box.dataset.kind} ${box.dataset.name}`);
    button.addEventListener("click", () => {
      const key = keyOf(box);
      const old = decisions.get(key);
      if (old?.verdict === verdict) decisions.delete(key);
      else decisions.set(key, { why: "", who: "", when: "", ...old, verdict });
      keep();
      show();
    });
    box.append(button);
  }
  const why = document.createElement("input");
  why.placeholder = "why";
  why.setAttribute("aria-label", `why, ${box.dataset.kind} ${box.dataset.name}`);
  why.addEventListener("input", () => {
    decisions.get(keyOf(box)).why = why.value;
    keep();
    for (const other of boxes) if (other !== box && keyOf(other) === keyOf(box)) other.querySelector("input").value = why.value;
  });
  box.append(why);
}

function show() {
  for (const box of boxes) {
    const decision = decisions.get(keyOf(box));
    for (const button of box.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(decision?.verdict === button.dataset.verdict));
    }
    const why = box.querySelector("input");
    why.hidden = !decision;
    if (document.activeElement !== why) why.value = decision?.why ?? "";
  }
  const count = decisions.size;
  document.querySelector(".basket").hidden = count === 0;
  document.getElementById("count").textContent = count === 1 ? "1 decision" : `${count} decisions`;
}

function table() {
  const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const today = new Date().toISOString().slice(0, 10);
  const own = document.getElementById("who").value.trim();
  const lines = [...decisions].map(([key, { verdict, why, who, when }]) => {
    const cut = key.indexOf("\n");
    const kind = key.slice(0, cut), name = key.slice(cut + 1);
    const named = kind === "clip" ? [name, ""] : ["", name];
    return [...named, verdict, why, who || own, when || today].map(quote).join(",");
  });
  return `clip,source,decision,why,who,when\n${lines.map((line) => `${line}\n`).join("")}`;
}

document.getElementById("download").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([table()], { type: "text/csv" }));
  link.download = "decisions.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});

document.getElementById("clear").addEventListener("click", () => {
  if (!confirm("Forget all decisions made on this page?")) return;
  decisions.clear();
  keep();
  show();
});

show();

// Tables that sort by a click on a heading: numbers by data-value, all else as text, unknown ones last.
for (const heading of document.querySelectorAll("th[data-sort]")) {
  heading.addEventListener("click", () => {
    const row = heading.parentElement, body = heading.closest("table").tBodies[0];
    const column = [...row.children].indexOf(heading);
    const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of row.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    const value = (line) => line.children[column].dataset.value ?? line.children[column].textContent.trim();
    const known = [...body.rows].filter((line) => value(line) !== "");
    const unknown = [...body.rows].filter((line) => value(line) === "");
    known.sort((a, b) => direction * value(a).localeCompare(value(b), undefined, { numeric: true }));
    if (heading.dataset.sort === "number") known.sort((a, b) => direction * (value(a) - value(b)));
    body.append(...known, ...unknown);
  });
}
