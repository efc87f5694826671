// Ticks all photos of the page, or none where all are ticked.
const all = document.querySelector("[data-tick-all]");
const ticks = [...document.querySelectorAll("input[name=photos]")];
all.hidden = ticks.length < 2;
all.addEventListener("click", () => {
  const missing = ticks.some((tick) => !tick.checked);
  ticks.forEach((tick) => (tick.checked = missing));
});
