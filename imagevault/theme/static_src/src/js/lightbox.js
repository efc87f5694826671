// Photos large above the page: PhotoSwipe, over the whole selection however long it is.
// Slides are asked for some at a time around the one looked at; the address follows, and
// Back closes it.
import PhotoSwipe from "photoswipe";
import "photoswipe/style.css";
import "../lightbox.css";

const NEAR = 12; // slides between the one looked at and the end of those known
const SLIDE_SECONDS = 5;
const WIDE = 900; // px, from which on the facts stand beside the picture
const FACTS_WIDTH = 360;

// Drawn within 32 by 32.
const SHAPES = {
  facts: '<path d="M16 4a12 12 0 100 24 12 12 0 000-24zm0 2.4a9.6 9.6 0 110 19.2 9.6 9.6 0 010-19.2zM14.8 14h2.4v8h-2.4zM14.6 9.4h2.8v2.8h-2.8z"/>',
  star: '<path d="M16 5.2l3.3 6.7 7.4 1.1-5.4 5.2 1.3 7.4-6.6-3.5-6.6 3.5 1.3-7.4L5.3 13l7.4-1.1z"/>',
  download: '<path d="M14.8 5h2.4v11.2l4.2-4.2 1.7 1.7L16 20.8l-7.1-7.1 1.7-1.7 4.2 4.2zM7 24.6h18V27H7z"/>',
  trash: '<path d="M12.6 5h6.8l.8 2H26v2.4H6V7h5.8zM8 11h16l-1.2 16H9.2zm2.6 2.4l.8 11.2h9.2l.8-11.2z"/>',
  play: '<path class="play" d="M11 7l14 9-14 9z"/><path class="pause" d="M9 7h4.6v18H9zM18.4 7H23v18h-4.6z"/>',
  full: '<path d="M6 6h8v2.4H8.4V14H6zM18 6h8v8h-2.4V8.4H18zM6 18h2.4v5.6H14V26H6zM23.6 18H26v8h-8v-2.4h5.6z"/>',
};

let current = null;

// Opens the photo with this key; answers whether it could.
export async function look(box, key) {
  if (current) return true;
  const view = new View(box);
  current = view;
  try {
    await view.open(key);
  } catch {
    current = null;
    return false;
  }
  return true;
}

class View {
  constructor(box) {
    this.box = box;
    this.say = (name) => box.dataset[`say${name}`];
    this.slides = new Map();
    this.count = 0;
    this.first = this.last = 0;
    this.asking = false;
    this.isGuest = "guest" in box.dataset;
    this.isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  // The slides, by their place in the selection

  async ask(key) {
    // The grid may have been filtered since the page came.
    const query = document.getElementById("chosen")?.dataset.query ?? this.box.dataset.query;
    const address = `${this.box.dataset.browse}photo/${key}/around/${query}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    return answer.json();
  }

  take({ count, first, slides }) {
    this.count = Math.max(count, first + slides.length);
    slides.forEach((slide, at) => this.slides.set(first + at, slide));
    this.first = Math.min(...this.slides.keys());
    this.last = Math.max(...this.slides.keys());
  }

  // Asks for more where the known slides end; where one stands is told by its neighbour,
  // for photos may have come or gone meanwhile.
  async more(index) {
    if (this.asking) return;
    let edge = null;
    if (index + NEAR > this.last && this.last < this.count - 1) edge = this.last;
    else if (index - NEAR < this.first && this.first > 0) edge = this.first;
    if (edge === null) return;
    this.asking = true;
    try {
      const { key } = this.slides.get(edge);
      const answer = await this.ask(key);
      const moved = edge - answer.first - answer.slides.findIndex((one) => one.key === key);
      answer.first += moved;
      answer.count += moved;
      const before = new Set(this.slides.keys());
      for (const place of before) {
        const at = place - answer.first;
        // Known ones keep what was done to them.
        if (answer.slides[at]) answer.slides[at] = this.slides.get(place);
      }
      this.take(answer);
      for (const place of [this.pswp.currIndex - 1, this.pswp.currIndex, this.pswp.currIndex + 1]) {
        if (!before.has(place) && this.slides.has(place)) this.pswp.refreshSlideContent(place);
      }
    } catch {
      // Asked again with the next step.
    } finally {
      this.asking = false;
    }
  }

  get slide() {
    return this.slides.get(this.pswp.currIndex);
  }

  item(index) {
    const slide = this.slides.get(index);
    if (!slide) return { html: this.note(this.say("Loading")) };
    if (slide.thrown) return { html: this.note(this.say("Gone")) };
    if (!slide.preview) return { html: this.note(`${slide.name}. ${this.say("Lost")}`) };
    return {
      src: slide.preview,
      msrc: slide.thumbnail,
      width: slide.width || 1600,
      height: slide.height || 1200,
      alt: slide.alt,
      key: slide.key,
    };
  }

  note(text) {
    const note = document.createElement("p");
    note.className = "look-note";
    note.textContent = text;
    return note.outerHTML;
  }

  // Opening and closing

  async open(key) {
    this.take(await this.ask(key));
    const index = [...this.slides].find(([, slide]) => slide.key === key)[0];
    this.pswp = new PhotoSwipe({
      index,
      loop: false,
      bgOpacity: 1,
      wheelToZoom: true,
      preload: [1, 2],
      showHideAnimationType: this.isStill ? "none" : "zoom",
      zoomAnimationDuration: this.isStill ? false : 250,
      maxZoomLevel: ({ fit }) => Math.max(2, 4 * fit),
      secondaryZoomLevel: ({ fit }) => Math.max(1, 2 * fit),
      paddingFn: (size) => ({ top: 0, bottom: 0, left: 0, right: this.factsWidth(size.x) }),
      closeTitle: `${this.say("Close")} (Esc)`,
      zoomTitle: `${this.say("Zoom")} (z)`,
      arrowPrevTitle: this.say("Previous"),
      arrowNextTitle: this.say("Next"),
      errorMsg: this.say("Lost"),
    });
    this.listen();
    history.pushState({ photo: key }, "", this.slides.get(index).address);
    this.pswp.init();
  }

  listen() {
    const { pswp } = this;
    pswp.addFilter("numItems", () => this.count);
    pswp.addFilter("itemData", (_, index) => this.item(index));
    pswp.addFilter("thumbEl", (_, data) => thumbnail(data.key));
    pswp.on("uiRegister", () => this.furnish());
    pswp.on("change", () => this.changed());
    pswp.on("afterInit", () => this.changed());
    pswp.on("zoomPanUpdate", ({ slide }) => this.sharpen(slide));
    pswp.on("keydown", (event) => this.pressed(event));
    pswp.on("close", () => this.play(false));
    pswp.on("destroy", () => this.closed());
    this.back = (event) => {
      event.stopImmediatePropagation();
      if (this.isLeaving) return this.left();
      this.isBack = true;
      pswp.close();
    };
    addEventListener("popstate", this.back, true);
    this.hearEarly();
    this.undone = ({ detail }) => this.unthrow(detail);
    document.addEventListener("undone", this.undone);
    this.hidden = () => document.hidden && this.play(false);
    document.addEventListener("visibilitychange", this.hidden);
  }

  // Keys pressed while it still opens are not lost: they come when it listens.
  hearEarly() {
    const early = [];
    const hear = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      early.push(event.key);
    };
    addEventListener("keydown", hear, true);
    this.deafen = () => removeEventListener("keydown", hear, true);
    this.pswp.on("openingAnimationEnd", () => {
      this.deafen();
      // After PhotoSwipe itself has begun to listen.
      queueMicrotask(() => {
        for (const key of early) {
          this.pswp.element?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        }
      });
    });
  }

  closed() {
    this.deafen();
    document.removeEventListener("undone", this.undone);
    document.removeEventListener("visibilitychange", this.hidden);
    document.body.append(toasts);
    document.title = this.title ?? document.title;
    if (document.fullscreenElement) document.exitFullscreen();
    if (this.isBack) return this.left();
    this.isLeaving = true;
    history.back();
  }

  // Back at the page: to the photo looked at last, where it is among those shown.
  left() {
    removeEventListener("popstate", this.back, true);
    current = null;
    const { slide, box } = this;
    if (box.dataset.key && Number(box.dataset.key) !== slide?.key && slide) {
      location.replace(slide.address);
      return;
    }
    const link = document.querySelector(`#photo-tiles .tile[data-key="${slide?.key}"] > a`);
    link?.parentElement.classList.remove("far");
    link?.focus({ preventScroll: true });
    link?.scrollIntoView({ block: "nearest" });
  }

  changed() {
    const { slide, pswp } = this;
    this.more(pswp.currIndex);
    if (!slide) return;
    history.replaceState({ photo: slide.key }, "", slide.address);
    this.title ??= document.title;
    document.title = `${slide.name} · imagevault`;
    this.star?.setAttribute("aria-pressed", String(slide.starred));
    if (this.link) {
      this.link.href = slide.download;
      this.link.hidden = !slide.download;
    }
    if (this.isTold) this.tell();
    if (this.timer) this.wait();
  }

  // The original takes the preview's place once more is asked for than that has.
  sharpen(slide) {
    const known = this.slides.get(slide.index);
    const image = slide.content?.element;
    if (!known?.original || slide.isSharp || image?.tagName !== "IMG") return;
    const pixels = Math.max(slide.width, slide.height) * slide.currZoomLevel * devicePixelRatio;
    if (pixels < 2100 || !slide.isActive || slide.currZoomLevel <= slide.zoomLevels.initial) return;
    slide.isSharp = true;
    const original = new Image();
    original.src = known.original;
    original.decode().then(
      () => {
        if (slide.content?.element === image) image.src = known.original;
      },
      () => {}, // the preview stays
    );
  }

  // The buttons above

  furnish() {
    const { pswp } = this;
    const add = (name, order, key, onClick, more = {}) => {
      const text = this.say(name[0].toUpperCase() + name.slice(1));
      pswp.ui.registerElement({
        name: `look-${name}`,
        order,
        isButton: true,
        ariaLabel: text,
        title: `${text} (${key})`,
        html: `<svg class="pswp__icn" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">${SHAPES[more.shape ?? name]}</svg>`,
        onClick,
        ...more,
      });
    };
    add("play", 6, "␣", () => this.play(!this.timer), { onInit: (one) => (this.player = one) });
    if (!this.isGuest) {
      add("favourite", 7, "f", () => this.favour(), {
        shape: "star",
        onInit: (one) => (this.star = one),
      });
    }
    add("download", 8, "d", null, {
      tagName: "a",
      onInit: (one) => {
        this.link = one;
        one.setAttribute("download", "");
      },
    });
    if ("throw" in this.box.dataset) add("trash", 9, "Del", () => this.throw());
    add("facts", 11, "i", () => this.told(!this.isTold), {
      onInit: (one) => (this.opener = one),
    });
    if (document.fullscreenEnabled) add("full", 12, "F11", () => this.fill());
    pswp.ui.registerElement({
      name: "look-panel",
      appendTo: "root",
      tagName: "aside",
      onInit: (panel) => {
        this.panel = panel;
        panel.hidden = true;
        panel.tabIndex = -1;
        panel.setAttribute("aria-label", this.say("Facts"));
        panel.addEventListener("submit", (event) => this.sent(event));
        // Neither swiped nor zoomed: it is read and scrolled.
        for (const type of ["pointerdown", "wheel", "click"]) {
          panel.addEventListener(type, (event) => event.stopPropagation());
        }
      },
    });
    pswp.on("afterInit", () => pswp.element.append(toasts));
  }

  pressed(event) {
    const { originalEvent: pressed } = event;
    const { target, key } = pressed;
    if (target.matches("input, textarea, select")) return event.preventDefault();
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
    const isButton = target.closest("button, a, summary");
    const zoom = (factor) => {
      const { currSlide } = this.pswp;
      const level = currSlide.currZoomLevel * factor;
      currSlide.zoomTo(Math.min(Math.max(level, currSlide.zoomLevels.fit), currSlide.zoomLevels.max), undefined, this.isStill ? 0 : 150);
    };
    const actions = {
      i: () => this.told(!this.isTold),
      f: () => this.isGuest || this.favour(),
      d: () => this.link.hidden || this.link.click(),
      Delete: () => "throw" in this.box.dataset && this.throw(),
      " ": () => this.play(!this.timer),
      "+": () => zoom(1.5),
      "=": () => zoom(1.5),
      "-": () => zoom(1 / 1.5),
      0: () => zoom(0),
      Home: () => this.pswp.goTo(0),
      End: () => this.pswp.goTo(this.count - 1),
    };
    if (!actions[key] || (key === " " && isButton)) return;
    event.preventDefault();
    pressed.preventDefault();
    actions[key]();
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => {});
  }

  // Slide show

  play(isOn) {
    clearTimeout(this.timer);
    this.timer = 0;
    if (isOn) this.wait();
    this.player?.setAttribute("aria-pressed", String(isOn));
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { pswp } = this;
      if (pswp.currIndex >= this.count - 1) return this.play(false);
      pswp.next();
    }, SLIDE_SECONDS * 1000);
  }

  // What is done to a photo

  async favour() {
    const { slide } = this;
    if (!slide) return;
    const body = new FormData();
    body.set("starred", slide.starred ? "0" : "1");
    const answer = await send(`${path(slide)}favourite/`, body);
    if (!answer?.ok) return sayFailed();
    slide.starred = !slide.starred;
    if (this.slide === slide) this.star.setAttribute("aria-pressed", String(slide.starred));
    const star = document.getElementById(`star-${slide.key}`);
    star?.setAttribute("aria-pressed", String(slide.starred));
    if (star) star.value = slide.starred ? "0" : "1";
  }

  async throw() {
    const { slide, pswp } = this;
    if (!slide || slide.thrown) return;
    const body = new FormData();
    body.set("photos", slide.key);
    const result = await act(this.box.dataset.throw, body);
    say(result);
    if (!result.isDone) return;
    slide.thrown = result.undo;
    document.dispatchEvent(new CustomEvent("thrown", { detail: { key: slide.key, undo: result.undo } }));
    const index = this.place(slide);
    pswp.refreshSlideContent(index);
    if (pswp.currIndex === index && index < this.count - 1) pswp.next();
  }

  unthrow({ address, isDone }) {
    for (const [index, slide] of this.slides) {
      if (!isDone || slide.thrown !== address) continue;
      slide.thrown = "";
      this.pswp.refreshSlideContent(index);
      this.pswp.goTo(index);
    }
    if (this.isTold) this.tell();
  }

  place(slide) {
    return [...this.slides].find(([, one]) => one === slide)[0];
  }

  // The facts beside it

  factsWidth(width) {
    return this.isTold && width >= WIDE ? FACTS_WIDTH : 0;
  }

  told(isTold) {
    this.isTold = isTold;
    this.panel.hidden = !isTold;
    this.pswp.element.classList.toggle("look-told", isTold);
    this.opener.setAttribute("aria-expanded", String(isTold));
    this.pswp.updateSize(true);
    if (isTold) this.tell();
    else this.opener.focus();
  }

  async tell() {
    const { slide, panel } = this;
    if (!slide) return;
    const answer = await fetch(`${path(slide)}about/`).catch(() => null);
    if (slide !== this.slide || !answer) return;
    if (!answer.ok || answer.redirected) return panel.replaceChildren(this.say("Failed"));
    panel.innerHTML = await answer.text();
    panel.scrollTop = 0;
  }

  // A form among the facts: a date corrected or taken back, or the trash.
  async sent(event) {
    event.preventDefault();
    const form = event.target;
    if (form.dataset.onePhoto === "trash") return this.throw();
    const result = await act(event.submitter?.getAttribute("formaction") ?? form.action, new FormData(form));
    const refused = form.querySelector("[data-refused]");
    if (result.status === 422 && refused) {
      refused.textContent = result.text;
      refused.hidden = false;
      return;
    }
    say(result);
    this.tell();
  }
}

function path(slide) {
  return slide.address.split("?")[0];
}

function thumbnail(key) {
  return document.querySelector(`#photo-tiles .tile:not(.far)[data-key="${key}"] img:not(.tile-colours), #photo-picture[data-key="${key}"] img`);
}

async function send(address, body) {
  body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  return fetch(address, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
}
