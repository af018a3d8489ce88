import { describe } from '../check.ts'
import type { Condition, ConditionTest } from './condition.ts'
import { definitionError } from './definition-error.ts'
import { elementAt } from './element.ts'
import { type InlineStage, inline } from './inline.ts'
import type { Stage } from './stage.ts'
import { sealStage } from './stage-options.ts'
import type { Tensor } from './tensor.ts'

/** Ends the names of the stages that decide conditions; no name of a user's has a colon. */
const suffix = ':when'

/**
 * Gives each condition that is a function a stage of its own, right before the stage that asks it: the core evaluates
 * bounds alone. What else the stages hold stays as it is, and so does their order.
 */
export function splitConditions(
  stages: ReadonlyMap<string, Stage>,
  { mostStages, where }: { mostStages: number; where: string },
): ReadonlyMap<string, Stage> {
  const split = [...stages].flatMap(([name, stage]) => splitStage(name, stage))
  if (split.length <= mostStages) return new Map(split)
  const found = `got ${split.length} with those that decide a condition with a test`
  throw definitionError(`${where}, stages`, `expected at most ${mostStages}, ${found}; split it`)
}

/** The names of the stages that {@link splitConditions} makes of one. */
export function splitNames(name: string, stages: ReadonlyMap<string, Stage>): readonly string[] {
  return stages.get(name)?.when?.test === undefined ? [name] : [`${name}${suffix}`, name]
}

function splitStage(name: string, stage: Stage): readonly (readonly [string, Stage])[] {
  const { when } = stage
  if (when?.test === undefined) return [[name, stage]]
  const asked: Condition = Object.freeze({ output: `${name}${suffix}.holds`, equals: true })
  return [
    [`${name}${suffix}`, decider(name, when.output, when.test)],
    [name, sealStage({ ...stage, when: asked })],
  ]
}

function decider(name: string, output: string, test: ConditionTest): InlineStage {
  const when = ({ value }: { readonly value: Tensor }) => ({ holds: decide(name, test, value) })
  return inline(when, {
    inputs: { value: output },
    outputs: { holds: { type: 'bool', dims: [] } },
    batched: false,
    concurrency: 1,
  })
}

function decide(name: string, test: ConditionTest, value: Tensor): boolean {
  const given = value.data.length === 1 ? elementAt(value, 0) : value
  const holds: unknown = test(given)
  if (typeof holds === 'boolean') return holds
  throw new TypeError(
    `the test of stage "${name}" must return true or false at once, but returned ${describe(holds)}`,
  )
}
