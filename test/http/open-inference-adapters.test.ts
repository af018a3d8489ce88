// The Open Inference Protocol where it is mounted: the suites of the handler, against both frameworks.
import type { FastifyReply } from 'fastify'
import { Engine } from '../../src/index.ts'
import { identityOf } from '../engine/pipelines.ts'
import { type Framework, frameworks, listen } from './apps.ts'
import { openInferenceServiceSuite } from './open-inference-service-suite.ts'
import { openInferenceSuite } from './open-inference-suite.ts'
import type { Serve } from './serve-node.ts'

// A path that is no percent-encoding never reaches a route of Fastify: the host gives that answer its form.
const server = {
  frameworkErrors: (error: Error, _request: unknown, reply: FastifyReply) =>
    void reply.code(400).send({ error: `the path is not percent-encoded UTF-8: ${error.message}` }),
}

function serveIn(framework: Framework): Serve {
  return async (handler) => {
    const engine = await Engine.start(identityOf('float32'))
    const app = await listen(framework, { engine, leaveMs: 0, mount: { '/': handler }, server })
    return { url: app.url, close: () => app.close() }
  }
}

for (const framework of frameworks) {
  openInferenceSuite(framework, serveIn(framework))
  openInferenceServiceSuite(framework, serveIn(framework))
}
