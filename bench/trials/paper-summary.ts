/** By pipeline and burstiness: how much dearer other strategies are than optimal, and what each attains. */
import { type PaperRow, strategies } from './paper-point.ts'
import { rounded } from './rounds.ts'

export function summarizePoints(points: readonly PaperRow[]) {
  const groups = new Map<string, PaperRow[]>()
  for (const row of points) {
    const key = `${row.pipeline} ${row.cv2}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].map((rows) => ({
    pipeline: rows[0]?.pipeline,
    cv2: rows[0]?.cv2,
    points: rows.length,
    /** Mean over the points where both have a plan; null where there is none. */
    costOverOptimal: byStrategy((name) =>
      mean(
        rows.map(({ strategies: { [name]: other, optimal } }) =>
          optimal.costPerHour === undefined
            ? undefined
            : (other.costPerHour ?? Number.NaN) / optimal.costPerHour,
        ),
      ),
    ),
    /** Mean over the points where it has a plan, on the fresh trace. */
    attainment: byStrategy((name) => mean(rows.map((row) => row.strategies[name].attainment))),
    plans: byStrategy(
      (name) => rows.filter((row) => row.strategies[name].costPerHour !== undefined).length,
    ),
  }))
}

function byStrategy<Value>(figureOf: (name: (typeof strategies)[number]) => Value) {
  return Object.fromEntries(strategies.map((name) => [name, figureOf(name)]))
}

/** Of the finite ones; null for none. */
function mean(figures: readonly (number | undefined)[]): number | null {
  const finite = figures.filter((figure) => figure !== undefined && Number.isFinite(figure))
  if (finite.length === 0) return null
  return rounded(finite.reduce<number>((sum, figure) => sum + (figure ?? 0), 0) / finite.length)
}
