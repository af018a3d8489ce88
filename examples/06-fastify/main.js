// Digits behind Fastify: a PNG in, a digit out. README.md has the requests to send.
import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import Fastify from 'fastify'
import { Engine, livePage, metricsRoute, observeMetrics, openInference } from 'millrace'
import { millrace } from 'millrace/fastify'
import { cascade } from '../01-digits-cascade/pipeline.js'
import { readPng } from './read-png.js'
import { ask, printRequests } from './requests.js'

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '3006' }, once: { type: 'boolean', default: false } },
})

const engine = await Engine.start(cascade)
const { registry } = observeMetrics(engine)
const app = Fastify({ return503OnClosing: false })

await app.register(millrace, {
  engine,
  health: '/health',
  mount: {
    '/inference': openInference({ models: { digits: engine } }),
    '/metrics': metricsRoute({ registry, path: '/' }),
    '/live': livePage({ engines: { digits: engine } }), // behind your own authentication
  },
})

app.addContentTypeParser('image/png', { parseAs: 'buffer' }, (_request, body, done) => {
  done(null, body)
})

app.post('/digits', async (request, reply) => {
  const image = await readPng(/** @type {Buffer} */ (request.body))
  if (image === undefined) return reply.code(400).send({ error: 'send a picture' })
  const { label, confidence } = await request.millrace.infer({ image })
  return { digit: Number(label?.data[0]), confidence: Number(confidence?.data[0]) }
})

// Answers what was asked, refuses nothing, closes the engine.
closeWithGrace({ delay: 15_000, skip: ['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE'] }, () =>
  app.close(),
)
const url = await app.listen({ port: options.once ? 0 : Number(options.port), host: '127.0.0.1' })

if (options.once) {
  await ask(url)
  await app.close()
} else printRequests(url)
