// What became of a trace, second by second.

/**
 * @typedef {object} Second
 * @property {number} atS Its beginning, from the start of the trace.
 * @property {number} ratePerS Requests that were meant to be sent in it.
 * @property {number} p99Ms Of their latencies; NaN where there were none.
 * @property {number} late How many of them took longer than the objective, or failed.
 * @property {Record<string, number>} replicas At its end.
 */

/**
 * @param {import('millrace').ReplayReport} report
 * @param {object} given
 * @param {Float64Array} given.arrivalsMs
 * @param {readonly import('millrace').TunerEvents['scale'][]} given.changes
 * @param {import('millrace').PlannedConfiguration} given.configuration
 * @param {number} given.latencyMs
 * @returns {Second[]}
 */
export function seriesOf({ latenciesMs }, { arrivalsMs, changes, configuration, latencyMs }) {
  const seconds = Math.ceil(((arrivalsMs.at(-1) ?? 0) + 1e-9) / 1000)
  const replicas = Object.fromEntries(
    Object.entries(configuration).map(([stage, { replicas }]) => [stage, replicas]),
  )
  const left = [...changes]
  return Array.from({ length: seconds }, (_, atS) => {
    const inSecond = [...latenciesMs].filter((_, at) => {
      return Math.floor((arrivalsMs[at] ?? 0) / 1000) === atS
    })
    while ((left[0]?.atMs ?? Number.POSITIVE_INFINITY) < (atS + 1) * 1000) {
      for (const { stage, after } of left.shift()?.changes ?? []) replicas[stage] = after
    }
    const failed = inSecond.filter((ms) => Number.isNaN(ms)).length
    const sorted = inSecond.filter((ms) => !Number.isNaN(ms)).sort((one, other) => one - other)
    return {
      atS,
      ratePerS: inSecond.length,
      p99Ms: sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Number.NaN,
      late: failed + sorted.filter((ms) => ms > latencyMs).length,
      replicas: { ...replicas },
    }
  })
}
