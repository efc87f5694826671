// Opens a photo large above the page. What does that is fetched only when it is needed;
// without it, the link leads to the photo's own page.
{
  const box = document.getElementById("lightbox");
  let module = null;

  function load() {
    module ??= import(box.dataset.script);
    if (!document.getElementById("lightbox-style")) {
      const style = document.createElement("link");
      style.id = "lightbox-style";
      style.rel = "stylesheet";
      style.href = box.dataset.sheet;
      document.head.append(style);
    }
    return module;
  }

  async function open(key, address) {
    try {
      const { look } = await load();
      if (!(await look(box, key))) location.assign(address);
    } catch {
      location.assign(address);
    }
  }

  if (box) {
    document.addEventListener("click", (event) => {
      if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey) return;
      if (event.shiftKey || event.altKey) return;
      const link = event.target.closest("#photo-tiles .tile > a");
      const large = event.target.closest("[data-look]");
      if (link) {
        event.preventDefault();
        open(Number(link.parentElement.dataset.key), link.href);
      } else if (large) {
        open(Number(box.dataset.key), location.href);
      }
    });
    // Shortly before it is needed.
    for (const type of ["pointerover", "focusin"]) {
      document.addEventListener(type, (event) => {
        if (event.target.closest("#photo-tiles .tile, [data-look]")) load();
      });
    }
    // Forward again, after Back has closed it.
    addEventListener("popstate", (event) => {
      if (event.state?.photo && !document.querySelector(".pswp")) {
        event.stopImmediatePropagation();
        open(event.state.photo, location.href);
      }
    }, true);
    const button = document.querySelector("button[data-look]");
    if (button) button.hidden = false;
  }
}
