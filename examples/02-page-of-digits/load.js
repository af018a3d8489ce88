// Two ways to load a service, and what came of it.
import { build } from 'hdr-histogram-js'
import { poissonArrivals, sendAll } from '../01-digits-cascade/traffic.js'

const longestUs = 60_000_000

/**
 * @typedef {object} Outcome
 * @property {number} sent
 * @property {number} inTime Answered within the deadline.
 * @property {Record<string, number>} failed By error code.
 * @property {import('hdr-histogram-js').Histogram} latencyUs Of those answered, from the moment they were meant to be sent.
 * @property {import('hdr-histogram-js').Histogram} failureUs The same, of those that were not.
 * @property {number} seconds From the first request to the last answer.
 */

/**
 * Requests arrive when they arrive, whether or not earlier ones were answered.
 *
 * @param {{ ratePerS: number, seconds: number, seed: number, deadlineMs: number }} traffic
 * @param {(index: number) => Promise<unknown>} send
 * @returns {Promise<Outcome>}
 */
export async function openLoop({ deadlineMs, ...traffic }, send) {
  const arrivalsMs = poissonArrivals(traffic)
  const latencyUs = histogram()
  const failureUs = histogram()
  /** @type {Record<string, number>} */
  const failed = {}
  let inTime = 0
  const startMs = performance.now()
  await sendAll(arrivalsMs, {
    send: (index) => codeOf(send(index)),
    settled: (latencyMs, code) => {
      const us = Math.min(latencyMs * 1000, longestUs)
      if (code === undefined) latencyUs.recordValue(us)
      else failureUs.recordValue(us)
      if (code !== undefined) failed[code] = (failed[code] ?? 0) + 1
      else if (latencyMs <= deadlineMs) inTime++
    },
  })
  const seconds = (performance.now() - startMs) / 1000
  return { sent: arrivalsMs.length, inTime, failed, latencyUs, failureUs, seconds }
}

/**
 * So many clients, each of which sends again as soon as it is answered: the most the service can do.
 *
 * @param {{ clients: number, seconds: number }} load
 * @param {(index: number) => Promise<unknown>} send
 * @returns {Promise<number>} answers a second
 */
export async function closedLoop({ clients, seconds }, send) {
  const startMs = performance.now()
  let sent = 0
  const client = async () => {
    while (performance.now() - startMs < seconds * 1000) await send(sent++)
  }
  await Promise.all(Array.from({ length: clients }, client))
  return (sent * 1000) / (performance.now() - startMs)
}

/**
 * The code of the error, undefined when there is none. What has no code is a mistake of ours, and ends the run.
 *
 * @param {Promise<unknown>} answer
 * @returns {Promise<string | undefined>}
 */
async function codeOf(answer) {
  try {
    await answer
    return undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code)
    throw error
  }
}

function histogram() {
  return build({ bitBucketSize: 32, highestTrackableValue: longestUs })
}
