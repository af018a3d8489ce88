import type { BoundPipeline } from '../pipeline/bound-pipeline.ts'
import { elementFormats } from '../pipeline/tensor.ts'
import type { TensorSpec } from '../pipeline/tensor-spec.ts'

const mostRows = 4096
const leastRows = 64
const budgetBytes = 64 << 20

/**
 * Rows that a pipeline admits at once by default: as many inputs of its hungriest stage as fit 64 MiB, from 64 to 4096.
 */
export function defaultPendingRows(bound: BoundPipeline): number {
  const rowBytes = bound.stages.map((stage) =>
    stage.inputSpecs.reduce((sum, spec) => sum + bytesOfRow(spec, stage.batched), 0),
  )
  const rows = Math.floor(budgetBytes / Math.max(1, ...rowBytes))
  return Math.min(mostRows, Math.max(leastRows, rows))
}

// Of what is fixed; a row of open shape takes only what it needs, when it comes.
function bytesOfRow(spec: TensorSpec, batched: boolean): number {
  const dims = batched ? spec.dims.slice(1) : spec.dims
  if (dims.includes(-1)) return 0
  return dims.reduce((product, dim) => product * dim, elementFormats[spec.type].bytes)
}
