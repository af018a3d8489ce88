// What was planned, and what came of it.

/**
 * @param {import('millrace').Plan} plan
 * @param {{ ratePerS: number, spike: number }} load
 */
export function printPlan({ configuration, estimate, objective }, { ratePerS, spike }) {
  const stages = Object.entries(configuration).map(
    ([stage, { replicas, maxBatch }]) => `${stage} ${replicas} (batch ${maxBatch})`,
  )
  console.log(`planned for ${ratePerS.toFixed(0)} pages/s, p99 within ${objective.latencyMs} ms`)
  console.log(`  replicas   ${stages.join(', ')}`)
  console.log(`  predicted  p99 ${estimate.p99Ms.toFixed(1)} ms, ${percent(estimate.attainment)}`)
  console.log(`then ${(spike * ratePerS).toFixed(0)} pages/s for a quarter of the time\n`)
}

/** @param {readonly import('./main.js').Run[]} runs */
export function printSeries(runs) {
  const [without, tuned] = runs
  const step = Math.max(1, Math.ceil((without?.series.length ?? 1) / 30))
  console.log('               without the tuner        with it')
  console.log('    s  pages   p99 ms   late           p99 ms   late  replicas')
  for (const [at, second] of (without?.series ?? []).entries()) {
    const other = tuned?.series[at]
    if (at % step !== 0 || other === undefined) continue
    const cells = [
      String(second.atS).padStart(5),
      String(second.ratePerS).padStart(6),
      number(second.p99Ms).padStart(8),
      String(second.late).padStart(6),
      number(other.p99Ms).padStart(16),
      String(other.late).padStart(6),
      ` ${Object.values(other.replicas).join(' ')}`,
    ]
    console.log(cells.join(' '))
  }
}

/**
 * @param {readonly import('./main.js').Run[]} runs
 * @param {{ latencyMs: number }} objective
 */
export function printSummary(runs, { latencyMs }) {
  console.log()
  for (const { name, report } of runs) {
    const { attainment = Number.NaN, p99Ms, requests } = report
    const figures = `${percent(attainment)} within ${latencyMs} ms, p99 ${number(p99Ms)} ms`
    console.log(`${name.padEnd(15)} ${figures}, of ${requests} pages`)
  }
  const tuned = runs.at(-1)
  if (tuned?.stats === undefined) return
  const { decideMs, scaleUps, scaleDowns } = tuned.stats
  const decided = `${decideMs.max.toFixed(3)} ms at most to decide`
  console.log(`\nthe tuner: ${scaleUps} times up, ${scaleDowns} times down, ${decided}`)
  for (const { atMs, reason } of tuned.changes) {
    console.log(`  ${(atMs / 1000).toFixed(2).padStart(6)} s  ${reason}`)
  }
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(2)} %`
}

/** @param {number} value */
function number(value) {
  return Number.isNaN(value) ? '-' : value.toFixed(value < 100 ? 1 : 0)
}
