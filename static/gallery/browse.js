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

function watch() {
  ahead.disconnect();
  const link = document.querySelector("#photo-next a");
  if (link) ahead.observe(link);
}

watch();
document.addEventListener("htmx:afterSettle", watch);
