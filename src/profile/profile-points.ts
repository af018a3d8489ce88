// What a schema cannot say of a profile's measurements: how each has to compare with the one before it.
import type { JsonProblem } from '../json/json-problem.ts'
import type { ProfilePoint } from './profile.ts'

// Means that were divided and multiplied again may differ in their last digits.
const rounding = 1 + 1e-9

/** Of one tier; `path` leads to the points. */
export function* pointProblems(
  points: readonly ProfilePoint[],
  path: readonly string[],
): Iterable<JsonProblem> {
  for (const [at, point] of points.entries()) {
    const problem = at === 0 ? firstProblem(point) : stepProblem(points[at - 1] ?? point, point)
    if (problem !== undefined) yield { ...problem, path: [...path, at, ...problem.path] }
    const falls = fallsAt(point.quantilesMs ?? [])
    if (falls === undefined) continue
    const [before, after] = (point.quantilesMs ?? []).slice(falls - 1)
    yield {
      path: [...path, at, 'quantilesMs', falls],
      problem: `expected at least ${before}, which comes before it, got ${after}`,
    }
  }
}

function firstProblem({ batch }: ProfilePoint): JsonProblem | undefined {
  if (batch === 1) return undefined
  return { path: ['batch'], problem: `expected 1 for the first point, got ${batch}` }
}

function stepProblem(before: ProfilePoint, after: ProfilePoint): JsonProblem | undefined {
  if (after.batch <= before.batch) {
    const problem = `expected more than ${before.batch}, the batch of the point before it, got ${after.batch}`
    return { path: ['batch'], problem }
  }
  if (after.meanMs * rounding < before.meanMs) {
    const problem = `expected at least ${before.meanMs}, the mean at batch ${before.batch}, got ${after.meanMs} at batch ${after.batch}`
    return { path: ['meanMs'], problem, fix: 'leave one of the two points out, or measure longer' }
  }
  const most = (before.meanMs / before.batch) * after.batch
  if (after.meanMs <= most * rounding) return undefined
  const problem = `expected at most ${Number(most.toPrecision(6))}, ${after.batch / before.batch} times the mean at batch ${before.batch}, got ${after.meanMs}: a row takes longer at batch ${after.batch}`
  return { path: ['meanMs'], problem, fix: 'leave the larger batch out: it is of no use' }
}

function fallsAt(values: readonly number[]): number | undefined {
  const at = values.findIndex((value, index) => index > 0 && value < (values[index - 1] ?? value))
  return at < 0 ? undefined : at
}

/** More threads, or replicas, each time, from one on, and never faster. */
export function* contentionProblems(
  points: readonly { readonly busy: number; readonly slowdown: number }[],
  place: { readonly path: readonly string[]; readonly key: 'busyThreads' | 'busyReplicas' },
): Iterable<JsonProblem> {
  const { key } = place
  for (const [at, { busy, slowdown }] of points.entries()) {
    const path = [...place.path, at]
    const before = points[at - 1]
    if (before === undefined) {
      if (busy === 1) continue
      const problem = `expected 1 for the first entry, got ${busy}`
      yield { path: [...path, key], problem }
    } else if (busy <= before.busy) {
      const problem = `expected more than ${before.busy}, those before it, got ${busy}`
      yield { path: [...path, key], problem }
    } else if (slowdown < before.slowdown) {
      const problem = `expected at least ${before.slowdown}, that of fewer ${key === 'busyThreads' ? 'threads' : 'replicas'}, got ${slowdown}`
      yield { path: [...path, 'slowdown'], problem }
    }
  }
}
