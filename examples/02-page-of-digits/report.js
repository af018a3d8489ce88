// What the runs of main.js print.

/**
 * @typedef {import('./load.js').Outcome} Outcome
 * @typedef {'segment' | 'fast' | 'accurate' | 'transcribe'} Stage
 * @typedef {import('millrace').EngineStats<Stage>} Stats
 */

/** @param {number} share */
export function percent(share) {
  return `${(share * 100).toFixed(1)} %`
}

/** @param {import('hdr-histogram-js').Histogram} us @param {number} percentile */
export function ms(us, percentile) {
  return us.totalCount === 0 ? '-' : `${(us.getValueAtPercentile(percentile) / 1000).toFixed(1)} ms`
}

/** @param {Outcome} outcome @param {{ deadlineMs: number }} options */
export function printServed({ sent, inTime, latencyUs, seconds }, { deadlineMs }) {
  const answered = latencyUs.totalCount
  const perS = (answered / seconds).toFixed(0)
  console.log(`  answered   ${answered} of ${sent}, ${perS} pages/s`)
  console.log(
    `  latency    p50 ${ms(latencyUs, 50)}, p95 ${ms(latencyUs, 95)}, p99 ${ms(latencyUs, 99)}`,
  )
  console.log(`  attainment ${percent(inTime / sent)} within ${deadlineMs} ms`)
}

/** What each stage did between two looks at its statistics. @param {{ before: Stats, after: Stats }} run */
export function printStages({ before, after }) {
  const ran = (/** @type {Stage} */ name) => ({
    rows: after.stages[name].rows - before.stages[name].rows,
    batches: after.stages[name].batches - before.stages[name].batches,
    busyMs: after.stages[name].busyMs - before.stages[name].busyMs,
  })
  console.log(`  escalated  ${percent(ran('accurate').rows / ran('fast').rows)} of the digits`)
  console.log('\n  stage       replicas     rows   mean batch   ms a batch')
  for (const name of /** @type {Stage[]} */ (Object.keys(after.stages))) {
    const { rows, batches, busyMs } = ran(name)
    const columns = [
      name.padEnd(10),
      String(after.stages[name].replicas).padStart(10),
      String(rows).padStart(9),
      (rows / batches).toFixed(1).padStart(13),
      (busyMs / batches).toFixed(2).padStart(13),
    ]
    console.log(`  ${columns.join('')}`)
  }
}

/** @param {Outcome} outcome @param {{ overload: string, capacityPerS: number }} options */
export function printOverload(outcome, { overload, capacityPerS }) {
  const { sent, inTime, failed, latencyUs, failureUs, seconds } = outcome
  const goodputPerS = inTime / seconds
  console.log(`  overload: '${overload}'`)
  console.log(
    `    goodput    ${goodputPerS.toFixed(0)} pages/s, ${percent(goodputPerS / capacityPerS)} of the capacity`,
  )
  console.log(
    `    in time    ${inTime} of ${sent} answered within the deadline, p99 ${ms(latencyUs, 99)}`,
  )
  const reasons = Object.entries(failed).map(([code, count]) => `${count} ${code}`)
  console.log(`    rejected   ${reasons.join(', ') || 'none'}`)
  console.log(`    after      ${ms(failureUs, 50)} (median time to reject)`)
}
