// What is drawn: lines over seconds, ranges of latencies, candles. SVG made of elements, so that no
// text ever becomes markup.

import {brief, latency, price} from "./format.js";

const space = "http://www.w3.org/2000/svg";

function shape(name, attributes, text) {
  const made = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// The room that the style sheet gives a picture, which it then fills pixel by pixel.
function roomOf(svg) {
  const width = Math.max(svg.clientWidth, 60), height = Math.max(svg.clientHeight, 10);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return {width, height};
}

// 1, 2 or 5 times a power of ten, so that about `parts` of them reach `most`.
function stepOf(most, parts) {
  const rough = most / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= rough);
}

function path(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

export function spark(svg, values, slots) {
  const {width, height} = roomOf(svg);
  const most = Math.max(1, ...values);
  const x = (i) => width - (values.length - 1 - i) * (width / (slots - 1));
  const points = values.map((v, i) => [x(i), height - 2 - (v / most) * (height - 4)]);
  if (points.length < 2) return svg.replaceChildren();
  const last = points.length - 1;
  svg.replaceChildren(
    shape("path", {class: "area", d: `${path(points)}L${points[last][0]} ${height}L${points[0][0].toFixed(1)} ${height}Z`}),
    shape("path", {class: "line bytes", d: path(points)}));
}

// `series`: [{name, values, area}], a value a second, the newest last. `at`: which second is
// pointed at, counted back from the newest; null: none.
export function seconds(svg, series, slots, at) {
  const {width, height} = roomOf(svg);
  const left = 58, right = 10, top = 10, bottom = 22;
  const length = Math.max(...series.map((s) => s.values.length));
  const most = Math.max(1, ...series.flatMap((s) => s.values));
  const step = Math.max(1, stepOf(most, 4)), ceiling = Math.ceil(most / step) * step;
  const x = (back) => width - right - back * ((width - left - right) / (slots - 1));
  const y = (v) => height - bottom - (v / ceiling) * (height - top - bottom);
  const made = [];
  for (let v = 0; v <= ceiling; v += step) {
    made.push(shape("line", {class: "grid", x1: left, x2: width - right, y1: y(v), y2: y(v)}),
      shape("text", {x: left - 8, y: y(v) + 4, "text-anchor": "end"}, brief(v)));
  }
  const marks = slots === 60 ? [0, 20, 40, 60] : slots === 120 ? [0, 30, 60, 90, 120]
    : width < 420 ? [0, 60, 180, 300] : [0, 60, 120, 180, 240, 300];
  for (const back of marks) {
    const anchor = back === 0 ? "end" : back === slots ? "start" : "middle";
    made.push(shape("text", {x: x(Math.min(back, slots - 1)), y: height - 5, "text-anchor": anchor},
      back === 0 ? "now" : back % 60 === 0 ? `−${back / 60} min` : `−${back} s`));
  }
  for (const {name, values, area} of series) {
    const points = values.map((v, i) => [x(length - 1 - i), y(v)]);
    if (points.length < 2) continue;
    const line = path(points);
    if (area) {
      made.push(shape("path", {class: "area",
        d: `${line}L${points.at(-1)[0].toFixed(1)} ${y(0)}L${points[0][0].toFixed(1)} ${y(0)}Z`}));
    }
    made.push(shape("path", {class: `line ${name}`, d: line}));
  }
  if (at !== null && at < length) made.push(shape("line", {class: "cursor", x1: x(at), x2: x(at), y1: top, y2: y(0)}));
  svg.replaceChildren(...made);
}

// Which second of such a picture lies at this place, counted back from the newest.
export function secondAt(svg, clientX, slots) {
  const box = svg.getBoundingClientRect();
  const back = (box.right - 10 - clientX) / ((box.width - 68) / (slots - 1));
  return Math.min(slots - 1, Math.max(0, Math.round(back)));
}

// Latencies lie on a logarithmic axis from 10 us to 10 s.
const decades = [1, 7];
function latencyX(us, width) {
  const at = (Math.log10(Math.max(us, 10)) - decades[0]) / (decades[1] - decades[0]);
  return 6 + Math.min(1, at) * (width - 12);
}

export function latencyAxis(svg) {
  const {width} = roomOf(svg);
  const marks = width > 330 ? [1e2, 1e3, 1e4, 1e5, 1e6] : [1e2, 1e4, 1e6];
  svg.replaceChildren(...marks.map((us) =>
    shape("text", {x: latencyX(us, width), y: 13, "text-anchor": "middle"}, latency(us).replace(/\.0+ /, " "))));
}

export function latencyRange(svg, seen) {
  const {width, height} = roomOf(svg);
  const middle = height / 2;
  const made = [1e2, 1e3, 1e4, 1e5, 1e6].map((us) =>
    shape("line", {class: "grid", x1: latencyX(us, width), x2: latencyX(us, width), y1: 0, y2: height}));
  if (seen.count > 0) {
    made.push(
      shape("line", {class: "range", x1: latencyX(seen.p50_us, width), x2: latencyX(seen.p999_us, width) + 0.1,
        y1: middle, y2: middle}),
      shape("circle", {class: "mark", cx: latencyX(seen.p99_us, width), cy: middle, r: 4.5}));
  }
  svg.replaceChildren(...made);
}

function bucketText(timeS, bucketS) {
  const date = new Date(timeS * 1000);
  const two = (n) => String(n).padStart(2, "0");
  const day = `${two(date.getUTCDate())}.${two(date.getUTCMonth() + 1)}.`;
  return bucketS >= 86400 ? day : `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

// `candles`: as candles.json has them, in order of time; buckets without ticks are left out there.
export function candles(svg, found, bucketS) {
  const {width, height} = roomOf(svg);
  const right = 74, top = 8, bottom = 22, left = 6;
  const begin = found[0].time_s, slots = Math.max(20, (found.at(-1).time_s - begin) / bucketS + 1);
  const slot = (width - left - right) / slots;
  const highs = found.map((c) => Number(c.high)), lows = found.map((c) => Number(c.low));
  let high = Math.max(...highs), low = Math.min(...lows);
  if (high === low) {
    const pad = Math.abs(high) * 1e-4 || 1;
    high += pad;
    low -= pad;
  }
  const x = (timeS) => left + ((timeS - begin) / bucketS + 0.5) * slot;
  const y = (p) => top + ((high - p) / (high - low)) * (height - top - bottom);
  const made = [];
  const step = stepOf(high - low, 4);
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  for (let p = Math.ceil(low / step) * step; p <= high; p += step) {
    made.push(shape("line", {class: "grid", x1: left, x2: width - right, y1: y(p), y2: y(p)}),
      shape("text", {x: width - right + 8, y: y(p) + 4}, p.toFixed(decimals)));
  }
  const labels = Math.max(1, Math.floor((width - right) / 80));
  const every = Math.max(1, Math.ceil(slots / labels));
  for (let i = 0; i < slots; i += every) {
    const anchor = i === 0 ? "start" : "middle";
    made.push(shape("text", {x: i === 0 ? left : left + (i + 0.5) * slot, y: height - 5, "text-anchor": anchor},
      bucketText(begin + i * bucketS, bucketS)));
  }
  const body = Math.max(1, Math.min(14, slot * 0.68));
  for (const candle of found) {
    const open = Number(candle.open), close = Number(candle.close);
    const group = shape("g", {class: close >= open ? "up" : "down"});
    const tall = Math.max(1, Math.abs(y(open) - y(close)));
    group.append(
      shape("title", {}, `${bucketText(candle.time_s, bucketS)} UTC: open ${price(candle.open)}, high ${price(candle.high)}, ` +
        `low ${price(candle.low)}, close ${price(candle.close)}, ${candle.ticks} ticks`),
      shape("line", {x1: x(candle.time_s), x2: x(candle.time_s), y1: y(Number(candle.high)), y2: y(Number(candle.low))}),
      shape("rect", {x: x(candle.time_s) - body / 2, y: Math.min(y(open), y(close)), width: body, height: tall}));
    made.push(group);
  }
  svg.replaceChildren(...made);
}
