// The status page: an event a second fills it in.

import * as charts from "./charts.js";
import {ago, brief, bytes, count, latency, none, plural, price, span, time} from "./format.js";
import {candlesOf, listen, Refused, useSecret} from "./source.js";

const spans = [60, 120, 300];   // seconds that the charts show: the least that holds all there are
const silenceLimitMs = 4000;    // an event is due every second
const retryMs = 1000;
const candlesEveryMs = 5000;
const candleCount = 90;

const $ = (id) => document.getElementById(id);
let newest = null;              // the last event
let heardAtMs = 0;
let trouble = null;             // why there is no stream
let lostLooks = 0;              // events in a row that had records unaccounted for
let before = null;              // {us, cpuUs} of an earlier event, for the processor's share
let pointedAt = null;           // a second of the throughput, counted back

function say(id, text) {
  const at = $(id);
  if (at.textContent !== text) at.textContent = text;
}

// Rows of cells, `text` or `{text, as, node}`. Elements stay: selections and scrolling do, too.
function fill(table, rows, emptyText) {
  const body = table.tBodies[0];
  if (rows.length === 0) rows = [[{text: emptyText, as: "empty", wide: true}]];
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, r) => {
    const row = body.rows[r] ?? body.insertRow();
    if (row.cells.length !== cells.length) row.replaceChildren();
    cells.forEach((cell, c) => {
      const {text, as = "", node, wide} = typeof cell === "object" ? cell : {text: cell};
      let at = row.cells[c];
      if (!at) {
        at = document.createElement(c === 0 && !wide ? "th" : "td");
        if (c === 0 && !wide) at.scope = "row";
        if (wide) at.colSpan = table.tHead.rows[0].cells.length;
        if (node) at.append(node());
        row.append(at);
      }
      const numeric = table.tHead.rows[0].cells[c].className === "n" && !wide ? "n" : "";
      const wanted = `${numeric} ${as}`.trim();
      if (at.className !== wanted) at.className = wanted;
      if (text !== undefined && at.textContent !== text) at.textContent = text;
      if (as === "tenant" && at.title !== text) at.title = text;
    });
  });
}

function facts(id, pairs) {
  const list = $(id);
  if (list.children.length !== 2 * pairs.length) {
    list.replaceChildren(...pairs.flatMap(() => [document.createElement("dt"), document.createElement("dd")]));
  }
  pairs.forEach(([name, text, as = ""], i) => {
    const [term, detail] = [list.children[2 * i], list.children[2 * i + 1]];
    if (term.textContent !== name) term.textContent = name;
    if (detail.textContent !== text) detail.textContent = text;
    detail.className = as;
  });
}

const spanOf = (values) => spans.find((s) => s >= values.length) ?? spans.at(-1);
const sum = (rows, member) => rows.reduce((total, row) => total + row[member], 0);

// What has to be said before anything else: [how bad, what, what follows]. Screen readers say the
// second at once, so it changes with what it is about and not with every event.
function alertsOf(s) {
  const found = [];
  if (trouble) found.push(["bad", "No news from tickd", trouble]);
  if (!s) return found;
  const away = s.lanes.filter((lane) => !lane.connected).length;
  const spooled = sum(s.lanes, "spooled");
  if (s.database_away_since_us !== null) {
    const who = away === s.lanes.length || away === 0 ? "The database is away" : `${away} of ${s.lanes.length} lanes have no database`;
    const kept = s.spool_bytes_max === 0
      ? "There is no spool: what is on its way is kept in memory, and when that is full senders wait."
      : `${plural(spooled, "record waits", "records wait")} in the spool; when that is full senders wait.`;
    found.push(["bad", `${who} since ${time(s.database_away_since_us)}`,
      `For ${span(s.now_us - s.database_away_since_us)}. Nothing is committed meanwhile. ${kept} It is tried again by itself.`]);
  } else if (spooled > 0) {
    found.push(["warn", "The spool is being committed", `${plural(spooled, "record is", "records are")} left; new ones go behind them.`]);
  }
  for (const reason of s.unhealthy) found.push(["bad", reason, "tickd has to be started anew; systemd's watchdog does so."]);
  if (s.notary?.stopped) {
    found.push(["bad", "The notary has stopped for good", "The activity log is not what was signed. Keep everything as it is and run tickd verify activity."]);
  }
  const lost = sum(s.lanes, "unaccounted");
  // Figures are read while they grow, and a thread may have been between two of them.
  if (lostLooks >= 5) {
    found.push(["bad", "Records are unaccounted for", `${count(lost)}, for ${lostLooks} s. This is a fault: keep the log and report it.`]);
  }
  if (s.stopping) found.push(["warn", "tickd is stopping", "What it holds is being committed."]);
  return found;
}

function showAlerts(s) {
  const wanted = alertsOf(s);
  const box = $("alerts");
  while (box.children.length > wanted.length) box.lastChild.remove();
  wanted.forEach(([how, what, more], i) => {
    let at = box.children[i];
    if (!at) {
      at = document.createElement("div");
      at.append(document.createElement("b"), document.createElement("span"));
      at.firstChild.setAttribute("role", "alert");
      box.append(at);
    }
    at.className = `alert ${how}`;
    if (at.children[0].textContent !== what) at.children[0].textContent = what;
    if (at.children[1].textContent !== more) at.children[1].textContent = more;
  });
}

function stateOf(s) {
  if (trouble) return ["bad", "no news"];
  if (!s) return ["waiting", "connecting"];
  if (s.unhealthy.length > 0) return ["bad", "a thread hangs"];
  if (s.stopping) return ["warn", "stopping"];
  if (s.database_away_since_us !== null) return ["bad", "database away"];
  if (s.unready.length > 0) return ["bad", "not ready"];
  if (sum(s.lanes, "spooled") > 0) return ["warn", "catching up"];
  return ["good", "ready"];
}

function showState(s) {
  const [how, word] = stateOf(s);
  $("state").dataset.state = how;
  say("state", word);
  const title = how === "good" ? `${brief(s.rates.ticks)} ticks/s · tickd` : `${word} · tickd`;
  if (document.title !== title) document.title = title;
}

function showFacts(s) {
  say("version", s.version);
  say("uptime", span(s.now_us - s.started_at_us));
  say("memory", bytes(s.process.resident_bytes));
  say("seen", time(s.now_us));
  if (before && s.now_us > before.us) {
    say("cpu", `${Math.round((100 * (s.process.cpu_us - before.cpuUs)) / (s.now_us - before.us))} %`);
  }
  if (!before || s.now_us - before.us > 4e6) before = {us: s.now_us, cpuUs: s.process.cpu_us};
}

function showTiles(s) {
  const {lanes, totals, rates} = s;
  const whole = s.latency.receive_to_commit;
  say("ticks", brief(rates.ticks));
  say("ticks-note", `${brief(totals.ticks)} ticks, ${brief(totals.events)} events`);
  say("bytes", bytes(rates.received_bytes));
  charts.spark($("bytes-spark"), s.seconds.received_bytes, spanOf(s.seconds.received_bytes));
  say("p99", latency(whole.p99_us));
  say("p99-note", whole.count === 0 ? "nothing committed lately" : `p50 ${latency(whole.p50_us)}, p99.9 ${latency(whole.p999_us)}`);
  say("in-flight", brief(sum(lanes, "in_flight")));
  say("in-flight-note", `${count(sum(lanes, "blocks"))} of ${count(sum(lanes, "blocks_max"))} blocks, ${plural(sum(lanes, "sessions"), "session", "sessions")}`);
  const held = sum(lanes, "spool_bytes"), room = s.spool_bytes_max * lanes.length;
  $("spool-fill").hidden = room === 0;
  $("spool-fill").value = room === 0 ? 0 : held / room;
  $("spooled-unit").hidden = room === 0;
  say("spooled", room === 0 ? "none" : brief(sum(lanes, "spooled")));
  say("spool-note", room === 0 ? "senders wait instead" : `${bytes(held)} of ${bytes(room)}`);
  const refused = sum(s.refused, "count");
  say("refused", brief(refused));
  say("refused-note", refused === 0 ? "since the start" : `most: ${s.refused[0].verdict}`);
}

function showThroughput(s) {
  const {received, committed} = s.seconds;
  charts.seconds($("throughput"), [{name: "committed", values: committed, area: true}, {name: "received", values: received}],
    spanOf(received), pointedAt);
  const at = pointedAt ?? 0;
  const [came, done] = $("throughput-legend").children;
  const when = pointedAt === null ? "" : `, ${time(s.now_us - at * 1e6)}`;
  came.textContent = `received ${brief(received.at(-1 - at) ?? 0)}`;
  done.textContent = `committed ${brief(committed.at(-1 - at) ?? 0)}${when}`;
}

const stages = [["receive_to_commit", "receive to commit"], ["seal", "seal"], ["ring", "ring"], ["prepare", "prepare"], ["commit", "commit"]];

function showLatency(s) {
  const table = $("latency");
  const bar = () => document.createElementNS("http://www.w3.org/2000/svg", "svg");
  fill(table, stages.map(([key, name]) => {
    const seen = s.latency[key];
    return [name, {as: "bar", node: bar}, latency(seen.p50_us), latency(seen.p99_us), latency(seen.p999_us)];
  }));
  charts.latencyAxis($("latency-axis"));
  stages.forEach(([key], i) => charts.latencyRange(table.tBodies[0].rows[i].cells[1].firstChild, s.latency[key]));
  say("latency-window", s.latency.receive_to_commit.count === 0 ? "nothing committed lately"
    : `${brief(s.latency.receive_to_commit.count)} records of the last ${s.latency.window_s} s`);
}

function showLanes(s) {
  fill($("lanes"), s.lanes.map((lane) => [
    String(lane.lane),
    lane.stuck ? {text: lane.stuck, as: "bad"} : lane.connected ? {text: "connected", as: "good"} : {text: "away", as: "bad"},
    count(lane.sessions), count(lane.in_flight), `${lane.blocks} of ${lane.blocks_max}`,
    s.spool_bytes_max === 0 ? none : {text: count(lane.spooled), as: lane.spooled > 0 ? "warn" : ""},
    ago(lane.committed_at_us, s.now_us), count(lane.failures)]));
  const away = s.lanes.filter((lane) => !lane.connected).length;
  say("lanes-note", away === 0 ? `${plural(s.lanes.length, "lane", "lanes")}, all connected` : `${away} of ${s.lanes.length} away`);
}

function showRefusals(s) {
  const share = (n) => s.totals.received === 0 ? none : n * 1e4 < s.totals.received ? "< 0.01 %" : `${((100 * n) / s.totals.received).toFixed(2)} %`;
  fill($("refusals"), s.refused.map(({verdict, count: n}) => [verdict, count(n), share(n)]), "none");
  say("door-note", `${plural(s.totals.dead_letters, "dead letter", "dead letters")} committed. At the door: ` +
    `${count(s.turned_away)} turned away, ${count(s.connections_refused)} beyond the limit of sessions.`);
}

function showProducers(s) {
  const lag = (us) => us === 0 ? none : us > 1e6 ? {text: span(us), as: us > 3e7 ? "bad" : "warn"} : latency(us);
  const rows = s.producers.map((p) => [
    p.producer, {text: p.tenant || none, as: "tenant"}, count(BigInt(p.watermark)), lag(p.lag_us), count(p.received), count(p.committed),
    count(p.duplicates), count(p.dead_lettered), count(p.seq_gaps)]);
  if (s.more_producers > 0 || s.rest.received > 0) {
    const who = s.more_producers > 0 ? `${count(s.more_producers)} more` : "others";
    rows.push([{text: who, as: "empty"}, none, none, lag(s.rest.lag_us), count(s.rest.received), count(s.rest.committed),
      count(s.rest.duplicates), count(s.rest.dead_lettered), count(s.rest.seq_gaps)]);
  }
  fill($("producers"), rows, "none has said hello yet");
  say("producers-note", "who lags first, then who has sent most");
}

function helper(name, state, [how, word], pairs) {
  $(`${name}-state`).dataset.state = how;
  say(`${name}-state`, word);
  facts(name, pairs);
}

function showHelpers(s) {
  const {notary, compactor} = s;
  if (!notary) {
    helper("notary", notary, ["waiting", "off"], [["key", "none is configured"]]);
  } else {
    const open = notary.log_records - notary.signed_records;
    helper("notary", notary, notary.stopped ? ["bad", "stopped"] : open > 0 ? ["warn", "behind"] : ["good", "signs"], [
      ["newest checkpoint", notary.signed_at_us === null ? "none since the start" : `${ago(notary.signed_at_us, s.now_us)}, at ${time(notary.signed_at_us)}`],
      ["signed", plural(notary.signed_records, "record", "records")],
      ["not yet signed", plural(open, "record", "records"), open > 0 ? "warn" : ""],
      ["failed rounds", count(notary.failures)]]);
  }
  if (!compactor) {
    helper("compactor", compactor, ["waiting", "off"], [["segments.compact", "false: another daemon does it, or none"]]);
  } else {
    const late = compactor.connected && compactor.done_at_us !== null && s.now_us - compactor.done_at_us > 3e7;
    helper("compactor", compactor, !compactor.connected ? ["bad", "away"] : late ? ["warn", "behind"] : ["good", "up to date"], [
      ["nothing left to fold", compactor.done_at_us === null ? "not since the start" : ago(compactor.done_at_us, s.now_us), late ? "warn" : ""],
      ["segments merged", `${count(compactor.segments_taken)} into ${count(compactor.segments_made)}`],
      ["ticks in them", count(compactor.ticks)],
      ["candles written", count(compactor.candles)],
      ["failed rounds", count(compactor.failures)]]);
  }
}

function show() {
  showAlerts(newest);
  showState(newest);
  if (!newest) return;
  showFacts(newest);
  showTiles(newest);
  showThroughput(newest);
  showLatency(newest);
  showLanes(newest);
  showRefusals(newest);
  showProducers(newest);
  showHelpers(newest);
}

// --- candles ---------------------------------------------------------------------------------------

let drawn = null;        // the last answer that had candles
let askedNumber = 0;     // of the newest question: answers to older ones are late

function showNoCandles(text) {
  $("candles-none").hidden = text === "";
  say("candles-none", text);
  $("candles").classList.toggle("stale", text !== "");
}

function showCandles(answer) {
  if (!answer.available) return showNoCandles(`Not available: ${answer.reason}`);
  const known = $("symbols");
  if ([...known.children].map((o) => o.value).join("\n") !== answer.symbols.join("\n")) {
    known.replaceChildren(...answer.symbols.map((symbol) => Object.assign(document.createElement("option"), {value: symbol})));
  }
  if ($("symbol").value === "" && document.activeElement !== $("symbol")) $("symbol").value = answer.symbol;
  if (answer.candles.length === 0) {
    drawn = null;
    $("candles").replaceChildren();
    say("candles-note", "\u00a0");
    return showNoCandles(answer.symbol ? `No shared ticks of ${answer.symbol}` : "No shared ticks yet");
  }
  showNoCandles("");
  drawn = answer;
  charts.candles($("candles"), answer.candles, answer.bucket_s);
  const last = answer.candles.at(-1);
  const until = new Date(last.time_s * 1000).toISOString().slice(0, 16).replace("T", " ");
  say("candles-note", `${answer.symbol} ${price(last.close)}, newest bucket ${until} UTC, ${plural(last.ticks, "tick", "ticks")}. Exact, of ticks that all tenants share.`);
}

async function askCandles() {
  if (document.hidden || !newest) return;
  const number = ++askedNumber;
  try {
    const answer = await candlesOf($("symbol").value.trim(), $("bucket").value, candleCount);
    if (number === askedNumber) showCandles(answer);
  } catch (failed) {
    if (number === askedNumber) showNoCandles(`Not available: ${failed.message}`);
  }
}

// --- life ------------------------------------------------------------------------------------------

async function askForSecret(wasWrong) {
  say("secret-note", wasWrong ? "That was not it." : "It stays in this tab.");
  $("secret").hidden = false;
  $("secret-text").focus();
  await new Promise((given) => {
    $("secret").addEventListener("submit", (event) => {
      event.preventDefault();
      useSecret($("secret-text").value.trim());
      $("secret-text").value = "";
      given();
    }, {once: true});
  });
  $("secret").hidden = true;
}

async function live() {
  let wasWrong = false;
  for (;;) {
    try {
      await listen((event) => {
        const first = newest === null;
        newest = event;
        lostLooks = sum(event.lanes, "unaccounted") === 0 ? 0 : lostLooks + 1;
        heardAtMs = performance.now();
        trouble = null;
        wasWrong = false;
        show();
        if (first) askCandles();
      });
      trouble = "The stream has ended; it is tried again every second.";
    } catch (failed) {
      if (failed instanceof Refused && failed.status === 401) {
        await askForSecret(wasWrong);
        wasWrong = true;
        continue;
      }
      trouble = failed instanceof Refused ? failed.message : "It cannot be reached; it is tried again every second.";
    }
    show();
    await new Promise((over) => setTimeout(over, retryMs));
  }
}

setInterval(() => {
  if (heardAtMs === 0 || trouble || performance.now() - heardAtMs < silenceLimitMs) return;
  trouble = `Nothing has come since ${time(newest.now_us)}; what is shown is from then.`;
  show();
}, 1000);

$("throughput").addEventListener("pointermove", (event) => {
  if (!newest) return;
  pointedAt = charts.secondAt($("throughput"), event.clientX, spanOf(newest.seconds.received));
  showThroughput(newest);
});
$("throughput").addEventListener("pointerleave", () => {
  pointedAt = null;
  if (newest) showThroughput(newest);
});
$("candle-choice").addEventListener("submit", (event) => event.preventDefault());
$("candle-choice").addEventListener("change", askCandles);
document.addEventListener("visibilitychange", askCandles);
setInterval(askCandles, candlesEveryMs);
addEventListener("resize", () => {
  show();
  if (drawn) charts.candles($("candles"), drawn.candles, drawn.bucket_s);
});

live();
