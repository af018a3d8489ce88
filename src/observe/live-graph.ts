import type { Pipeline } from '../pipeline/pipeline.ts'
import { parseReference, requestNode } from '../pipeline/reference.ts'
import type { Stage } from '../pipeline/stage.ts'
import type { LiveEdge, LiveGraph, LiveNode } from './live-snapshot.ts'

const resultNode = 'result'

/** A pipeline as it is drawn: its stages by level, and one edge for each two that hang together. Pure. */
export function liveGraph(pipeline: Pipeline): LiveGraph {
  const levels = new Map<string, number>([[requestNode, 0]])
  const stages = pipeline.order.map((name): LiveNode => {
    const stage = pipeline.stages[name] as Stage // every name of `order` is one
    const level = 1 + Math.max(...sourcesOf(stage).map((source) => levels.get(source) ?? 0), 0)
    levels.set(name, level)
    return { name, kind: stage.kind, level, fanOut: stage.fanOut }
  })
  const into = pipeline.order.flatMap((name) => edgesInto(name, pipeline.stages[name] as Stage))
  return { stages, edges: [...into, ...edgesOut(pipeline)] }
}

function edgesInto(name: string, stage: Stage): readonly LiveEdge[] {
  const decider = stage.when && parseReference(stage.when.output).node
  const sources = sourcesOf(stage)
  // What a stage reads when it has no inputs of its own is the request.
  return (sources.length === 0 ? [requestNode] : sources).map((from) => ({
    from,
    to: name,
    condition: from === decider ? conditionText(stage) : undefined,
  }))
}

function edgesOut(pipeline: Pipeline): readonly LiveEdge[] {
  const outputs = Object.values(pipeline.outputs).flatMap(({ candidates }) => candidates)
  const sources = new Set(outputs.map((text) => parseReference(text).node))
  return [...sources].map((from) => ({ from, to: resultNode, condition: undefined }))
}

/** What a stage reads from, its condition included: each once. */
function sourcesOf({ inputs, when }: Stage): readonly string[] {
  const read = Object.values(inputs).flat()
  const all = when === undefined ? read : [...read, when.output]
  return [...new Set(all.map((text) => parseReference(text).node))]
}

/** `confidence below 0.8`: what must hold for a row. */
function conditionText({ when }: Stage): string | undefined {
  if (when === undefined) return undefined
  const { below, above, equals } = when
  const bounds = [
    above === undefined ? '' : `above ${above}`,
    below === undefined ? '' : `below ${below}`,
    equals === undefined ? '' : `= ${typeof equals === 'string' ? `"${equals}"` : equals}`,
  ].filter((bound) => bound !== '')
  return `${parseReference(when.output).value} ${bounds.join(' and ')}`.trimEnd()
}
