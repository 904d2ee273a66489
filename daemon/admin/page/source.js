// Where the figures come from: the stream of events, and the secret it may ask for.
//
// Not EventSource, which can send no Authorization header: a secret in an address would end in logs.

let secret = sessionStorage.getItem("tickd-secret");

function headers() {
  return secret ? {Authorization: `Bearer ${secret}`} : {};
}

// The tab keeps it until it is closed.
export function useSecret(text) {
  secret = text;
  sessionStorage.setItem("tickd-secret", text);
}

export class Refused extends Error {
  constructor(status, text) {
    super(text.trim() || `status ${status}`);
    this.status = status;
  }
}

async function ask(address) {
  const answer = await fetch(address, {headers: headers(), cache: "no-store"});
  if (!answer.ok) throw new Refused(answer.status, await answer.text());
  return answer;
}

// Calls `take` with each event's object until the stream ends; throws when there is none.
export async function listen(take) {
  const reader = (await ask("events")).body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    text += value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      if (text.startsWith("data: ")) take(JSON.parse(text.slice(6, end)));
    }
  }
}

export async function candlesOf(symbol, bucketS, count) {
  return (await ask(`candles.json?symbol=${encodeURIComponent(symbol)}&bucket=${bucketS}&count=${count}`)).json();
}
