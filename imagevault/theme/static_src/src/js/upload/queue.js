// A line of things to do: whoever has nothing to do waits for the next.
export class Queue {
  constructor() {
    this.things = [];
    this.waiting = [];
    this.closed = false;
  }

  push(thing) {
    this.things.push(thing);
    this.wake();
  }

  close() {
    this.closed = true;
    this.wake();
  }

  wake() {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  // The next thing, `undefined` when there will be none any more.
  async next() {
    while (!this.things.length) {
      if (this.closed) return undefined;
      await new Promise((resolve) => this.waiting.push(resolve));
    }
    return this.things.shift();
  }

  // Up to `most` of what is there, at least one; nothing when there will be none any more.
  async some(most) {
    const first = await this.next();
    return first === undefined ? [] : [first, ...this.things.splice(0, most - 1)];
  }

  // The next thing, and with it those right behind it as long as they all fit together.
  async together(fits) {
    const first = await this.next();
    if (first === undefined) return [];
    const found = [first];
    while (this.things.length && fits([...found, this.things[0]])) found.push(this.things.shift());
    return found;
  }
}
