// Digits behind Express: a PNG in, a digit out. README.md has the requests to send.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import express from 'express'
import { Engine, livePage, metricsRoute, observeMetrics, openInference } from 'millrace'
import { millrace, millraceErrors, mount } from 'millrace/express'
import { cascade } from '../01-digits-cascade/pipeline.js'
import { readPng } from '../06-fastify/read-png.js'

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

if (options.once) await askOnce()
else {
  const picture = '--data-binary @examples/06-fastify/data/digit.png'
  console.log(`curl -H 'content-type: image/png' ${picture} ${url}/digits`)
  console.log(`curl ${url}/health/ready`)
  console.log(`curl ${url}/inference/v2/models/digits`)
  console.log(`curl ${url}/metrics`)
  console.log(`npx millrace top ${url}/live    # or look at ${url}/live/ in a browser`)
}

/** What the README asks by curl, and then ends. */
async function askOnce() {
  await serving.started()
  const picture = readFileSync(new URL('../06-fastify/data/digit.png', import.meta.url))
  const headers = { 'content-type': 'image/png' }
  const answers = [
    await fetch(`${url}/digits`, { method: 'POST', headers, body: picture }),
    await fetch(`${url}/health/ready`),
    await fetch(`${url}/inference/v2/models/digits`),
    await fetch(`${url}/metrics`),
    await fetch(`${url}/live`), // sent on to /live/
  ]
  for (const answer of answers) console.log(answer.status, (await answer.text()).slice(0, 200))
  await serving.shutdown(server)
}
