import type { BoundedOption } from './bounds.ts'
import { type Box, cornerOf, halves, isSingle, sizeOf, tightened, wholeBox } from './boxes.ts'
import { priceGrain } from './choice.ts'
import { type Layout, leastPrice, volume } from './layout.ts'
import type { Incumbent, Search } from './search.ts'

interface LayoutSearch {
  readonly layout: Layout
  readonly incumbent: Incumbent
  /** End with the first plan that will do, instead of the cheapest, and without one where it is hard to find. Default false. */
  readonly anyWillDo?: boolean | undefined
}

// Rounds of a search for any plan: enough to find one that is not at the very edge of what can be met.
const mostRoundsForAny = 40

/**
 * Offers the incumbent whatever of the layout is cheaper and meets the objective, until nothing is left that could be. By
 * branch and bound over boxes of replicas, cheapest first: where even the most replicas of a box are clearly too late, all
 * of it is; else the box is split.
 */
export async function searchLayout(search: Search, options: LayoutSearch): Promise<void> {
  const { incumbent, anyWillDo = false } = options
  const queue = new BoxQueue(openBoxes(search, options))
  const met: (readonly number[])[] = []
  for (let rounds = 0; ; rounds++) {
    if (anyWillDo && (incumbent.candidate !== undefined || rounds === mostRoundsForAny)) return
    const round = nextRound(search, { ...options, queue, met })
    if (round.length === 0) return
    const counts = await lateAtCorners(search, round)
    for (const [index, box] of round.entries()) settle(search, { box, late: counts[index] ?? 0 })
  }

  function settle({ judge, ruledOut }: Search, { box, late }: { box: Box; late: number }): void {
    if (late <= judge.allowed) {
      if (!met.some((known) => covers(box.high, known))) met.push(box.high)
      if (isSingle(box)) incumbent.offer(cornerOf(box))
      else queue.add(halves(box))
    } else if (isSingle(box)) ruledOut.add('simulated', 1)
    else if (late > judge.clearlyLate) ruledOut.add('together', sizeOf(box))
    else queue.add(halves(box))
  }
}

interface RoundOptions extends LayoutSearch {
  readonly queue: BoxQueue
  /** Replicas that met the objective, with some option or other of this layout. */
  readonly met: readonly (readonly number[])[]
}

// Enough for all cores, few enough that a plan found soon spares simulations.
const roundSize = 8

// Where so many replicas met the objective before, they are expected to with these options too: a simulation would only
// say, at length, that the box has to be split.
function nextRound(
  search: Search,
  { layout, incumbent, queue, met }: RoundOptions,
): readonly Box[] {
  const round: Box[] = []
  for (;;) {
    const next = round.length < roundSize ? queue.take() : undefined
    if (next === undefined) return round
    const box = tightened(search, { box: next, layout, ceiling: incumbent.costPerHour })
    if (box === undefined) continue
    const expected = !isSingle(box) && met.some((known) => covers(box.high, known))
    if (expected) queue.add(halves(box))
    else round.push(box)
  }
}

async function lateAtCorners({ judge }: Search, round: readonly Box[]): Promise<readonly number[]> {
  const lateOf = async (single: boolean): Promise<ReadonlyMap<Box, number>> => {
    const boxes = round.filter((box) => isSingle(box) === single)
    const enough = single ? judge.surelyLate : judge.clearlyLate
    const counts = await judge.late(boxes.map(cornerOf), { enough, relaxed: true })
    return new Map(boxes.map((box, index) => [box, counts[index] as number]))
  }
  const [singles, others] = await Promise.all([lateOf(true), lateOf(false)])
  // Of single candidates, what is not surely late is to be known exactly.
  const close = [...singles].flatMap(([box, late]) => (late > judge.surelyLate ? [] : [box]))
  const exact = await judge.late(close.map(cornerOf))
  return round.map((box) => exact[close.indexOf(box)] ?? singles.get(box) ?? others.get(box) ?? 0)
}

// Every combination of options that may be cheap enough.
function openBoxes(search: Search, { layout, incumbent }: LayoutSearch): readonly Box[] {
  const { space, ruledOut } = search
  const combinations = cheaperThan(layout.options, incumbent.costPerHour - priceGrain)
  const boxes = combinations.map((options) => wholeBox(options, space.limits.maxReplicas))
  const open = boxes.reduce((sum, box) => sum + sizeOf(box), 0)
  ruledOut.add('dearer', volume(layout, space) - open)
  return boxes
}

function cheaperThan(
  columns: Layout['options'],
  ceiling: number,
): readonly (readonly BoundedOption[])[] {
  const rest = columns.map((_, stage) =>
    columns.slice(stage + 1).reduce((sum, column) => sum + leastPrice(column), 0),
  )
  let partial: { options: readonly BoundedOption[]; cost: number }[] = [{ options: [], cost: 0 }]
  for (const [stage, column] of columns.entries()) {
    partial = partial.flatMap(({ options, cost }) =>
      column
        .map((each) => ({
          options: [...options, each],
          cost: cost + each.least * each.option.pricePerHour,
        }))
        .filter((grown) => grown.cost + (rest[stage] ?? 0) < ceiling),
    )
  }
  return partial.map(({ options }) => options)
}

function covers(larger: readonly number[], smaller: readonly number[]): boolean {
  return smaller.every((replicas, stage) => replicas <= (larger[stage] ?? 0))
}

/** Boxes, cheapest first; of equals the earliest. */
class BoxQueue {
  #boxes: Box[]
  #added: Box[] = []

  constructor(boxes: readonly Box[]) {
    this.#boxes = inOrder(boxes)
  }

  add(boxes: readonly Box[]): void {
    this.#added.push(...boxes)
  }

  take(): Box | undefined {
    if (this.#added.length > 0) {
      this.#boxes = inOrder([...this.#boxes, ...this.#added])
      this.#added = []
    }
    return this.#boxes.pop()
  }
}

// From the back, so that taking one moves none.
function inOrder(boxes: readonly Box[]): Box[] {
  return boxes
    .map((box, index) => ({ box, index }))
    .sort((a, b) => b.box.costPerHour - a.box.costPerHour || b.index - a.index)
    .map(({ box }) => box)
}
