// What the page shows of a journey. It is drawn anew twice a second at most, and however many
// files there are, only a few of each kind have a place on it.
import { Speed } from "./speed.js";
import { duration, number, percent, size } from "./texts.js";

const EVERY = 500;
// Told aloud: the beginning, each quarter, the end.
const QUARTER = 0.25;
const FEW = 20;
const ATTENTION = ["failed", "refused", "trashed"];
const ORDER = [...ATTENTION, "wanted", "new", "known", "purged", "stopped", "no-picture", "junk"];
const place = (kind) => ORDER.indexOf(kind);

export class Board {
  constructor(root, texts, { restore }) {
    this.root = root;
    this.texts = texts;
    this.restore = restore;
    this.part = (name) => root.querySelector(`[data-part=${name}]`);
    this.groups = new Map();
  }

  begin(journey, tally, road) {
    Object.assign(this, { journey, tally, road, told: 0, ended: false });
    this.speed = new Speed();
    this.groups.clear();
    this.part("groups").replaceChildren();
    this.part("end").hidden = true;
    this.part("buttons").hidden = false;
    this.root.hidden = false;
    this.draw();
    road.addEventListener("change", () => this.soon());
    this.beat = setInterval(() => this.draw(), EVERY);
  }

  soon() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  end() {
    clearInterval(this.beat);
    cancelAnimationFrame(this.frame);
    this.ended = true;
    this.part("buttons").hidden = true;
    this.part("end").hidden = false;
    this.draw();
  }

  draw() {
    const { journey, tally, road } = this;
    const bytes = journey.bytes;
    if (road.isOpen && !this.ended) this.speed.note(bytes);
    else this.speed.rest();
    const total = tally.estimate || 1;
    // Small files take their time too: neither bytes nor files alone say how far it is.
    const share = (Math.min(bytes / total, 1) + tally.done / (tally.total || 1)) / 2;
    const values = { done: number(tally.done), total: number(tally.total) };
    const headline = this.ended ? "finished" : road.paused ? "paused" : "going";
    this.say("headline", this.texts.get(headline, values));
    this.part("bar").value = this.ended ? 1 : share;
    this.say("detail", this.detail(bytes, total));
    this.drawTrouble();
    this.drawCurrent();
    for (const [kind, group] of tally.kinds) this.drawGroup(kind, group);
    this.tell(share, values);
    const isPaused = road.paused;
    this.part("pause").hidden = isPaused;
    this.part("resume").hidden = !isPaused;
  }

  detail(bytes, total) {
    if (this.ended) return "";
    const sizes = { done: size(bytes), total: size(Math.max(total, bytes)) };
    const seconds = this.speed.left(total - bytes);
    if (seconds === null) return this.texts.get("sizes", sizes);
    return this.texts.get("sizes-left", { ...sizes, time: duration(seconds) });
  }

  say(part, text) {
    const place = this.part(part);
    if (place.textContent !== text) place.textContent = text;
  }

  drawTrouble() {
    const { trouble } = this.road;
    const box = this.part("trouble");
    box.hidden = !trouble || this.ended;
    if (box.hidden) return;
    const seconds = Math.max(0, Math.ceil((trouble.until - Date.now()) / 1000));
    this.say("trouble-text", trouble.message);
    this.say("wait", trouble.until ? this.texts.get("again-in", { seconds: number(seconds) }) : "");
  }

  drawCurrent() {
    const { journey } = this;
    const list = this.part("current");
    const lines = this.ended ? [] : [...journey.sending].slice(0, 3);
    while (list.children.length > lines.length) list.lastElementChild.remove();
    while (list.children.length < lines.length) list.append(this.copy("current-line"));
    lines.forEach(([entry, sent], place) => {
      const line = list.children[place];
      const share = entry.size ? sent / entry.size : 0;
      line.querySelector("[data-name]").textContent = entry.path;
      line.querySelector("[data-share]").textContent = percent(share);
    });
    const [looked] = this.ended ? [] : journey.hashing;
    this.say("looking", looked ? this.texts.get("looking", { name: looked.name }) : "");
  }

  copy(name) {
    return document.getElementById(`upload-${name}`).content.firstElementChild.cloneNode(true);
  }

  drawGroup(kind, group) {
    let drawn = this.groups.get(kind);
    if (!drawn) {
      drawn = { box: this.copy("group"), count: -1, open: false };
      drawn.box.dataset.kind = kind;
      drawn.box.querySelector("[data-label]").textContent = this.texts.get(`kind-${kind}`);
      drawn.box.querySelector("summary").classList.toggle("text-warn", place(kind) < 2);
      drawn.box.addEventListener("toggle", () => this.fill(drawn, group));
      // What needs a person stands open, and so does all of a few files.
      drawn.box.open = ATTENTION.includes(kind) || this.tally.total <= FEW;
      this.groups.set(kind, drawn);
      const after = [...this.groups].find(([other]) => place(other) > place(kind));
      this.part("groups").insertBefore(drawn.box, after?.[1].box ?? null);
    }
    if (drawn.count === group.count) return;
    drawn.count = group.count;
    drawn.box.querySelector("[data-count]").textContent = number(group.count);
    drawn.box.querySelector("[data-sources]").textContent = this.sources(group);
    if (drawn.box.open) this.fill(drawn, group);
  }

  sources(group) {
    const most = [...group.sources].sort((a, b) => b[1] - a[1]).slice(0, 3);
    return most
      .map(([name, count]) => this.texts.get("source", { name, count: number(count) }))
      .join(" · ");
  }

  fill(drawn, group) {
    if (!drawn.box.open) return;
    const list = drawn.box.querySelector("ul");
    // Who stands on a button in the list keeps it.
    if (list.contains(document.activeElement)) return;
    list.replaceChildren(...group.rows.map((row) => this.line(row)));
    const more = group.count - group.rows.length;
    const rest = drawn.box.querySelector("[data-rest]");
    rest.textContent = more ? this.texts.get("more", { count: number(more) }) : "";
  }

  line(row) {
    const line = this.copy("line");
    line.querySelector("[data-name]").textContent = row.path;
    line.querySelector("[data-words]").textContent = row.text;
    const link = line.querySelector("a");
    link.setAttribute("aria-label", `${link.textContent} ${row.path}`);
    if (row.photo) link.href = row.photo;
    else link.remove();
    const button = line.querySelector("button");
    button.setAttribute("aria-label", `${button.textContent} ${row.path}`);
    if (!row.restore) button.remove();
    else button.addEventListener("click", () => this.bringBack(row, line, button));
    return line;
  }

  async bringBack(row, line, button) {
    button.disabled = true;
    const isDone = await this.restore(row.restore);
    button.disabled = false;
    if (!isDone) return;
    row.text = this.texts.get("restored");
    row.restore = "";
    line.querySelector("[data-words]").textContent = row.text;
    button.remove();
  }

  tell(share, values) {
    const quarter = this.ended ? 5 : Math.floor(share / QUARTER);
    if (quarter <= this.told) return;
    this.told = quarter;
    this.say("news", this.texts.get(this.ended ? "finished" : "going", values));
  }
}
