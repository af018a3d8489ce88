// Which stages run for every row (or, inside a fan-out, for every item there is), and which run for nothing.
import { definitionError } from './definition-error.ts'
import type { Draft } from './draft.ts'
import type { Levels } from './levels.ts'
import type { PipelineOutput } from './pipeline.ts'
import { parseReference, requestNode } from './reference.ts'
import { nodesBefore } from './wiring.ts'

/**
 * Checks that every output has a value whatever the conditions decide, that every candidate can be
 * taken and that every stage is of use. `order` must hold the stages topologically.
 */
export function checkReach(
  draft: Draft,
  { order, levels }: { order: readonly string[]; levels: Levels },
): void {
  const certain = certainValues(draft, order)
  for (const [name, stage] of draft.stages) {
    for (const [input, candidates] of Object.entries(stage.inputs)) {
      const where = `${draft.where}, stage "${name}", input "${input}"`
      checkAllUsable(candidates, certain, where)
      if (levels.isGathered(stage, candidates)) checkComplete(candidates, certain, where)
    }
  }
  for (const [name, output] of draft.outputs) {
    const where = `${draft.where}, output "${name}"`
    checkAllUsable(output.candidates, certain, where)
    if (output.default !== undefined || output.candidates.some(certain)) continue
    const problem = `it may be that none of ${output.candidates.join(', ')} runs for ${nounOf(output, levels)}`
    throw definitionError(
      where,
      `${problem}; add a candidate that always runs, or write { from, default }`,
    )
  }
  checkAllNeeded(draft, order)
}

type Certain = (text: string) => boolean

// A stage is certain when it has no condition and each of its inputs has a certain candidate; one that gathers, also
// when the fan-out stage is: it runs for no items, too. An item is there because its fan-out stage ran, so that the
// outputs of that are certain for it.
function certainValues(draft: Draft, order: readonly string[]): Certain {
  const nodes = new Set([requestNode])
  const certain = (text: string): boolean => {
    const { node } = parseReference(text)
    return nodes.has(node) || draft.stages.get(node)?.fanOut === true
  }
  for (const name of order) {
    const stage = draft.stages.get(name)
    if (stage === undefined || stage.when !== undefined) continue
    if (stage.gather !== undefined && !nodes.has(stage.gather)) continue
    if (Object.values(stage.inputs).every((candidates) => candidates.some(certain))) nodes.add(name)
  }
  return certain
}

function checkComplete(candidates: readonly string[], certain: Certain, where: string): void {
  if (candidates.some(certain)) return
  const problem = `it gathers all items, but it may be that none of ${candidates.join(', ')} runs for one`
  throw definitionError(where, `${problem}; add a candidate that runs for every item`)
}

function nounOf({ candidates }: PipelineOutput, levels: Levels): string {
  return candidates.some((text) => levels.ofValue(text).length > 0) ? 'an item' : 'a row'
}

function checkAllUsable(candidates: readonly string[], certain: Certain, where: string): void {
  const index = candidates.findIndex(certain)
  const hidden = candidates[index + 1]
  if (index === -1 || hidden === undefined) return
  const problem = `'${hidden}' is never taken: '${candidates[index]}' before it always is`
  throw definitionError(where, `${problem}; put the one that always runs last`)
}

function checkAllNeeded(draft: Draft, order: readonly string[]): void {
  const outputs = [...draft.outputs.values()].flatMap((output) => output.candidates)
  const needed = new Set(outputs.map((text) => parseReference(text).node))
  for (const name of order.toReversed()) {
    const stage = draft.stages.get(name)
    if (stage === undefined || !needed.has(name)) continue
    for (const node of nodesBefore(stage)) needed.add(node)
  }
  const idle = [...draft.stages.keys()].filter((name) => !needed.has(name))
  if (idle.length === 0) return
  const problem = `no output needs ${idle.map((name) => `"${name}"`).join(', ')}`
  throw definitionError(
    `${draft.where}, stages`,
    `${problem}; use or remove ${idle.length === 1 ? 'it' : 'them'}`,
  )
}
