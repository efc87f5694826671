// Keeps the screen on where the browser can, and asks before the page is left.
export class Awake {
  constructor() {
    this.ask = (event) => event.preventDefault();
    this.again = () => document.visibilityState === "visible" && this.lock();
  }

  begin() {
    addEventListener("beforeunload", this.ask);
    document.addEventListener("visibilitychange", this.again);
    this.lock();
  }

  async lock() {
    try {
      this.held = await navigator.wakeLock?.request("screen");
    } catch {
      // The battery is low, or the page is out of sight: then it is not to be.
    }
  }

  end() {
    removeEventListener("beforeunload", this.ask);
    document.removeEventListener("visibilitychange", this.again);
    this.held?.release();
  }
}
