// What is asked of the server, and how its answers are to be taken.
import { Upload } from "tus-js-client";
import { Aborted, Blocked, Broken } from "./road.js";

// What does not look like a picture shows with its first bytes what it is.
const TASTE = 128 * 1024;
// A line on which nothing moves for so long is given up and taken anew. Long, since a slow
// disk takes its time to write and read back a large file at its end.
const STALLED = 120_000;

// The file cannot be sent, now or later; the message is a sentence.
export class Refused extends Error {}

export class Server {
  // `piece` is what is sent at once, in bytes.
  constructor(addresses, texts, piece) {
    this.piece = piece;
    this.addresses = addresses;
    this.texts = texts;
  }

  get token() {
    // After a login in another tab the page's own token is out of date, the cookie is not.
    const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    return cookie?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]").value;
  }

  async post(address, body) {
    let response;
    try {
      response = await fetch(address, {
        method: "POST",
        headers: { "X-CSRFToken": this.token, "Content-Type": "application/json" },
        body: JSON.stringify(body ?? {}),
      });
    } catch {
      throw new Broken(this.texts.get("broken"));
    }
    this.check(response.status, response.url, address, () => "");
    try {
      return await response.json();
    } catch {
      throw new Broken(this.texts.get("broken"));
    }
  }

  // Throw what an answer means, unless it is a good one.
  check(status, url, address, sentence) {
    const there = new URL(url || address, location.href).pathname;
    if (there !== new URL(address, location.href).pathname) {
      throw new Blocked(this.texts.get("logged-out"));
    }
    if (status >= 200 && status < 300) return;
    if (status === 403) throw new Blocked(sentence() || this.texts.get("logged-out"));
    if (status === 507) throw new Blocked(sentence());
    if (status >= 500 || [0, 408, 409, 423, 429].includes(status)) {
      throw new Broken(this.texts.get("broken"));
    }
    throw new Refused(sentence() || this.texts.get("refused"));
  }

  begin() {
    return this.post(this.addresses.begin);
  }

  async known(files, run) {
    const { answers } = await this.post(this.addresses.known, { files, run });
    return answers;
  }

  // Send whole files in one request; answer what became of each, in their order.
  async sendTogether(claims, files, run, signal) {
    const body = new FormData();
    body.set("run", run);
    body.set("files", JSON.stringify(claims));
    for (const file of files) body.append("file", file, "file");
    const address = this.addresses.several;
    const headers = { "X-CSRFToken": this.token };
    let response;
    try {
      response = await fetch(address, { method: "POST", headers, body, signal });
    } catch {
      throw signal.aborted ? new Aborted() : new Broken(this.texts.get("broken"));
    }
    const text = await response.text().catch(() => "");
    const isSentence = (response.headers.get("Content-Type") ?? "").startsWith("text/plain");
    this.check(response.status, response.url, address, () => (isSentence ? text : ""));
    try {
      return JSON.parse(text).answers;
    } catch {
      throw new Broken(this.texts.get("broken"));
    }
  }

  // Send a file, or the rest of it; resolve to what became of it. `stop` takes a function
  // that breaks it off.
  send(entry, file, { run, looksRight, progress, stop }) {
    return new Promise((resolve, reject) => {
      let answer = null;
      let problem = null;
      let watch;
      const alive = () => {
        clearTimeout(watch);
        watch = setTimeout(() => {
          upload.abort();
          failed(new Broken(this.texts.get("broken")));
        }, STALLED);
      };
      const failed = (error) => {
        clearTimeout(watch);
        reject(error);
      };
      const upload = new Upload(file, {
        endpoint: this.addresses.transfers,
        uploadUrl: entry.url ?? null,
        uploadSize: file.size,
        chunkSize: looksRight ? this.piece : TASTE,
        uploadDataDuringCreation: true,
        storeFingerprintForResuming: false,
        retryDelays: null,
        metadata: {
          path: entry.path,
          digest: entry.digest,
          modified: String(file.lastModified),
          run: String(run),
        },
        onBeforeRequest: (request) => {
          problem = null;
          alive();
          request.setHeader("X-CSRFToken", this.token);
        },
        onAfterResponse: (request, response) => {
          const header = response.getHeader("Imagevault-Answer");
          if (header) answer = decoded(header);
          const xhr = response.getUnderlyingObject();
          try {
            this.check(xhr.status, xhr.responseURL, request.getURL(), () =>
              (response.getHeader("Content-Type") ?? "").startsWith("text/plain")
                ? response.getBody()
                : "",
            );
          } catch (error) {
            problem = error;
          }
        },
        onUploadUrlAvailable: () => {
          entry.url = upload.url;
        },
        onProgress: (sent) => {
          alive();
          progress(sent);
        },
        onError: (error) => {
          // A file the server no longer knows is begun anew.
          if (problem instanceof Refused && [404, 410].includes(status(error))) {
            entry.url = null;
            problem = new Broken(this.texts.get("broken"));
          }
          failed(problem ?? new Broken(this.texts.get("broken")));
        },
        onSuccess: () => {
          if (!answer) return failed(new Broken(this.texts.get("broken")));
          clearTimeout(watch);
          resolve(answer);
        },
      });
      stop(() => {
        upload.abort();
        failed(new Aborted());
      });
      upload.start();
    });
  }

  async forget(entry) {
    if (!entry.url) return;
    const headers = { "X-CSRFToken": this.token, "Tus-Resumable": "1.0.0" };
    await fetch(entry.url, { method: "DELETE", headers }).catch(() => {});
  }
}

function status(error) {
  return error.originalResponse?.getStatus() ?? 0;
}

function decoded(header) {
  const bytes = Uint8Array.from(atob(header), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}
