// Several photos at once: choosing them by mouse, finger and keyboard, and what is done to
// those chosen. Without this script the check marks and the bar are a plain form.
{
  const grid = () => document.getElementById("photo-grid");
  const bar = () => document.getElementById("chosen");
  const tiles = () => [...document.querySelectorAll("#photo-tiles .tile:not([hidden])")];
  const check = (tile) => tile.querySelector(".check");
  const checked = () => tiles().filter((tile) => check(tile).checked);
  const language = document.documentElement.lang;
  const number = new Intl.NumberFormat(language);
  const plural = new Intl.PluralRules(language);
  const LONG_PRESS = 500; // ms

  // Where a range begins, whether somebody asked to choose, and whether all are meant.
  let anchor = null;
  let isChoosing = false;
  let isEvery = false;

  function size(bytes) {
    const units = ["kilobyte", "megabyte", "gigabyte", "terabyte"];
    let value = bytes / 1000;
    while (value >= 999.5 && units.length > 1) {
      value /= 1000;
      units.shift();
    }
    const digits = value < 10 ? 1 : 0;
    return new Intl.NumberFormat(language, {
      style: "unit",
      unit: units[0],
      maximumFractionDigits: digits,
    }).format(value);
  }

  function show() {
    const form = bar();
    const all = tiles();
    const some = all.filter((tile) => check(tile).checked);
    const isOn = isChoosing || some.length > 0;
    grid()?.classList.toggle("choosing", isOn);
    const choose = document.querySelector("[data-choose]");
    choose?.setAttribute("aria-pressed", String(isOn));
    if (!form) return;
    form.classList.toggle("chosen-shown", some.length > 0);
    const count = Number(form.dataset.count);
    const bytes = some.reduce((sum, tile) => sum + Number(check(tile).dataset.size), 0);
    const text =
      isEvery && count > some.length
        ? form.dataset.every.replace("{n}", number.format(count))
        : (plural.select(some.length) === "one" ? form.dataset.one : form.dataset.other)
            .replace("{n}", number.format(some.length))
            .replace("{size}", size(bytes));
    form.querySelector("[data-said]").textContent = text;
    const every = form.querySelector("[data-all]");
    every.dataset.text ??= every.textContent;
    every.textContent = every.dataset.text.replace("{n}", number.format(count));
    every.hidden = isEvery || some.length === 0 || some.length >= count;
    const stars = some.map((tile) => tile.querySelector(".star")?.ariaPressed === "true");
    form.elements.starred.value = stars.length && stars.every(Boolean) && !isEvery ? "0" : "1";
  }

  function set(tile, isChecked) {
    check(tile).checked = isChecked;
  }

  function toggle(tile, { isRange = false, isChecked = !check(tile).checked } = {}) {
    const all = tiles();
    const from = all.indexOf(anchor);
    isEvery = false;
    if (isRange && from >= 0) {
      const to = all.indexOf(tile);
      for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) set(one, isChecked);
    } else {
      set(tile, isChecked);
      anchor = tile;
    }
    show();
  }

  function clear() {
    isChoosing = isEvery = false;
    anchor = null;
    for (const tile of checked()) set(tile, false);
    show();
  }

  function chooseAll() {
    for (const tile of tiles()) set(tile, true);
    show();
  }

  // By mouse and finger

  document.addEventListener("click", (event) => {
    const { target } = event;
    if (target.closest("[data-choose]")) {
      if (grid().classList.contains("choosing")) return clear();
      isChoosing = true;
      return show();
    }
    if (target.closest("#chosen [data-clear]")) return clear();
    if (target.closest("#chosen [data-all]")) {
      isEvery = true;
      return chooseAll();
    }
    const tile = target.closest("#photo-tiles .tile");
    if (!tile || target.closest(".star")) return;
    if (target.matches(".check")) {
      toggle(tile, { isRange: event.shiftKey, isChecked: target.checked });
    } else if (event.shiftKey || grid().classList.contains("choosing")) {
      if (event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      toggle(tile, { isRange: event.shiftKey });
    }
  }, true);

  let press = 0;
  let wasLong = false;
  document.addEventListener("pointerdown", (event) => {
    const tile = event.target.closest("#photo-tiles .tile");
    wasLong = false;
    clearTimeout(press);
    if (!tile || event.pointerType !== "touch" || event.target.closest("button, input")) return;
    press = setTimeout(() => {
      wasLong = true;
      toggle(tile, { isChecked: true });
    }, LONG_PRESS);
  });
  for (const type of ["pointerup", "pointercancel", "scroll"]) {
    document.addEventListener(type, () => clearTimeout(press), { passive: true });
  }
  // The lifted finger is no second choice, and the browser's own menu is not asked for.
  for (const type of ["click", "contextmenu"]) {
    document.addEventListener(type, (event) => {
      if (!wasLong || !event.target.closest("#photo-tiles .tile")) return;
      if (type === "click") wasLong = false;
      event.preventDefault();
      event.stopImmediatePropagation();
    }, true);
  }

  // By keyboard

  // The tile above or below: in the next row, the one nearest in the middle.
  function beside(tile, direction) {
    const all = tiles();
    const at = all.indexOf(tile);
    if (direction === "ArrowLeft") return all[at - 1];
    if (direction === "ArrowRight") return all[at + 1];
    if (direction === "Home") return all[0];
    if (direction === "End") return all.at(-1);
    const step = direction === "ArrowDown" ? 1 : -1;
    const middle = (one) => one.offsetLeft + one.offsetWidth / 2;
    let best = null;
    let row = null;
    for (let place = at + step; place >= 0 && place < all.length; place += step) {
      const other = all[place];
      if (other.offsetTop === tile.offsetTop) continue;
      row ??= other.offsetTop;
      if (other.offsetTop !== row) break;
      const nearer =
        !best || Math.abs(middle(other) - middle(tile)) < Math.abs(middle(best) - middle(tile));
      if (nearer) best = other;
    }
    return best;
  }

  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (document.querySelector(".pswp") || document.querySelector("[popover]:popover-open.sheet:not(.rail)")) return;
    if (target.matches("input:not(.check), select, textarea")) return;
    const tile = target.closest("#photo-tiles .tile");
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "a" && tiles().length) {
      event.preventDefault();
      return chooseAll();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Escape" && grid()?.classList.contains("choosing")) return clear();
    if (!tile) return;
    if (key === "x" || (key === " " && target.matches("a"))) {
      event.preventDefault();
      return toggle(tile);
    }
    if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(key)) return;
    event.preventDefault();
    const other = beside(tile, key);
    if (!other) return;
    if (event.shiftKey) {
      if (!anchor || !check(anchor).checked) toggle(tile, { isChecked: true });
      toggle(other, { isRange: true, isChecked: true });
    }
    other.classList.remove("far");
    other.querySelector("a").focus();
    other.scrollIntoView({ block: "nearest" });
  });

  // What is done

  document.addEventListener("formdata", ({ target, formData }) => {
    if (target.id !== "chosen") return;
    const keys = formData.getAll("photos");
    formData.delete("photos");
    // One field: thousands of them would be refused.
    if (isEvery) formData.set("view", target.dataset.query);
    else formData.set("photos", keys.join(","));
  });

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const what = event.submitter?.dataset.act;
    // A download, or another page, comes as it does without this script.
    if (form.id !== "chosen" || !["favourite", "date", "trash"].includes(what)) return;
    event.preventDefault();
    const some = checked();
    const wasEvery = isEvery;
    const isStar = form.elements.starred.value === "1";
    const body = new FormData(form);
    const button = event.submitter;
    button.disabled = true;
    const result = await act(button.formAction, body);
    button.disabled = false;
    if (what === "date" && result.status === 422) return refuse(result.text);
    say(result);
    if (!result.isDone) return;
    document.getElementById("chosen-when")?.hidePopover();
    if (what === "trash" && !wasEvery) hide(some, result.undo);
    else if (what === "favourite" && !wasEvery) some.forEach((tile) => star(tile, isStar));
    else reload();
    clear();
  });

  function refuse(text) {
    const place = document.querySelector("#chosen-when [data-refused]");
    place.textContent = text;
    place.hidden = false;
    document.getElementById("chosen-said").focus();
  }

  function hide(some, undo) {
    for (const tile of some) {
      set(tile, false);
      tile.dataset.thrown = undo;
      tile.hidden = true;
    }
    recount();
  }

  function star(tile, isStarred) {
    const button = tile.querySelector(".star");
    button.setAttribute("aria-pressed", String(isStarred));
    button.value = isStarred ? "0" : "1";
  }

  // Where the grid came from: the address of the page may be a photo's.
  const source = () => bar()?.elements.back.value ?? location.pathname + location.search;

  function reload() {
    htmx.ajax("GET", source(), { target: "#photo-grid", swap: "outerHTML" });
  }

  function recount() {
    const target = "#photo-count";
    htmx.ajax("GET", source(), { target, select: target, swap: "outerHTML" });
  }

  document.addEventListener("undone", ({ detail }) => {
    if (!detail.isDone || !grid()) return;
    const back = document.querySelectorAll(`#photo-tiles [data-thrown="${detail.address}"]`);
    for (const tile of back) {
      tile.hidden = false;
      delete tile.dataset.thrown;
    }
    if (back.length) recount();
    else reload();
  });

  // One photo that went to the trash in the lightbox.
  document.addEventListener("thrown", ({ detail }) => {
    const tile = document.querySelector(`#photo-tiles .tile[data-key="${detail.key}"]`);
    if (tile) hide([tile], detail.undo);
  });

  function begin() {
    const choose = document.querySelector("[data-choose]");
    if (choose) choose.hidden = false;
    if (isEvery) chooseAll();
    else show();
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "photo-grid") {
      isChoosing = isEvery = false;
      anchor = null;
    }
    if (event.target.id !== "photo-count") begin();
  });
  begin();
}
