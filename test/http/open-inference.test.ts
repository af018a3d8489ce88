import { openInferenceServiceSuite } from './open-inference-service-suite.ts'
import { openInferenceSuite } from './open-inference-suite.ts'
import { serveNode } from './serve-node.ts'

openInferenceSuite('node:http', serveNode)
openInferenceServiceSuite('node:http', serveNode)
