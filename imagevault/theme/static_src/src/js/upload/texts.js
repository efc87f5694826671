// The page's words, from its templates; numbers, sizes and times as the reader writes them.
const language = document.documentElement.lang || undefined;
const whole = new Intl.NumberFormat(language);

export class Texts {
  constructor(template) {
    this.words = new Map();
    for (const one of template.content.querySelectorAll("[data-text]")) {
      this.words.set(one.dataset.text, one.textContent.trim());
    }
  }

  get(name, values = {}) {
    const text = this.words.get(name) ?? name;
    return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  }
}

export function number(value) {
  return whole.format(value);
}

export function percent(share) {
  return new Intl.NumberFormat(language, { style: "percent" }).format(Math.min(share, 1));
}

function measured(value, unit, display, digits) {
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit,
    unitDisplay: display,
    maximumFractionDigits: digits,
  }).format(value);
}

export function size(bytes) {
  if (bytes >= 1e9) return measured(bytes / 1e9, "gigabyte", "short", 1);
  if (bytes >= 1e6) return measured(bytes / 1e6, "megabyte", "short", 0);
  return measured(bytes / 1e3, "kilobyte", "short", 0);
}

export function duration(seconds) {
  if (seconds >= 5400) return measured(seconds / 3600, "hour", "long", 1);
  if (seconds >= 50) return measured(Math.ceil(seconds / 60), "minute", "long", 0);
  return measured(Math.max(10, Math.ceil(seconds / 10) * 10), "second", "long", 0);
}
