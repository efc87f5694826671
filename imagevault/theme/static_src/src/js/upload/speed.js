// How quickly bytes go by, over the last half minute; pauses do not count.
const SPAN = 30_000;

export class Speed {
  constructor() {
    this.marks = [];
  }

  note(bytes, now = performance.now()) {
    this.marks.push({ bytes, now });
    while (this.marks.length > 2 && now - this.marks[0].now > SPAN) this.marks.shift();
  }

  rest() {
    this.marks = [];
  }

  // Seconds until so many bytes more are done, null while nobody can tell.
  left(bytes) {
    const [first, last] = [this.marks[0], this.marks.at(-1)];
    if (!first || last.now - first.now < 3_000 || last.bytes <= first.bytes) return null;
    return (bytes * (last.now - first.now)) / (last.bytes - first.bytes) / 1000;
  }
}
