// Photos of an album are dragged to their places; their arrows move them without leaving
// the page. Without this script the arrows do the same, page by page.
const list = document.getElementById("arrange");
const said = document.getElementById("arrange-said");
const token = list?.querySelector("[name=csrfmiddlewaretoken]").value;
let dragged = null;
let saving = Promise.resolve();

// One after the other, in the order they were made.
function save(tile) {
  const body = new URLSearchParams({
    photo: tile.dataset.photo,
    csrfmiddlewaretoken: token,
  });
  const next = tile.nextElementSibling;
  if (next) body.set("before", next.dataset.photo);
  else body.set("after", tile.previousElementSibling?.dataset.photo ?? "");
  saving = saving.then(async () => {
    try {
      const answer = await fetch(list.dataset.address, {
        method: "POST",
        body,
        headers: { "X-Arrange": "1" },
      });
      said.textContent = answer.ok ? "" : list.dataset.failed;
    } catch {
      said.textContent = list.dataset.failed;
    }
  });
}

function step(tile, back) {
  const beside = back ? tile.previousElementSibling : tile.nextElementSibling;
  if (!beside) return false;
  if (back) beside.before(tile);
  else beside.after(tile);
  save(tile);
  return true;
}

list?.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=to]");
  if (!button) return;
  // At the end of a page the next one is not here: the server knows it.
  if (!step(button.closest("li"), button.value === "earlier")) return;
  event.preventDefault();
  button.focus();
});

for (const tile of list?.children ?? []) {
  tile.draggable = true;
  tile.addEventListener("dragstart", (event) => {
    dragged = tile;
    event.dataTransfer.effectAllowed = "move";
    tile.classList.add("opacity-60");
  });
  tile.addEventListener("dragend", () => {
    tile.classList.remove("opacity-60");
    if (dragged) save(tile);
    dragged = null;
  });
  tile.addEventListener("dragover", (event) => {
    if (!dragged || dragged === tile) return;
    event.preventDefault();
    const box = tile.getBoundingClientRect();
    if (event.clientX < box.left + box.width / 2) tile.before(dragged);
    else tile.after(dragged);
  });
  tile.addEventListener("drop", (event) => event.preventDefault());
}
