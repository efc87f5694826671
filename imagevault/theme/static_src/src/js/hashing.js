// A worker that answers each file with its SHA-256. Where the browser has a hash of its own
// (only over https and on the machine itself) it is many times quicker, but takes a file
// only whole: larger ones, and all on plain http, are read in pieces by @noble/hashes, so
// that a file of gigabytes takes no more memory than a snapshot.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const PIECE = 4 * 1024 * 1024;
const WHOLE = 96 * 1024 * 1024;

async function digest(file) {
  if (self.crypto?.subtle && file.size <= WHOLE) {
    const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return bytesToHex(new Uint8Array(hash));
  }
  const hash = sha256.create();
  for (let start = 0; start < file.size; start += PIECE) {
    hash.update(new Uint8Array(await file.slice(start, start + PIECE).arrayBuffer()));
  }
  return bytesToHex(hash.digest());
}

self.addEventListener("message", async ({ data: { id, file } }) => {
  try {
    self.postMessage({ id, digest: await digest(file) });
  } catch (error) {
    self.postMessage({ id, problem: String(error) });
  }
});
