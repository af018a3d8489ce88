// Where the references of a definition lead: each to a stage that exists, and none back to where it
// came from.
import { suggest } from '../check.ts'
import { definitionError } from './definition-error.ts'
import type { Draft } from './draft.ts'
import { topologicalOrder } from './order.ts'
import { parseReference, requestNode } from './reference.ts'
import type { Stage } from './stage.ts'

/** How the stages hang together. */
export interface Wiring {
  /** The stages so that each comes after all it depends on. */
  readonly order: readonly string[]
  /** In the order of first use. */
  readonly requestInputs: readonly string[]
}

/** The nodes that a stage takes values from, for its inputs and its condition. */
export function nodesBefore(stage: Stage): ReadonlySet<string> {
  const texts = Object.values(stage.inputs).flat()
  if (stage.when !== undefined) texts.push(stage.when.output)
  return new Set(texts.map((text) => parseReference(text).node))
}

/** Checks every reference of the draft and puts its stages in order. */
export function wire(draft: Draft): Wiring {
  for (const [name, stage] of draft.stages) checkStage(name, stage, draft)
  const requestInputs = collectRequestInputs(draft)
  for (const [name, { candidates }] of draft.outputs) {
    const where = `${draft.where}, output "${name}"`
    for (const text of candidates) {
      checkNode(text, where, draft)
      checkFeedsStage(text, where, requestInputs)
    }
  }
  return { order: sortStages(draft), requestInputs }
}

function checkStage(name: string, stage: Stage, draft: Draft): void {
  const where = `${draft.where}, stage "${name}"`
  for (const [input, candidates] of Object.entries(stage.inputs)) {
    for (const text of candidates) {
      checkNode(text, `${where}, input "${input}"`, draft)
      if (parseReference(text).node !== name) continue
      throw definitionError(
        `${where}, input "${input}"`,
        `'${text}' is its own output; take another value`,
      )
    }
  }
  if (stage.when === undefined) return
  checkNode(stage.when.output, `${where}, when`, draft)
  if (parseReference(stage.when.output).node !== name) return
  const problem = `'${stage.when.output}' is its own output, unknown before it runs`
  throw definitionError(`${where}, when`, `${problem}; ask another stage`)
}

function checkNode(text: string, where: string, draft: Draft): void {
  const { node } = parseReference(text)
  if (node === requestNode || draft.stages.has(node)) return
  const names = [...draft.stages.keys(), requestNode]
  throw definitionError(where, `there is no stage "${node}" for '${text}'; ${suggest(node, names)}`)
}

// An input that only an output repeats has no type: the models alone say what types the inputs
// have.
function checkFeedsStage(text: string, where: string, requestInputs: readonly string[]): void {
  const { node, value } = parseReference(text)
  if (node !== requestNode || requestInputs.includes(value)) return
  const problem = `'${text}' feeds no stage, so that its type is unknown`
  throw definitionError(where, `${problem}; ${suggest(value, requestInputs)}`)
}

function collectRequestInputs(draft: Draft): readonly string[] {
  const references = [...draft.stages.values()]
    .flatMap((stage) => Object.values(stage.inputs).flat())
    .map(parseReference)
    .filter(({ node }) => node === requestNode)
  return [...new Set(references.map(({ value }) => value))]
}

function sortStages(draft: Draft): readonly string[] {
  const dependencies = new Map<string, ReadonlySet<string>>()
  for (const [name, stage] of draft.stages) {
    dependencies.set(name, new Set([...nodesBefore(stage)].filter((node) => node !== requestNode)))
  }
  const ordering = topologicalOrder(dependencies)
  if ('order' in ordering) return ordering.order
  const problem = `stages wait for each other: ${ordering.cycle.join(' -> ')}`
  throw definitionError(draft.where, `${problem}; cut one of these edges`)
}
