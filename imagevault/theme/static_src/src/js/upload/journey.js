// The way of the files: each is hashed, asked for in batches, and sent if it is wanted, all at
// the same time, each through a queue of its own.
import { Queue } from "./queue.js";
import { Stopped } from "./road.js";
import { Refused } from "./server.js";

const AT_ONCE = 3;
const BATCH = 100;
// Files no larger than this are sent together, as many as that, in bytes.
const SMALL = 512 * 1024;
const TOGETHER = 24;
const TOGETHER_BYTES = 4 * 1024 * 1024;
const NOTHING = "0".repeat(64);
const JUNK = /^(\.ds_store|thumbs\.db|desktop\.ini|\.picasa\.ini|\._.*)$/i;

export class Journey {
  // `run` is the upload the files belong to; without one they are only looked up.
  constructor({ server, road, hasher, tally, texts, most, extensions, run }) {
    Object.assign(this, { server, road, hasher, tally, texts, most, run });
    this.extensions = new Set(extensions);
    this.toAsk = new Queue();
    this.toSend = new Queue();
    this.hashing = new Set();
    this.sending = new Map(); // entry to bytes sent
    this.aborts = new Set();
    this.inFlight = new Map(); // digest to those who wait for the same
    this.stored = new Set(); // digests sent on this way
    this.wanted = [];
    this.left = 0;
    road.addEventListener("change", () => {
      if (road.paused || road.stopped) for (const abort of [...this.aborts]) abort();
    });
  }

  async travel(entries) {
    this.left = entries.length;
    this.entries = entries.values();
    const many = (count, work) => Array.from({ length: count }, () => work.call(this));
    if (!entries.length) this.close();
    await Promise.all([
      ...many(this.hasher.size, this.hash),
      ...many(1, this.ask),
      ...many(AT_ONCE, this.send),
    ]);
    this.road.end();
  }

  close() {
    this.toAsk.close();
    this.toSend.close();
  }

  settle(entry, answer) {
    this.tally.settle(entry, answer);
    const waiting = this.inFlight.get(entry.digest);
    if (waiting && waiting.owner === entry) {
      this.inFlight.delete(entry.digest);
      if (answer.kind === "new") this.stored.add(entry.digest);
      for (const other of waiting) this.toAsk.push(other);
    }
    this.left -= 1;
    if (!this.left) this.close();
  }

  fail(entry, error) {
    if (error instanceof Stopped) this.settle(entry, this.said("stopped"));
    else if (error instanceof Refused) {
      this.settle(entry, { kind: "failed", text: error.message });
    } else this.settle(entry, this.said("failed", "unreadable"));
  }

  said(kind, text = kind) {
    return { kind, text: this.texts.get(text) };
  }

  looksRight(entry) {
    const extension = entry.name.slice(entry.name.lastIndexOf(".") + 1).toLowerCase();
    return this.extensions.has(extension);
  }

  async hash() {
    for (const entry of this.entries) {
      try {
        await this.road.untilOpen();
        await this.hashOne(entry);
      } catch (error) {
        this.hashing.delete(entry);
        this.fail(entry, error);
      }
    }
  }

  async hashOne(entry) {
    if (JUNK.test(entry.name)) return this.settle(entry, this.said("junk"));
    if (!this.run && !this.looksRight(entry)) {
      return this.settle(entry, this.said("no-picture"));
    }
    if (!entry.digest) {
      this.hashing.add(entry);
      const file = await entry.open();
      this.tally.saw(entry, file.size);
      entry.modified = file.lastModified;
      const isWanted = file.size && file.size <= this.most;
      entry.digest = isWanted ? await this.hasher.digest(file) : NOTHING;
      this.hashing.delete(entry);
    } else {
      this.tally.saw(entry, entry.size);
    }
    this.toAsk.push(entry);
  }

  async ask() {
    for (;;) {
      const entries = await this.toAsk.some(BATCH);
      if (!entries.length) return;
      try {
        const files = entries.map((entry) => this.claim(entry));
        const answers = await this.road.travel(() => this.server.known(files, this.run));
        entries.forEach((entry, place) => this.take(entry, answers[place]));
      } catch (error) {
        for (const entry of entries) this.fail(entry, error);
      }
    }
  }

  claim(entry) {
    const { size, digest, modified } = entry;
    // Who only looks need not tell what the files are called.
    return { path: this.run ? entry.path : "", size, digest, modified };
  }

  take(entry, answer) {
    if (answer.kind !== "wanted") return this.settle(entry, answer);
    if (!this.run) {
      this.wanted.push(entry);
      return this.settle(entry, answer);
    }
    // The answer may be older than the end of the same picture's sending.
    if (this.stored.has(entry.digest) && !entry.isAskedAgain) {
      entry.isAskedAgain = true;
      return this.toAsk.push(entry);
    }
    const before = this.inFlight.get(entry.digest);
    // The same picture twice: the second waits, and is then known.
    if (before) return before.push(entry);
    this.inFlight.set(entry.digest, Object.assign([], { owner: entry }));
    entry.url = answer.url;
    this.toSend.push(entry);
  }

  async send() {
    for (;;) {
      const entries = await this.toSend.together((some) => this.areSmall(some));
      if (!entries.length) return;
      const left = entries.length > 1 ? await this.sendTogether(entries) : entries;
      for (const entry of left) await this.sendAlone(entry);
    }
  }

  areSmall(entries) {
    const bytes = entries.reduce((sum, one) => sum + one.size, 0);
    return (
      entries.length <= TOGETHER &&
      bytes <= TOGETHER_BYTES &&
      entries.every((one) => !one.url && one.size <= SMALL && this.looksRight(one))
    );
  }

  // Send small files in one request; return those that have to be sent alone.
  async sendTogether(entries) {
    let abort;
    try {
      const answers = await this.road.travel(async () => {
        const files = [];
        for (const entry of entries) {
          files.push(await this.unchanged(entry));
          this.sending.set(entry, 0);
        }
        const control = new AbortController();
        abort = () => control.abort();
        this.aborts.add(abort);
        try {
          const claims = entries.map((one) => this.claim(one));
          return await this.server.sendTogether(claims, files, this.run, control.signal);
        } finally {
          this.aborts.delete(abort);
        }
      });
      entries.forEach((entry, place) => {
        this.sending.delete(entry);
        this.settle(entry, answers[place]);
      });
      return [];
    } catch (error) {
      for (const entry of entries) this.sending.delete(entry);
      if (!(error instanceof Stopped)) return entries; // each says what is wrong with it
      for (const entry of entries) this.fail(entry, error);
      return [];
    }
  }

  async sendAlone(entry) {
    try {
      const answer = await this.road.travel(() => this.sendOne(entry));
      this.sending.delete(entry);
      this.settle(entry, answer);
    } catch (error) {
      this.sending.delete(entry);
      if (error instanceof Stopped) await this.server.forget(entry);
      this.fail(entry, error);
    }
  }

  // A file that was changed or taken away meanwhile would look like a broken line.
  async unchanged(entry) {
    const file = await entry.open();
    if (file.lastModified !== entry.modified) throw new Error("changed");
    await file.slice(0, 1).arrayBuffer();
    return file;
  }

  async sendOne(entry) {
    let abort;
    try {
      const file = await this.unchanged(entry);
      this.sending.set(entry, this.sending.get(entry) ?? 0);
      return await this.server.send(entry, file, {
        run: this.run,
        looksRight: this.looksRight(entry),
        progress: (sent) => this.sending.set(entry, sent),
        stop: (how) => {
          abort = how;
          this.aborts.add(how);
        },
      });
    } finally {
      this.aborts.delete(abort);
    }
  }

  // Bytes that are done with, those of files under way included.
  get bytes() {
    let under = 0;
    for (const sent of this.sending.values()) under += sent;
    return this.tally.bytes + under;
  }
}
