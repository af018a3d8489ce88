// Digits behind Express: a PNG in, a digit out. README.md has the requests to send.
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import express from 'express'
import { Engine, livePage, metricsRoute, observeMetrics, openInference } from 'millrace'
import { millrace, millraceErrors, mount } from 'millrace/express'
import { cascade } from '../01-digits-cascade/pipeline.js'
import { readPng } from '../06-fastify/read-png.js'
import { ask, printRequests } from '../06-fastify/requests.js'

const { values: options } = parseArgs({
  options: { port: { type: 'string', default: '3007' }, once: { type: 'boolean', default: false } },
})

const engine = await Engine.start(cascade)
const { registry } = observeMetrics(engine)
const serving = millrace({ engine })
const app = express()

app.use(serving)
app.use('/health', mount(serving.health))
app.use('/inference', mount(openInference({ models: { digits: engine } })))
app.use('/metrics', mount(metricsRoute({ registry, path: '/' })))
app.use('/live', mount(livePage({ engines: { digits: engine } }))) // behind your own authentication

app.post('/digits', express.raw({ type: 'image/png', limit: '1mb' }), async (request, response) => {
  const image = Buffer.isBuffer(request.body) ? await readPng(request.body) : undefined
  if (image === undefined) return response.status(400).json({ error: 'send a picture' })
  const { label, confidence } = await request.millrace.infer({ image })
  return response.json({
    digit: Number(label?.data[0]),
    confidence: Number(confidence?.data[0]),
  })
})

app.use(millraceErrors())

const server = app.listen(options.once ? 0 : Number(options.port), '127.0.0.1')
// Answers what was asked, refuses nothing, closes the engine.
closeWithGrace({ delay: 15_000, skip: ['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE'] }, () =>
  serving.shutdown(server),
)
await once(server, 'listening')
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
const url = `http://127.0.0.1:${port}`

if (options.once) {
  await ask(url)
  await serving.shutdown(server)
} else printRequests(url)
