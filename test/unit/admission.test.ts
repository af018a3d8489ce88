import { describe, expect, it } from 'vitest'
import { defaultPendingRows } from '../../src/engine/admission.ts'
import type { BoundPipeline } from '../../src/pipeline/bound-pipeline.ts'
import type { TensorSpec } from '../../src/pipeline/tensor-spec.ts'
import { plainStage } from './plain-stage.ts'

function rowsFor(...stages: readonly (readonly number[])[]): number {
  const bound: BoundPipeline = {
    batched: true,
    inputs: [],
    outputs: [],
    stages: stages.map((dims, index) => ({
      name: `stage-${index}`,
      ...plainStage,
      batched: true,
      inputs: [],
      inputSpecs: [{ name: 'x', type: 'float32', dims, symbols: [] } satisfies TensorSpec],
      outputs: [],
      condition: undefined,
    })),
  }
  return defaultPendingRows(bound)
}

describe('the rows a pipeline admits by default', () => {
  it('fit 64 MiB of the hungriest stage', () => {
    expect(rowsFor([-1, 1 << 16])).toBe(256)
    expect(rowsFor([-1, 4], [-1, 1 << 16], [-1, 8])).toBe(256)
  })

  it('are 64 at least and 4096 at most', () => {
    expect(rowsFor([-1, 3, 4096, 4096])).toBe(64)
    expect(rowsFor([-1, 64])).toBe(4096)
    expect(rowsFor([-1])).toBe(4096)
    expect(rowsFor()).toBe(4096)
  })

  it('do not count what has an open shape', () => {
    expect(rowsFor([-1, -1, 1 << 20])).toBe(4096)
  })
})
