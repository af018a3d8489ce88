import { exactLog } from '../workload/exact-math.ts'

// P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function": a rational function in
// the middle and one in each tail, with a relative error below 1.15e-9.
const middle = {
  over: [
    -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2,
    -3.066479806614716e1, 2.506628277459239,
  ],
  under: [
    -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1,
    -1.328068155288572e1, 1,
  ],
}
const tail = {
  over: [
    -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734,
    4.374664141464968, 2.938163982698783,
  ],
  under: [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1],
}
const tailShare = 0.02425

/** The value that a standard normal variable stays below with this probability, between 0 and 1. */
export function normalQuantile(share: number): number {
  if (share > 1 - tailShare) return -normalQuantile(1 - share)
  if (share < tailShare) {
    const root = Math.sqrt(-2 * exactLog(share))
    return polynomial(tail.over, root) / polynomial(tail.under, root)
  }
  const offset = share - 0.5
  const square = offset * offset
  return (polynomial(middle.over, square) * offset) / polynomial(middle.under, square)
}

/** From the highest power down. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0)
}
