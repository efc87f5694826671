// What became of each file so far: counted by kind, a few of each kept for the page, all of
// them in few words for the list that can be saved.
const SHOWN = 50;

export class Tally {
  constructor(total) {
    this.total = total;
    this.rows = [];
    this.kinds = new Map();
    this.bytes = 0; // of files that are done
    this.sized = 0; // files whose size is known
    this.size = 0; // bytes of those
  }

  saw(entry, size) {
    this.sized += 1;
    this.size += size;
    entry.size = size;
  }

  settle(entry, answer) {
    const { kind, text = "", photo = "", source = "", restore = "" } = answer;
    const row = { path: entry.path, kind, text, photo, restore };
    this.rows.push(row);
    this.bytes += entry.size ?? 0;
    const group = this.kinds.get(kind) ?? { count: 0, rows: [], sources: new Map() };
    this.kinds.set(kind, group);
    group.count += 1;
    group.rows.push(row);
    if (group.rows.length > SHOWN) group.rows.shift();
    if (source) group.sources.set(source, (group.sources.get(source) ?? 0) + 1);
  }

  get done() {
    return this.rows.length;
  }

  count(kind) {
    return this.kinds.get(kind)?.count ?? 0;
  }

  // All bytes there are to do, as far as can be told.
  get estimate() {
    return this.sized ? (this.size / this.sized) * this.total : 0;
  }

  csv(header, label) {
    const lines = [header, ...this.rows.map((row) => [row.path, label(row.kind), row.text])];
    // The mark at the beginning has spreadsheets read it as UTF-8.
    return `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
  }
}

function cell(text) {
  // A cell that begins like a formula would be one to a spreadsheet.
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n;]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
