// Of a dry look: which files are not in the vault, folder by folder.
import { number } from "./texts.js";

const FOLDERS = 200;
const FILES = 100;

export function drawFolders(root, entries, tally, texts) {
  const missing = Map.groupBy
    ? Map.groupBy(entries, (entry) => entry.folder)
    : grouped(entries);
  const all = new Map();
  for (const row of tally.rows) {
    if (["junk", "no-picture"].includes(row.kind)) continue;
    const folder = row.path.slice(0, Math.max(row.path.lastIndexOf("/"), 0));
    all.set(folder, (all.get(folder) ?? 0) + 1);
  }
  const sorted = [...missing].sort(([a], [b]) => a.localeCompare(b));
  const list = root.querySelector("[data-folders]");
  list.replaceChildren(...sorted.slice(0, FOLDERS).map(([folder, files]) => drawn(folder, files, all, texts)));
  const more = sorted.length - FOLDERS;
  root.querySelector("[data-more-folders]").textContent =
    more > 0 ? texts.get("more-folders", { count: number(more) }) : "";
}

function grouped(entries) {
  const groups = new Map();
  for (const entry of entries) {
    if (!groups.has(entry.folder)) groups.set(entry.folder, []);
    groups.get(entry.folder).push(entry);
  }
  return groups;
}

function drawn(folder, files, all, texts) {
  const box = document.getElementById("upload-folder").content.firstElementChild.cloneNode(true);
  box.querySelector("[data-name]").textContent = folder || texts.get("no-folder");
  box.querySelector("[data-count]").textContent = texts.get("of-these", {
    count: number(files.length),
    total: number(all.get(folder) ?? files.length),
  });
  box.addEventListener("toggle", () => {
    const names = files.slice(0, FILES).map((entry) => entry.name);
    if (files.length > FILES) names.push(texts.get("more", { count: number(files.length - FILES) }));
    box.querySelector("ul").replaceChildren(
      ...names.map((name) => Object.assign(document.createElement("li"), { textContent: name })),
    );
  });
  return box;
}
