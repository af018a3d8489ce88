/**
 * The route one would write by hand: Fastify, the body as bytes, a tensor of it, `session.run`, and the answer as JSON.
 * With the options that people leave as they are, and with those that its documentation recommends for a service: one
 * thread and no spinning, since requests come side by side.
 */
import Fastify, { type FastifyInstance } from 'fastify'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { smallModel } from './onnxruntime.ts'

export const routeSettings = {
  defaults: {},
  tuned: {
    intraOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  },
} satisfies Record<string, InferenceSession.SessionOptions>

export async function onnxruntimeRoute(
  options: InferenceSession.SessionOptions,
): Promise<FastifyInstance> {
  const session = await InferenceSession.create(smallModel.modelPath, options)
  const app = takingBytes()
  app.post('/', async (request) => {
    const pixels = floatsOf(request.body as Buffer)
    const outputs = await session.run({ image: new Tensor('float32', pixels, [1, 1, 8, 8]) })
    return {
      label: Number(outputs['label']?.data[0]),
      confidence: Number(outputs['confidence']?.data[0]),
    }
  })
  app.addHook('onClose', () => session.release())
  return app
}

/** A Fastify that takes bodies of bytes. */
export function takingBytes(): FastifyInstance {
  const app = Fastify()
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    (_request, body, done) => {
      done(null, body)
    },
  )
  return app
}

/** A copy: a body need not begin where floats may. */
export function floatsOf(body: Buffer): Float32Array {
  return new Float32Array(new Uint8Array(body).buffer)
}
