/**
 * A closed loop over HTTP/1.1, to be called in a process of its own: bare sockets that keep their connection and send the
 * same bytes again as soon as they have an answer. It reads no more of the answer than its status and length, so that it
 * is not what is measured.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { newLatencyHistogram, recordLatencyMs } from './latency-histogram.ts'

export type HttpLoadOptions = {
  port: number
  path: string
  /** Names and values beside host and content-length. */
  headers: Record<string, string>
  /** A file that holds the body. */
  bodyFile: string
  connections: number
  durationMs: number
}

export type HttpLoadReport = {
  requestsPerS: number
  p50Ms: number
  p99Ms: number
  /** Answers by status. */
  statuses: Record<string, number>
  /** Body of the last answer, cut short. */
  sample: string
}

const headEnd = Buffer.from('\r\n\r\n')
const longestSample = 500

export async function httpLoad(options: HttpLoadOptions): Promise<HttpLoadReport> {
  const latency = newLatencyHistogram()
  const statuses: Record<string, number> = {}
  const state = { endMs: performance.now() + options.durationMs, sample: '' }
  const bytes = requestBytes(options)
  const startMs = performance.now()
  await Promise.all(
    Array.from({ length: options.connections }, async () => {
      const socket = connect(options.port, '127.0.0.1').setNoDelay(true)
      await once(socket, 'connect')
      await converse(socket, {
        bytes,
        answered: (status, { body, latencyMs }) => {
          statuses[status] = (statuses[status] ?? 0) + 1
          recordLatencyMs(latency, latencyMs)
          state.sample = body
          return performance.now() < state.endMs
        },
      })
    }),
  )
  const seconds = (performance.now() - startMs) / 1000
  return {
    requestsPerS: latency.totalCount / seconds,
    p50Ms: latency.getValueAtPercentile(50) / 1000,
    p99Ms: latency.getValueAtPercentile(99) / 1000,
    statuses,
    sample: state.sample,
  }
}

type Conversation = {
  bytes: Buffer
  /** Whether to ask again. */
  answered: (status: string, answer: { body: string; latencyMs: number }) => boolean
}

function converse(socket: Socket, { bytes, answered }: Conversation): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentMs = performance.now()
    let head = ''
    let missing = -1
    let pending: Buffer = Buffer.alloc(0)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the server closed the connection')))
    socket.on('data', (chunk: Buffer) => {
      if (missing < 0) {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
        const end = pending.indexOf(headEnd)
        if (end < 0) return
        head = pending.toString('latin1', 0, end)
        const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
        if (length === undefined) return reject(new Error(`no content-length in: ${head}`))
        missing = end + headEnd.length + Number(length) - pending.length
      } else missing -= chunk.length
      if (missing > 0) return
      const body = pending.subarray(head.length + headEnd.length)
      const answer = {
        body: body.toString('utf8', 0, longestSample),
        latencyMs: performance.now() - sentMs,
      }
      const again = answered(head.slice(9, 12), answer)
      missing = -1
      pending = Buffer.alloc(0)
      if (!again) {
        socket.removeAllListeners('close').destroy()
        return resolve()
      }
      sentMs = performance.now()
      socket.write(bytes)
    })
    socket.write(bytes)
  })
}

function requestBytes({ path, headers, bodyFile }: HttpLoadOptions): Buffer {
  const body = readFileSync(bodyFile)
  const lines = Object.entries({
    host: '127.0.0.1',
    ...headers,
    'content-length': String(body.length),
  })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head}\r\n`), body])
}
