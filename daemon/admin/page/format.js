// Figures as people read them. Nothing here touches the page.

const grouped = new Intl.NumberFormat("en", {maximumFractionDigits: 0});

export const none = "–";

export function count(n) {
  return n === null || n === undefined ? none : grouped.format(n);
}

// Many as few characters: 12,345 stays, 1,234,567 becomes 1.23 M.
export function brief(n) {
  if (n < 1e6) return grouped.format(n);
  if (n < 1e9) return `${(n / 1e6).toFixed(n < 1e8 ? 2 : 1)} M`;
  return `${(n / 1e9).toFixed(2)} G`;
}

export function bytes(n) {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (n < 1024 || unit === "GiB") return `${n < 10 && unit !== "B" ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1024;
  }
}

function digits(n) {
  return n < 10 ? n.toFixed(2) : n < 100 ? n.toFixed(1) : n.toFixed(0);
}

// A latency.
export function latency(us) {
  if (us === null || us === undefined) return none;
  if (us < 1000) return `${us} µs`;
  if (us < 1e6) return `${digits(us / 1e3)} ms`;
  return `${digits(us / 1e6)} s`;
}

// How long something has lasted: its two largest units.
export function span(us) {
  const s = Math.max(0, Math.floor(us / 1e6));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

export function ago(us, nowUs) {
  return us === null ? "never" : nowUs - us < 1e6 ? "now" : `${span(nowUs - us)} ago`;
}

const clock = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit", second: "2-digit"});
export function time(us) {
  return clock.format(us / 1000);
}

// 1.08213000 as 1.08213: digits are kept as they came.
export function price(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export function plural(n, one, many) {
  return `${count(n)} ${n === 1 ? one : many}`;
}
