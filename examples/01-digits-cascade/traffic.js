// Open-loop traffic: requests arrive when they arrive, whether or not earlier ones were answered, and the latency of each
// counts from the moment it was meant to be sent. So a server that stalls cannot hide it by slowing its clients down.

/**
 * Arrival times of a Poisson process, in milliseconds from the start.
 *
 * @param {{ ratePerS: number, seconds: number, seed: number }} options
 */
export function poissonArrivals({ ratePerS, seconds, seed }) {
  const random = seededRandom(seed)
  const arrivalsMs = []
  for (let atMs = 0; ; ) {
    atMs += (-Math.log(1 - random()) * 1000) / ratePerS
    if (atMs >= seconds * 1000) return arrivalsMs
    arrivalsMs.push(atMs)
  }
}

/**
 * Sends request i at its time and calls `settled` with its latency and what `send` gave, once for each.
 *
 * @template T
 * @param {number[]} arrivalsMs
 * @param {{ send: (index: number) => Promise<T>, settled: (latencyMs: number, result: T) => void }} request
 */
export async function sendAll(arrivalsMs, { send, settled }) {
  const startMs = performance.now()
  const pending = []
  for (const [index, arrivalMs] of arrivalsMs.entries()) {
    const dueMs = startMs + arrivalMs
    while (performance.now() < dueMs) await nextTurn(dueMs - performance.now())
    pending.push(send(index).then((result) => settled(performance.now() - dueMs, result)))
  }
  await Promise.all(pending)
}

// Timers have a resolution of a millisecond; below two, go round the event loop instead.
/** @param {number} leftMs */
function nextTurn(leftMs) {
  return new Promise((resolve) => {
    if (leftMs > 2) setTimeout(resolve, leftMs - 1)
    else setImmediate(resolve)
  })
}

/** Uniform in [0, 1): Mulberry32. @param {number} seed */
export function seededRandom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
