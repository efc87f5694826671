// The upload page and the dry look. Without this script the page's form sends a few files at
// once, and the page that comes back says the same.
import { Awake } from "./upload/awake.js";
import { Board } from "./upload/board.js";
import { fromDrop, fromList } from "./upload/chosen.js";
import { drawFolders } from "./upload/folders.js";
import { Hasher } from "./upload/hasher.js";
import { Journey } from "./upload/journey.js";
import { Road } from "./upload/road.js";
import { Server } from "./upload/server.js";
import { Tally } from "./upload/tally.js";
import { number, Texts } from "./upload/texts.js";

const form = document.getElementById("upload");
const status = document.getElementById("upload-status");
const part = (name) => status.querySelector(`[data-part=${name}]`);
const texts = new Texts(document.getElementById("upload-texts"));
const { begin, known, several, transfers, hashing, most, piece, extensions } = form.dataset;
const server = new Server({ begin, known, several, transfers }, texts, Number(piece));
const board = new Board(status, texts, { restore });
const awake = new Awake();
const isUpload = form.dataset.mode === "upload";

let road = null;
let tally = null;
let wanted = [];

async function restore(address) {
  const body = new URLSearchParams({ csrfmiddlewaretoken: server.token });
  try {
    const answer = await fetch(address, { method: "POST", body, redirect: "manual" });
    return answer.ok || answer.type === "opaqueredirect";
  } catch {
    return false;
  }
}

async function start(chosen, isSent = isUpload) {
  if (road) return;
  road = new Road();
  form.hidden = true;
  document.getElementById("upload-unfinished")?.remove();
  document.getElementById("upload-answers")?.replaceChildren();
  awake.begin();
  status.hidden = false;
  part("headline").focus();
  try {
    await carryOut(chosen, isSent);
  } finally {
    awake.end();
    road = null;
  }
}

async function carryOut(chosen, isSent) {
  const entries = await chosen((count) => {
    part("headline").textContent = texts.get("collecting", { count: number(count) });
  });
  tally = new Tally(entries.length);
  const hasher = new Hasher(hashing);
  const common = { server, road, hasher, tally, texts, most: Number(most) };
  const journey = new Journey({ ...common, extensions: extensions.split(" "), run: null });
  board.begin(journey, tally, road);
  let upload = null;
  try {
    if (isSent && entries.length) upload = await road.travel(() => server.begin());
    journey.run = upload?.run;
  } catch {
    // Then every file says that nothing became of it.
    road.stop();
  }
  await journey.travel(entries);
  hasher.close();
  wanted = journey.wanted;
  finish(upload);
}

function finish(upload) {
  board.end();
  const photos = part("photos");
  photos.hidden = !upload || !["new", "known"].some((kind) => tally.count(kind));
  if (upload) photos.href = upload.photos;
  part("list").hidden = !tally.total;
  const send = part("send");
  if (send) {
    send.hidden = !wanted.length;
    send.textContent = texts.get("send-wanted", { count: number(wanted.length) });
    part("folders").hidden = !wanted.length;
    drawFolders(status, wanted, tally, texts);
  }
  part("headline").focus();
}

part("list").addEventListener("click", (event) => {
  const header = ["path", "outcome", "reason"].map((name) => texts.get(`column-${name}`));
  const list = tally.csv(header, (kind) => texts.get(`kind-${kind}`));
  const link = event.currentTarget;
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([list], { type: "text/csv;charset=utf-8" }));
});

part("pause").addEventListener("click", () => {
  road?.pause();
  board.draw();
  part("resume").focus();
});
part("resume").addEventListener("click", () => {
  road?.goOn();
  board.draw();
  part("pause").focus();
});
part("again").addEventListener("click", () => road?.tryNow());
part("stop").addEventListener("click", () => road?.stop());
part("send")?.addEventListener("click", () => {
  const entries = wanted;
  part("folders").hidden = true;
  start(async () => entries, true);
});
part("more").addEventListener("click", () => {
  status.hidden = true;
  form.hidden = false;
  form.querySelector("input[type=file]").focus();
});

form.addEventListener("submit", (event) => event.preventDefault());
for (const input of form.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => {
    if (!input.files.length) return;
    const entries = fromList(input.files);
    start(async () => entries);
    input.value = "";
  });
}

for (const type of ["dragenter", "dragover"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    form.classList.add("drop-here");
  });
}
for (const type of ["dragleave", "drop"]) {
  addEventListener(type, () => form.classList.remove("drop-here"));
}
addEventListener("drop", (event) => {
  event.preventDefault();
  const isFile = (item) => item.kind === "file";
  if (road || !Array.from(event.dataTransfer.items).some(isFile)) return;
  start(fromDrop(event.dataTransfer));
});

for (const one of form.querySelectorAll("[data-script]")) one.hidden = false;
for (const one of form.querySelectorAll("[data-no-script]")) one.hidden = true;
for (const one of form.querySelectorAll("[data-folder]")) {
  one.hidden = !("webkitdirectory" in HTMLInputElement.prototype);
}
