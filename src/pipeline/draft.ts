// A definition with the kinds of its values and its names checked; whether its references lead
// anywhere is for wiring.ts.
import { checkObject, checkRecord, describe } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { checkObjective, type Objective } from './objective.ts'
import type { DefaultValue, PipelineOutput } from './pipeline.ts'
import { checkCandidates, checkName, requestNode } from './reference.ts'
import { isStage, type Stage } from './stage.ts'

/** The most stages a pipeline may have: the native core keeps one bit of a word for each. */
export const maxStages = 64

/** A definition half checked. Maps, since a record would find `constructor` among its stages. */
export interface Draft {
  readonly name: string
  /** Begins every message about it. */
  readonly where: string
  readonly objective: Objective | undefined
  readonly stages: ReadonlyMap<string, Stage>
  readonly outputs: ReadonlyMap<string, PipelineOutput>
}

const code = 'MILLRACE_INVALID_PIPELINE'
const keys = ['name', 'objective', 'stages', 'outputs'] as const

export function readDraft(definition: unknown): Draft {
  const given = checkObject(definition, { name: 'definePipeline()', keys, code })
  const { name: givenName = 'pipeline' } = given
  const name = checkName(givenName, 'definePipeline(), name')
  const where = `pipeline "${name}"`
  return {
    name,
    where,
    objective: checkObjective(given.objective, `${where}, objective`),
    stages: readStages(given.stages, where),
    outputs: readOutputs(given.outputs, where),
  }
}

function readStages(value: unknown, where: string): ReadonlyMap<string, Stage> {
  const entries = Object.entries(checkRecord(value, { name: `${where}, stages`, code }))
  if (entries.length === 0) throw definitionError(`${where}, stages`, 'there are none; add one')
  if (entries.length > maxStages) {
    throw definitionError(
      `${where}, stages`,
      `expected at most ${maxStages}, got ${entries.length}; split it`,
    )
  }
  return new Map(entries.map(([name, stage]) => readStage(name, stage, where)))
}

function readStage(name: string, stage: unknown, where: string): [string, Stage] {
  checkName(name, `${where}, stages`)
  if (name === requestNode) {
    throw definitionError(
      where,
      `no stage may be called "${requestNode}", which names the request; rename it`,
    )
  }
  if (isStage(stage)) return [name, stage]
  const problem = `expected a stage, got ${describe(stage)}; make it with onnx(), js() or inline()`
  throw definitionError(`${where}, stage "${name}"`, problem)
}

function readOutputs(value: unknown, where: string): ReadonlyMap<string, PipelineOutput> {
  const entries = Object.entries(checkRecord(value, { name: `${where}, outputs`, code }))
  if (entries.length === 0) throw definitionError(`${where}, outputs`, 'there are none; add one')
  return new Map(entries.map(([name, output]) => readOutput(name, output, where)))
}

function readOutput(name: string, output: unknown, where: string): [string, PipelineOutput] {
  checkName(name, `${where}, outputs`)
  const here = `${where}, output "${name}"`
  if (typeof output === 'string' || Array.isArray(output)) {
    return [name, Object.freeze({ candidates: checkCandidates(output, here), default: undefined })]
  }
  const fix = "give a reference such as 'stage.output', a list of them, or { from, default }"
  const given = checkObject(output, { name: here, keys: ['from', 'default'], fix, code })
  const candidates = checkCandidates(given.from, `${here}, from`)
  return [
    name,
    Object.freeze({ candidates, default: readDefault(given.default, `${here}, default`) }),
  ]
}

function readDefault(value: unknown, where: string): DefaultValue {
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'string':
      return value
  }
  const problem = `expected a number, bigint, boolean or string, got ${describe(value)}`
  throw definitionError(where, `${problem}; give the value for rows for which no candidate runs`)
}
