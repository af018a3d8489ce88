import { Engine } from '../engine/engine.ts'
import { definePipeline } from '../pipeline/define-pipeline.ts'
import { onnx } from '../pipeline/onnx.ts'

/** One operator, Identity, on rows of one float: `x` to `y`. */
const identityModel =
  'CAgSDm1pbGxyYWNlLWJlbmNoOlAKEAoBeBIBeSIISWRlbnRpdHkSCGlkZW50aXR5WhgKAXgSEwoRCAESDQoHEgViYXRjaAoCCAFiGAoBeRITChEIARIN' +
  'CgcSBWJhdGNoCgIIAUICEBE='

/**
 * Serves one request with everything that a request needs: addon, ONNX Runtime, model, engine.
 *
 * @returns How long it took, in milliseconds, libraries loaded on the way.
 * @throws whatever went wrong on the way.
 */
export async function firstInference(): Promise<number> {
  const beganMs = performance.now()
  const pipeline = definePipeline({
    name: 'doctor',
    stages: {
      identity: onnx(Buffer.from(identityModel, 'base64'), { inputs: { x: 'request.x' } }),
    },
    outputs: { y: 'identity.y' },
  })
  const engine = await Engine.start(pipeline)
  try {
    const { y } = await engine.infer({ x: new Float32Array([1]) })
    if (y.data[0] !== 1) throw new Error(`a model that changes nothing made ${y.data[0]} of 1`)
    return performance.now() - beganMs
  } finally {
    await engine.close()
  }
}
