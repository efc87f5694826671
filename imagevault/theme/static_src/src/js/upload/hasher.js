// Workers that compute digests, so that the page stays awake meanwhile.
export class Hasher {
  constructor(script) {
    this.script = script;
    const cores = navigator.hardwareConcurrency || 2;
    this.size = Math.min(4, Math.max(1, cores - 1));
    this.idle = [];
    this.asked = new Map();
    this.number = 0;
  }

  worker() {
    const worker = new Worker(this.script, { type: "module" });
    worker.addEventListener("message", ({ data }) => {
      const { resolve, reject } = this.asked.get(data.id);
      this.asked.delete(data.id);
      this.idle.push(worker);
      if (data.digest) resolve(data.digest);
      else reject(new Error(data.problem));
    });
    return worker;
  }

  // To be asked for `size` files at once at most.
  digest(file) {
    const worker = this.idle.pop() ?? this.worker();
    const id = ++this.number;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      worker.addEventListener("error", (event) => reject(new Error(event.message)), { once: true });
      worker.postMessage({ id, file });
    });
  }

  close() {
    for (const worker of this.idle.splice(0)) worker.terminate();
  }
}
