import type { ProfilePoint } from '../profile/profile.ts'
import { exactExp, exactLog } from '../workload/exact-math.ts'
import { normalQuantile } from './normal-quantile.ts'

/** Quantiles are tabulated at shares 0, 1/100, ..., 1. */
const steps = 100
const shares = Array.from({ length: steps + 1 }, (_, at) => at / steps)
const p99Score = normalQuantile(0.99)
// Shares that stand for the least and the most there can be, where a distribution has no end.
const least = 0.0025
const most = 1 - 1e-5

/**
 * How service times vary around their mean, as quantiles over the mean at shares 0, 1/100, ..., 1, linear between them.
 * Empty: not at all.
 *
 * The spread of a stage is one for all batch sizes: that of its points up to `maxBatch`, on average. Of a point it is
 * what was measured; where only mean and p99 are known, the lognormal distribution that has both.
 */
export function spreadOf(points: readonly ProfilePoint[], maxBatch: number): readonly number[] {
  const used = points.filter(({ batch }) => batch <= maxBatch)
  const spreads = (used.length === 0 ? points.slice(0, 1) : used).map(spreadOfPoint)
  if (spreads.every((spread) => spread.every((quantile) => quantile === 1))) return []
  return shares.map((_, at) => {
    return spreads.reduce((sum, spread) => sum + (spread[at] ?? 1), 0) / spreads.length
  })
}

function spreadOfPoint({ meanMs, p99Ms, quantilesMs }: ProfilePoint): readonly number[] {
  if (!(meanMs > 0)) return shares.map(() => 1)
  if (quantilesMs !== undefined && quantilesMs.length > 1) {
    const relative = withMeanOne(quantilesMs.map((quantileMs) => quantileMs / meanMs))
    return shares.map((share) => interpolate(relative, share))
  }
  return lognormal(p99Ms / meanMs)
}

// With mean 1, log X has mean -s^2/2; that its 0.99 quantile is log(p99) gives s. No such distribution has a p99 beyond
// 15 times its mean.
function lognormal(p99: number): readonly number[] {
  if (!(p99 > 1)) return shares.map(() => 1)
  const sigma = p99Score - Math.sqrt(Math.max(0, p99Score * p99Score - 2 * exactLog(p99)))
  return withMeanOne(
    shares.map((share) => {
      const score = normalQuantile(Math.min(Math.max(share, least), most))
      return exactExp(sigma * score - (sigma * sigma) / 2)
    }),
  )
}

/**
 * Straight lines between quantiles have another mean than what was measured, by far the most in the last step, which
 * may end in a single outlier: so its end is moved, and only what is then still missing is shared by all.
 */
function withMeanOne(quantiles: readonly number[]): readonly number[] {
  const end = quantiles.length - 1
  const [first = 1, last = 1] = [quantiles[0], quantiles[end]]
  const body = quantiles.slice(1, end).reduce((sum, quantile) => sum + quantile, first / 2)
  const moved = Math.min(Math.max(2 * (end - body), quantiles[end - 1] ?? 1), last)
  const mean = (body + moved / 2) / end
  return [...quantiles.slice(0, end), moved].map((quantile) => quantile / mean)
}

function interpolate(quantiles: readonly number[], share: number): number {
  const place = share * (quantiles.length - 1)
  const left = quantiles[Math.floor(place)] ?? 0
  const right = quantiles[Math.ceil(place)] ?? left
  return left + (right - left) * (place - Math.floor(place))
}
