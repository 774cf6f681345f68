"use strict";
// The form without this script sends all at once and gets a new page. With it images are dropped or
// chosen, and sent one by one; each answer is a part of a page that the server wrote.

const form = document.querySelector("form");
const status = form.querySelector(".status");
const submit = form.querySelector("button[type=submit]");
const section = document.querySelector("section.results");
const results = document.getElementById("results");

// The newest results stand first; those of one run in its order.
function newGroup() {
  const group = document.createElement("div");
  results.prepend(group);
  return group;
}

function show(html, group) {
  const part = new DOMParser().parseFromString(html, "text/html");
  section.hidden = false;
  group.append(...part.body.childNodes);
}

async function ask(fields) {
  let answer;
  try {
    answer = await fetch(form.dataset.results, { method: "POST", body: fields });
  } catch {
    return { problem: "The page's server does not answer: is it still running, and is the file still there?" };
  }
  const html = await answer.text();
  if (answer.ok) return { html };
  const said = new DOMParser().parseFromString(html, "text/html").querySelector(".wrong");
  return { problem: said ? said.textContent : `The server refused this (${answer.status}).` };
}

function withImages() {
  const readsCaptions = form.dataset.captions === "true";
  const mostBytes = Number(form.dataset.fileBytes);
  const drop = form.querySelector(".drop");
  const input = drop.querySelector("input");
  const list = form.querySelector(".chosen");
  const files = new Map(); // of each entry of the list

  form.querySelector(".plain").remove();
  drop.hidden = false;

  const entries = () => [...list.children];
  const refresh = () => {
    list.hidden = files.size === 0;
    submit.disabled = files.size === 0;
  };

  function complain(entry, sentence) {
    const problem = entry.querySelector(".problem");
    problem.textContent = sentence;
    problem.hidden = !sentence;
  }

  function dropOut(entry) {
    URL.revokeObjectURL(entry.querySelector("img").src);
    files.delete(entry);
    entry.remove();
    refresh();
  }

  function add(file) {
    const entry = document.getElementById("entry").content.firstElementChild.cloneNode(true);
    const image = entry.querySelector("img");
    image.addEventListener("error", () => image.classList.add("unseen")); // no browser shows TIFF
    image.src = URL.createObjectURL(file);
    entry.querySelector(".file bdi").textContent = file.name;
    entry.querySelector(".file .quiet").textContent = `${(file.size / 1e6).toFixed(2)} MB`;
    const remove = entry.querySelector(".remove");
    remove.querySelector(".hidden").textContent = ` ${file.name}`;
    remove.addEventListener("click", () => {
      const next = entry.nextElementSibling || entry.previousElementSibling;
      dropOut(entry);
      (next ? next.querySelector(".remove") : input).focus();
    });
    list.append(entry);
    files.set(entry, file);
    if (file.size > mostBytes) {
      complain(entry, `This file is too large: at most ${mostBytes / 1e6} MB are read.`);
    }
  }

  function addAll(chosen) {
    const before = files.size;
    for (const file of chosen) add(file);
    refresh();
    const first = entries()[before];
    if (first && readsCaptions) first.querySelector("textarea").focus();
    status.textContent = `${files.size} to classify`;
  }

  input.addEventListener("change", () => {
    addAll(input.files);
    input.value = "";
  });
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, () => drop.classList.add("over"));
  }
  for (const kind of ["dragleave", "drop"]) {
    drop.addEventListener(kind, () => drop.classList.remove("over"));
  }
  // A file that is dropped beside the field would be opened in place of the page.
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!submit.dataset.busy) addAll(event.dataTransfer.files);
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.dataset.busy || files.size === 0) return;
    submit.dataset.busy = "yes";
    submit.disabled = input.disabled = true;
    const waiting = entries();
    const group = newGroup();
    let done = 0;
    let refused = 0;
    for (const entry of waiting) {
      status.textContent = `Classifying ${done + 1} of ${waiting.length} …`;
      const file = files.get(entry);
      if (file && file.size <= mostBytes) {
        const fields = new FormData();
        fields.append("image", file);
        if (readsCaptions) fields.append("caption", entry.querySelector("textarea").value);
        const { html, problem } = await ask(fields);
        complain(entry, problem || "");
        if (html) {
          show(html, group);
          dropOut(entry);
        } else {
          refused += 1;
        }
      } else if (file) {
        refused += 1;
      }
      done += 1;
    }
    delete submit.dataset.busy;
    input.disabled = false;
    refresh();
    status.textContent = `Done: ${done - refused} of ${waiting.length}.`;
    if (done > refused) section.scrollIntoView({ block: "start" });
  });
  refresh();
}

function withCaptions() {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    status.textContent = "Classifying …";
    const { html, problem } = await ask(new FormData(form));
    if (html) show(html, newGroup());
    submit.disabled = false;
    status.textContent = problem || "Done.";
  });
}

if (form.dataset.images === "true") withImages();
else withCaptions();
