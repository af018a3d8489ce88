// The Open Inference Protocol where it is mounted: the suites of the handler, against both frameworks.
import { Engine } from '../../src/index.ts'
import { identityOf } from '../engine/pipelines.ts'
import { type Framework, frameworks, listen } from './apps.ts'
import { openInferenceServiceSuite } from './open-inference-service-suite.ts'
import { openInferenceSuite } from './open-inference-suite.ts'
import type { Serve } from './serve-node.ts'

function serveIn(framework: Framework): Serve {
  return async (handler) => {
    const engine = await Engine.start(identityOf('float32'))
    const app = await listen(framework, { engine, leaveMs: 0, mount: { '/some/where': handler } })
    return { url: `${app.url}/some/where`, close: () => app.close() }
  }
}

for (const framework of frameworks) {
  openInferenceSuite(framework, serveIn(framework))
  openInferenceServiceSuite(framework, serveIn(framework))
}
