/**
 * Completions a second, from the moments at which they happened (ascending, in milliseconds): the slope
 * of their count over time by least squares. A plain count over a window is off by up to a batch at
 * either end, which for batches of a tenth of a second is more than what is to be told apart.
 */
export function steadyRatePerS(endedMs: ArrayLike<number>): number {
  const count = endedMs.length
  if (count < 10) throw new Error(`${count} completions are too few to tell a rate from`)
  const meanMs = mean(endedMs)
  const meanIndex = (count - 1) / 2
  let covariance = 0
  let variance = 0
  for (let index = 0; index < count; index++) {
    const ms = (endedMs[index] as number) - meanMs
    covariance += ms * (index - meanIndex)
    variance += ms * ms
  }
  return (covariance / variance) * 1000
}

function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index] as number
  return sum / values.length
}
