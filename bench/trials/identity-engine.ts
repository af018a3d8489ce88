/** The engine of both no-op trials: one stage that hands its row of 32 floats back, one replica. */
import { definePipeline, Engine, onnx } from '../../dist/index.js'
import { buildLoadModel } from '../models/index.ts'

export const row = Float32Array.from({ length: 32 }, (_, index) => index - 16)

export async function startIdentityEngine({ maxBatch }: { maxBatch: number }) {
  const identity = definePipeline({
    name: 'identity',
    stages: { identity: onnx(await buildLoadModel('identity'), { inputs: { x: 'request.x' } }) },
    outputs: { y: 'identity.y' },
  })
  return Engine.start(identity, { configuration: { identity: { replicas: 1, maxBatch } } })
}
