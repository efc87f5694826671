// Fetches more photos shortly before the end of those shown comes into view. Without this
// script the link at the end leads to them.
const ahead = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) htmx.trigger(entry.target, "near");
    }
  },
  { rootMargin: "1500px" },
);

// Pictures far out of view are let go, or thousands of them would fill the memory, and what
// lies on their tiles takes no part in the layout. The tile keeps its place, and the browser
// has the picture at hand when it comes back.
const NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const picture = target.querySelector("img:not(.tile-colours)");
      if (!picture) continue;
      target.classList.toggle("far", !isIntersecting);
      (isIntersecting ? fetchAgain : letGo)(picture);
    }
  },
  { rootMargin: "4000px" },
);

// A picture without any source would carry nodes that show its text in its place.
function letGo(picture) {
  if (picture.dataset.src) return;
  picture.dataset.src = picture.getAttribute("src");
  if (picture.srcset) picture.dataset.srcset = picture.srcset;
  picture.removeAttribute("srcset");
  picture.src = NOTHING;
}

function fetchAgain(picture) {
  for (const name of ["srcset", "src"]) {
    if (picture.dataset[name]) picture.setAttribute(name, picture.dataset[name]);
    delete picture.dataset[name];
  }
}

function watch() {
  for (const tile of document.querySelectorAll(".tile:not([data-watched])")) {
    tile.dataset.watched = "";
    near.observe(tile);
  }
  ahead.disconnect();
  const link = document.querySelector("#photo-next a");
  if (link) ahead.observe(link);
}

watch();
document.addEventListener("htmx:afterSettle", watch);
