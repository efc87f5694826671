// All members of a set, seen near at the same spot at once: Z, then the pointer or Shift
// and the arrows. Where the spot lies in each copy was measured and stands in the page.
(() => {
  "use strict";
  const members = [...document.querySelectorAll("[data-overlay]")]
    .map((member) => ({
      image: member.querySelector(".desk-picture img"),
      places: member.dataset.overlay.split(" ").map(Number),
    }))
    .filter((member) => member.image);
  if (!members.length) return;
  const TIMES = [1, 3, 8];
  const state = { at: 0, x: 0.5, y: 0.5 };

  const inverse = ([a, b, c, d, e, f, g, h, i]) => {
    const minors = [e * i - f * h, c * h - b * i, b * f - c * e];
    const det = a * minors[0] + d * minors[1] + g * minors[2];
    if (Math.abs(det) < 1e-9) return [1, 0, 0, 0, 1, 0, 0, 0, 1];
    return [
      ...minors,
      f * g - d * i, a * i - c * g, c * d - a * f,
      d * h - e * g, b * g - a * h, a * e - b * d,
    ].map((one) => one / det);
  };
  const moved = (m, x, y) => {
    const w = m[6] * x + m[7] * y + m[8] || 1;
    return [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w];
  };
  // How much of the keeper's edge one edge of the copy shows.
  const extent = (m) => Math.sqrt(Math.abs(m[0] * m[4] - m[1] * m[3])) || 1;

  // Where the picture lies in its box: it is fitted into it, with margins.
  const fitted = (image) => {
    const ratio = image.naturalWidth / image.naturalHeight || 1;
    const width = Math.min(image.clientWidth, image.clientHeight * ratio);
    const height = width / ratio;
    return {
      width, height,
      left: (image.clientWidth - width) / 2,
      top: (image.clientHeight - height) / 2,
    };
  };

  const draw = () => {
    for (const { image, places } of members) {
      if (!state.at) {
        image.style.transform = "";
        continue;
      }
      const [x, y] = moved(inverse(places), state.x, state.y);
      const box = fitted(image);
      const scale = TIMES[state.at] * extent(places);
      const dx = image.clientWidth / 2 - scale * (box.left + x * box.width);
      const dy = image.clientHeight / 2 - scale * (box.top + y * box.height);
      image.style.transformOrigin = "0 0";
      image.style.transform = `matrix(${scale}, 0, 0, ${scale}, ${dx}, ${dy})`;
    }
  };

  const look = (x, y) => {
    state.x = Math.min(1, Math.max(0, x));
    state.y = Math.min(1, Math.max(0, y));
    draw();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key.toLowerCase() === "z" && !event.repeat) {
      state.at = (state.at + 1) % TIMES.length;
      draw();
      return;
    }
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!state.at || !event.shiftKey || !step[event.key]) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const by = 0.3 / TIMES[state.at];
    look(state.x + by * step[event.key][0], state.y + by * step[event.key][1]);
  });

  for (const { image, places } of members)
    image.parentElement.addEventListener("pointermove", (event) => {
      if (!state.at || event.pointerType === "touch") return;
      const room = image.parentElement.getBoundingClientRect();
      const box = fitted(image);
      const x = (event.clientX - room.left - box.left) / box.width;
      const y = (event.clientY - room.top - box.top) / box.height;
      look(...moved(places, x, y));
    });
  addEventListener("resize", draw);
})();
