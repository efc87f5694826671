// The way to the server: open, paused by the person, or broken and tried again after waits
// that grow. Everything that goes there goes through `travel`.

// The server, or what lies between, does not answer for now.
export class Broken extends Error {}
// It answers that a person has to do something first; the message says what.
export class Blocked extends Error {}
// It was broken off on purpose, to go on later.
export class Aborted extends Error {}
// The person has had enough.
export class Stopped extends Error {}

const FIRST = 1;
const LONGEST = 60;

export class Road extends EventTarget {
  constructor() {
    super();
    this.paused = false;
    this.stopped = false;
    this.trouble = null; // { message, until }
    this.failures = 0;
    this.online = () => this.tryNow();
    addEventListener("online", this.online);
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  pause() {
    this.paused = true;
    this.changed();
  }

  goOn() {
    this.paused = false;
    this.tryNow();
  }

  stop() {
    this.stopped = true;
    this.changed();
  }

  end() {
    removeEventListener("online", this.online);
  }

  tryNow() {
    this.trouble = null;
    clearTimeout(this.timer);
    this.changed();
  }

  get isOpen() {
    return !this.paused && !this.trouble;
  }

  async untilOpen() {
    while (!this.isOpen && !this.stopped) {
      await new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
    }
    if (this.stopped) throw new Stopped();
  }

  // Do something that needs the server until it is done.
  async travel(go) {
    for (;;) {
      await this.untilOpen();
      try {
        const result = await go();
        this.failures = 0;
        return result;
      } catch (error) {
        if (error instanceof Aborted || !this.isOpen || this.stopped) continue;
        if (error instanceof Broken) this.wait(error);
        else if (error instanceof Blocked) this.block(error);
        else throw error;
      }
    }
  }

  wait(error) {
    const seconds = Math.min(LONGEST, FIRST * 2 ** this.failures++);
    this.trouble = { message: error.message, until: Date.now() + seconds * 1000 };
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tryNow(), seconds * 1000);
    this.changed();
  }

  block(error) {
    this.trouble = { message: error.message, until: null };
    this.changed();
  }
}
