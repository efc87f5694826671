// Copies laid over the keeper, large: flick, slider, difference; zoom and pan as one.
// How each lies over the keeper was measured and stands in the page. Everything is drawn
// by transforms of the previews themselves.
(() => {
  "use strict";
  const dialog = document.querySelector("[data-compare]");
  const members = [...document.querySelectorAll("[data-overlay]")];
  if (!dialog || members.length < 2) return;
  const stage = dialog.querySelector("[data-compare-stage]");
  const [under, over] = stage.querySelectorAll("img");
  const slider = dialog.querySelector("[data-compare-slider]");
  const caption = dialog.querySelector("[data-compare-caption]");
  const buttons = [...dialog.querySelectorAll("[data-mode]")];
  const MODES = buttons.map((button) => button.dataset.mode);
  const keeper = members[0];
  const state = { at: 1, mode: MODES[0], flicked: false, zoom: 1, x: 0, y: 0 };

  const multiply = (a, b) =>
    [0, 3, 6].flatMap((row) =>
      [0, 1, 2].map(
        (column) =>
          a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6],
      ),
    );
  const scaling = (x, y) => [x, 0, 0, 0, y, 0, 0, 0, 1];
  const matrix3d = (m) =>
    `matrix3d(${[m[0], m[3], 0, m[6], m[1], m[4], 0, m[7], 0, 0, 1, 0, m[2], m[5], 0, m[8]]})`;

  // The keeper's frame within the room there is, in CSS pixels.
  const frame = () => {
    const room = stage.getBoundingClientRect();
    const ratio = under.naturalWidth / under.naturalHeight || 1;
    const width = Math.min(room.width, room.height * ratio);
    const height = width / ratio;
    return { width, height, left: (room.width - width) / 2, top: (room.height - height) / 2 };
  };

  const draw = () => {
    if (!under.naturalWidth || !over.naturalWidth) return;
    const { width, height, left, top } = frame();
    const seen = [
      state.zoom, 0, left + state.x, 0, state.zoom, top + state.y, 0, 0, 1,
    ];
    const lay = (image, places) => {
      const own = scaling(1 / image.naturalWidth, 1 / image.naturalHeight);
      const there = multiply(scaling(width, height), multiply(places, own));
      image.style.transform = matrix3d(multiply(seen, there));
    };
    lay(under, scaling(1, 1));
    lay(over, members[state.at].dataset.overlay.split(" ").map(Number));
    over.style.mixBlendMode = state.mode === "difference" ? "difference" : "normal";
    over.style.visibility =
      state.mode === "flick" && !state.flicked ? "hidden" : "visible";
    stage.classList.toggle("compare-difference", state.mode === "difference");
    slider.hidden = state.mode !== "slider";
    cut(seen, width);
    buttons.forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.mode === state.mode)),
    );
    say();
  };

  // Left of the line the keeper, right of it the copy: the copy is cut along the line.
  const cut = (seen, width) => {
    const veil = over.parentElement;
    if (state.mode !== "slider") {
      veil.style.clipPath = "none";
      return;
    }
    const x = seen[2] + (state.zoom * width * slider.value) / 100;
    veil.style.clipPath = `inset(0 0 0 ${Math.max(0, x)}px)`;
  };

  const say = () => {
    const texts = caption.dataset;
    const copy = members[state.at].dataset.name;
    const text = { flick: state.flicked ? copy : keeper.dataset.name }[state.mode];
    caption.textContent =
      text || texts.both.replace("KEEPER", keeper.dataset.name).replace("COPY", copy);
  };

  const load = () => {
    under.src = keeper.dataset.preview;
    over.src = members[state.at].dataset.preview;
    draw();
  };

  const choose = (at) => {
    if (at < 1 || at >= members.length) return;
    state.at = at;
    load();
  };

  const into = (mode) => {
    if (mode === state.mode && mode === "flick") state.flicked = !state.flicked;
    state.mode = mode;
    draw();
  };

  const zoomAt = (factor, x, y) => {
    const zoom = Math.min(16, Math.max(1, state.zoom * factor));
    const { left, top } = frame();
    const scale = zoom / state.zoom;
    state.x = zoom === 1 ? 0 : (x - left) * (1 - scale) + state.x * scale;
    state.y = zoom === 1 ? 0 : (y - top) * (1 - scale) + state.y * scale;
    state.zoom = zoom;
    draw();
  };
  const zoomMiddle = (factor) => {
    const room = stage.getBoundingClientRect();
    zoomAt(factor, room.width / 2, room.height / 2);
  };
  const pan = (x, y) => {
    if (state.zoom === 1) return;
    state.x += x;
    state.y += y;
    draw();
  };

  const open = () => {
    dialog.showModal();
    load();
    stage.focus();
  };

  const keys = {
    " ": () => into("flick"),
    f: () => into("flick"),
    l: () => into("slider"),
    x: () => into("difference"),
    "+": () => zoomMiddle(1.5),
    "-": () => zoomMiddle(1 / 1.5),
    c: () => dialog.close(),
    ArrowLeft: () => (state.mode === "slider" ? slide(-5) : pan(60, 0)),
    ArrowRight: () => (state.mode === "slider" ? slide(5) : pan(-60, 0)),
    ArrowUp: () => pan(0, 60),
    ArrowDown: () => pan(0, -60),
  };
  const slide = (by) => {
    slider.value = Number(slider.value) + by;
    draw();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!dialog.open) {
      const typing = event.target.closest("input:not([type=radio]), textarea, select");
      if (key === "c" && !event.repeat && !typing && !document.querySelector("dialog[open]")) open();
      return;
    }
    // While it is open, the desk's own keys rest.
    event.stopImmediatePropagation();
    if (/^[1-9]$/.test(key)) {
      event.preventDefault();
      choose(Number(key) - 1);
    } else if (keys[key] && !(key === " " && event.target.closest("button"))) {
      event.preventDefault();
      keys[key]();
    }
  });

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const room = stage.getBoundingClientRect();
    const factor = Math.exp(-event.deltaY / 400);
    zoomAt(factor, event.clientX - room.left, event.clientY - room.top);
  }, { passive: false });

  const fingers = new Map();
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
  });
  stage.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const other = [...fingers.values()].find((one) => one.pointerId !== event.pointerId);
    if (other) {
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      const room = stage.getBoundingClientRect();
      zoomAt(
        apart(event) / Math.max(1, apart(before)),
        (event.clientX + other.clientX) / 2 - room.left,
        (event.clientY + other.clientY) / 2 - room.top,
      );
    } else {
      pan(event.clientX - before.clientX, event.clientY - before.clientY);
    }
    fingers.set(event.pointerId, event);
  });
  for (const name of ["pointerup", "pointercancel"])
    stage.addEventListener(name, (event) => fingers.delete(event.pointerId));
  stage.addEventListener("dblclick", () => zoomMiddle(state.zoom > 1 ? 1 / 16 : 4));

  buttons.forEach((button) =>
    button.addEventListener("click", () => into(button.dataset.mode)),
  );
  slider.addEventListener("input", draw);
  for (const image of [under, over]) image.addEventListener("load", draw);
  addEventListener("resize", () => dialog.open && draw());
  document.querySelectorAll("[data-compare-open]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", open);
  });
  dialog.querySelector("[data-compare-close]").addEventListener("click", () => dialog.close());
})();
