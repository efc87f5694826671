// What was chosen or dropped, as entries: a path, and a way to the file when its turn comes.
// Of ten thousand files in a dropped folder none is opened before that.

// A path travels in a header, which has its limits: of a longer one the end is what counts.
const LONGEST = 1_200;

// Names that are no text, as old disks have them, become some that can be sent.
function sendable(path) {
  const text = new TextDecoder().decode(new TextEncoder().encode(path));
  return text.slice(-LONGEST);
}

export class Entry {
  constructor(path, file) {
    this.path = sendable(path);
    this.open = file;
    this.size = null;
    this.digest = null;
  }

  static of(file) {
    const entry = new Entry(file.webkitRelativePath || file.name, async () => file);
    entry.size = file.size;
    return entry;
  }

  get name() {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  get folder() {
    return this.path.slice(0, Math.max(this.path.lastIndexOf("/"), 0));
  }
}

export function fromList(files) {
  return Array.from(files, (file) => Entry.of(file));
}

// The list of what was dropped is only there while the event lasts; what lies in the folders
// is asked for afterwards. `found` hears how many there are so far.
export function fromDrop(transfer) {
  const items = Array.from(transfer.items).filter((item) => item.kind === "file");
  const roots = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  if (roots.some((root) => root === null)) {
    const files = fromList(transfer.files);
    return async () => files;
  }
  return async (found = () => {}) => {
    const entries = [];
    const folders = [...roots];
    while (folders.length) {
      const one = folders.shift();
      if (one.isDirectory) {
        folders.unshift(...(await children(one)));
      } else {
        entries.push(
          new Entry(
            one.fullPath.replace(/^\//, ""),
            () => new Promise((resolve, reject) => one.file(resolve, reject)),
          ),
        );
        if (entries.length % 100 === 0) found(entries.length);
      }
    }
    return entries;
  };
}

async function children(folder) {
  const reader = folder.createReader();
  const all = [];
  // A browser hands out a hundred at a time, and nothing when there are no more.
  for (;;) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) return all;
    all.push(...some);
  }
}
