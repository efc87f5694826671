// Sends chosen or dropped files a few at a time, with progress. Without this script the
// form sends them all at once, and the page that comes back says the same.
const form = document.getElementById("upload");
const input = form.querySelector("input[type=file]");
const button = form.querySelector("button");
const progress = form.querySelector("[data-progress]");
const bar = progress.querySelector("progress");
const label = progress.querySelector("label");
const answers = document.getElementById("upload-answers");

const MOST_FILES = 20;
const MOST_BYTES = 64 * 1024 * 1024;

function* groups(files) {
  let group = [];
  let bytes = 0;
  for (const file of files) {
    if (group.length && (group.length === MOST_FILES || bytes + file.size > MOST_BYTES)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(file);
    bytes += file.size;
  }
  if (group.length) yield group;
}

function send(group, onProgress) {
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  for (const file of group) {
    body.append("modified", file.lastModified);
    body.append("files", file);
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.addEventListener("load", () =>
      request.status === 200 ? resolve(request.responseText) : reject(),
    );
    request.addEventListener("error", () => reject());
    request.send(body);
  });
}

function say(text) {
  label.textContent = text;
}

async function upload(files) {
  const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
  let bytes = 0;
  let count = 0;
  progress.hidden = false;
  button.disabled = true;
  answers.replaceChildren();
  for (const group of groups(files)) {
    say(`Sending ${count + 1} to ${count + group.length} of ${files.length}`);
    try {
      const html = await send(group, (loaded) => {
        bar.value = Math.min((bytes + loaded) / total, 1);
      });
      answers.insertAdjacentHTML("beforeend", html);
    } catch {
      say(`The connection broke after ${count} of ${files.length}. Choose the files again: what has arrived is recognised.`);
      button.disabled = false;
      return;
    }
    bytes += group.reduce((sum, file) => sum + file.size, 0);
    count += group.length;
  }
  bar.value = 1;
  say(`Done: ${count} of ${files.length}`);
  button.disabled = false;
  form.reset();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  upload([...input.files]);
});

form.querySelector("[data-drop]").hidden = false;
for (const type of ["dragenter", "dragover"]) {
  form.addEventListener(type, (event) => {
    event.preventDefault();
    form.classList.add("drop-here");
  });
}
for (const type of ["dragleave", "drop"]) {
  form.addEventListener(type, () => form.classList.remove("drop-here"));
}
form.addEventListener("drop", (event) => {
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  if (files.length) upload(files);
});
