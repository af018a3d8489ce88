// What was planned, and what came of it.

/** @param {readonly import('./main.js').Served[]} served */
export function printPlans(served) {
  const rows = served.flatMap(({ objectiveMs, plan, measured, problem }) => {
    if (plan === undefined || measured === undefined) {
      return [[`${objectiveMs} ms`, `not to be met: ${problem}`]]
    }
    const { estimate, costPerHour } = plan
    const configuration = Object.entries(plan.configuration).map(
      ([stage, { tier, maxBatch, replicas }]) => `${stage} ${replicas} x ${tier}, b${maxBatch}`,
    )
    return [
      [
        `${objectiveMs} ms`,
        `$${costPerHour.toFixed(4)}/h`,
        `${ms(estimate.p50Ms)} / ${ms(measured.p50Ms)}`,
        `${ms(estimate.p99Ms)} / ${ms(measured.p99Ms)}`,
        `${percent(estimate.attainment)} / ${percent(measured.attainment)}`,
        configuration.join('; '),
      ],
    ]
  })
  const header = ['objective', 'cost', 'p50', 'p99', 'attainment', 'configuration']
  const told = rows.filter(({ length }) => length === header.length)
  const widths = header.map((title, column) =>
    Math.max(title.length, ...told.map((row) => row[column]?.length ?? 0)),
  )
  console.log('\npredicted / measured')
  for (const row of [header, ...rows]) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`)
  }
  console.log()
}

/** @param {number} value */
function ms(value) {
  return `${value.toPrecision(3)} ms`
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(2)} %`
}
