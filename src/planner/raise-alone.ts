import type { BoundedOption } from './bounds.ts'
import { type Layout, mostReplicas } from './layout.ts'
import type { Search } from './search.ts'

/** An option whose least number of replicas is being looked for. */
interface Probe {
  readonly stage: number
  readonly index: number
  /** Fewer are too few. */
  least: number
  /** So many are not clearly too few; unknown at first. */
  most: number | undefined
  step: number
}

/**
 * Raises the least replicas of each option by simulations of its stage with all others ideal, and drops options that would
 * make the whole as dear as the ceiling. Relies on this: a stage that is clearly too late alone is so in the pipeline.
 */
export async function raiseAlone(
  search: Search,
  { layout, ceiling }: { readonly layout: Layout; readonly ceiling: number },
): Promise<Layout> {
  let current = affordable(search, { layout, ceiling })
  let probes: Probe[] = current.options.flatMap((options, stage) =>
    options.map(({ least }, index) => ({ stage, index, least, most: undefined, step: 1 })),
  )
  const options = current.options.map((each) => [...each])
  while (probes.length > 0) {
    const asked = probes.flatMap((probe) => {
      const replicas = nextReplicas(search, { probe, layout: current, ceiling })
      return replicas === undefined ? [] : [{ probe, replicas }]
    })
    await ask(search, { layout: current, asked })
    for (const { stage, index, least } of probes) {
      const column = options[stage] as BoundedOption[]
      column[index] = { ...(column[index] as BoundedOption), least }
    }
    current = { ...layout, options }
    probes = asked
      .map(({ probe }) => probe)
      .filter(({ least, most }) => most === undefined || least < most)
  }
  return affordable(search, { layout: current, ceiling })
}

type Asked = readonly { readonly probe: Probe; readonly replicas: number }[]

// Undefined where the least is too dear already.
function nextReplicas(
  { space }: Search,
  { probe, layout, ceiling }: { probe: Probe; layout: Layout; ceiling: number },
): number | undefined {
  const { stage, index, least, most, step } = probe
  const option = layout.options[stage]?.[index] as BoundedOption
  const affordable = mostReplicas(layout, { stage, option, ceiling, space })
  if (least > affordable) return undefined
  const highest = most === undefined ? affordable : Math.min(affordable, most - 1)
  return Math.max(least, Math.min(least + step - 1, highest))
}

async function ask(
  { judge }: Search,
  { layout, asked }: { layout: Layout; asked: Asked },
): Promise<void> {
  const byStage = layout.options.map((_, stage) =>
    asked.filter(({ probe }) => probe.stage === stage),
  )
  await Promise.all(
    byStage.map(async (mine, stage) => {
      const choices = mine.map(({ probe, replicas }) => {
        const bounded = layout.options[stage]?.[probe.index] as BoundedOption
        return { option: bounded.option, replicas }
      })
      const windowMs = layout.windows[stage] as number
      const query = { stage, choices, windowMs, layout: layout.placements }
      const tooLate = await judge.tooLateAlone(query)
      for (const [index, { probe, replicas }] of mine.entries()) {
        learn(probe, { replicas, tooLate: tooLate[index] === true })
      }
    }),
  )
}

function learn(probe: Probe, { replicas, tooLate }: { replicas: number; tooLate: boolean }): void {
  if (tooLate) probe.least = replicas + 1
  else probe.most = replicas
  const { least, most, step } = probe
  probe.step = most === undefined ? step * 2 : Math.max(1, Math.floor((most - least) / 2))
}

function affordable(
  { space }: Search,
  { layout, ceiling }: { layout: Layout; ceiling: number },
): Layout {
  const options = layout.options.map((each, stage) =>
    each.filter(
      (option) => option.least <= mostReplicas(layout, { stage, option, ceiling, space }),
    ),
  )
  return { ...layout, options }
}
