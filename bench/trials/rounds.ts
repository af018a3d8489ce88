/**
 * Alternating rounds, since the machine's speed drifts: whatever is compared runs once a round, in an
 * order that turns with every round, and medians are compared.
 */

export type RoundsOptions = {
  rounds: number
  /** Said on standard error after each round. */
  label: string
}

/** Every side's figures, in the order of the rounds. */
export async function alternate<Side extends string>(
  sides: Record<Side, () => Promise<number>>,
  { rounds, label }: RoundsOptions,
): Promise<Record<Side, number[]>> {
  const names = Object.keys(sides) as Side[]
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Side,
    number[]
  >
  for (let round = 0; round < rounds; round++) {
    const turned = names.map((_, index) => names[(index + round) % names.length] as Side)
    for (const name of turned) figures[name].push(await sides[name]())
    const latest = names.map((name) => `${name} ${rounded(figures[name].at(-1) ?? Number.NaN)}`)
    console.error(`  ${label}, round ${round + 1} of ${rounds}: ${latest.join(', ')}`)
  }
  return figures
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [below, above] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return ((below ?? Number.NaN) + (above ?? Number.NaN)) / 2
}

/** To four digits, for people. */
export function rounded(figure: number): number {
  return Number(figure.toPrecision(4))
}
