import type { ProfilePoint } from './profile.ts'

/** Mean milliseconds of a batch of so many rows: linear between measured points, the nearest beyond either end. Pure. */
export function serviceTimeMs(points: readonly ProfilePoint[], rows: number): number {
  const right = points.findIndex(({ batch }) => batch >= rows)
  const above = points[right]
  if (above === undefined) return points.at(-1)?.meanMs ?? 0
  const below = points[right - 1]
  if (below === undefined) return above.meanMs
  const share = (rows - below.batch) / (above.batch - below.batch)
  return below.meanMs + (above.meanMs - below.meanMs) * share
}
