// A pipeline taken apart so that another one can be put together of its stages: without caches, and with names that
// `definePipeline` takes.
import type { Pipeline } from '../pipeline/pipeline.ts'
import { parseReference } from '../pipeline/reference.ts'
import type { Stage } from '../pipeline/stage.ts'
import { sealStage } from '../pipeline/stage-options.ts'

export interface PlainStages {
  readonly stages: Readonly<Record<string, Stage>>
  readonly outputs: Readonly<Record<string, unknown>>
  /** Begins no name of a stage or of an output, so that names that begin with it are free. */
  readonly prefix: string
  /** The name a stage has here, and the other way round. */
  nameHere(original: string): string
  nameThere(here: string): string
}

/**
 * The stages of a pipeline. A condition that is a function has become a stage called `STAGE:when`, which is no name for a
 * definition: it gets another one, and so does the one reference there is to it.
 */
export function plainStages(pipeline: Pipeline): PlainStages {
  const names = Object.keys(pipeline.stages)
  const taken = [...names, ...Object.keys(pipeline.outputs)]
  let prefix = 'tap'
  while (taken.some((name) => name.startsWith(prefix))) prefix += '_'
  const here = new Map(
    names.map((name, at) => [name, name.includes(':') ? `${prefix}-when-${at}` : name]),
  )
  const there = new Map([...here].map(([original, renamed]) => [renamed, original]))
  const nameHere = (original: string): string => here.get(original) ?? original
  const stages = Object.entries<Stage>(pipeline.stages).map(([name, stage]) => {
    return [nameHere(name), plain(stage, nameHere)] as const
  })
  const outputs = Object.entries(pipeline.outputs).map(([name, output]) => {
    const { candidates: from, default: fill } = output
    return [name, fill === undefined ? from : { from, default: fill }] as const
  })
  return {
    stages: Object.fromEntries(stages),
    outputs: Object.fromEntries(outputs),
    prefix,
    nameHere,
    nameThere: (renamed) => there.get(renamed) ?? renamed,
  }
}

function plain(stage: Stage, nameHere: (original: string) => string): Stage {
  const { when } = stage
  if (when === undefined) return sealStage({ ...stage, cache: undefined })
  const { node, value } = parseReference(when.output)
  const output = `${nameHere(node)}.${value}`
  return sealStage({ ...stage, cache: undefined, when: Object.freeze({ ...when, output }) })
}
