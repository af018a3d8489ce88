// Which stages run for every row, and which run for nothing.
import { definitionError } from './definition-error.ts'
import type { Draft } from './draft.ts'
import { parseReference, requestNode } from './reference.ts'
import { nodesBefore } from './wiring.ts'

/**
 * Checks that every output has a value whatever the conditions decide, that every candidate can be
 * taken and that every stage is of use. `order` must hold the stages topologically.
 */
export function checkReach(draft: Draft, order: readonly string[]): void {
  const certain = certainNodes(draft, order)
  for (const [name, stage] of draft.stages) {
    for (const [input, candidates] of Object.entries(stage.inputs)) {
      checkAllUsable(candidates, certain, `${draft.where}, stage "${name}", input "${input}"`)
    }
  }
  for (const [name, output] of draft.outputs) {
    const where = `${draft.where}, output "${name}"`
    checkAllUsable(output.candidates, certain, where)
    if (output.default !== undefined || output.candidates.some((text) => isCertain(text, certain)))
      continue
    const problem = `it may be that none of ${output.candidates.join(', ')} runs for a row`
    throw definitionError(
      where,
      `${problem}; add a candidate that always runs, or write { from, default }`,
    )
  }
  checkAllNeeded(draft, order)
}

// A stage is certain when it has no condition and each of its inputs has a certain candidate.
function certainNodes(draft: Draft, order: readonly string[]): ReadonlySet<string> {
  const certain = new Set([requestNode])
  for (const name of order) {
    const stage = draft.stages.get(name)
    if (stage === undefined || stage.when !== undefined) continue
    const inputs = Object.values(stage.inputs)
    if (inputs.every((candidates) => candidates.some((text) => isCertain(text, certain))))
      certain.add(name)
  }
  return certain
}

function isCertain(text: string, certain: ReadonlySet<string>): boolean {
  return certain.has(parseReference(text).node)
}

function checkAllUsable(
  candidates: readonly string[],
  certain: ReadonlySet<string>,
  where: string,
): void {
  const index = candidates.findIndex((text) => isCertain(text, certain))
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
