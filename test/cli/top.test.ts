import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEvents } from '../../src/cli/event-stream.ts'
import { eventsUrl } from '../../src/cli/live-stream.ts'
import { cutTo } from '../../src/cli/screen.ts'
import { Engine } from '../../src/engine/engine.ts'
import { livePage } from '../../src/http/live-page.ts'
import type { LiveSnapshot } from '../../src/observe/live-snapshot.ts'
import { type NodeServer, serveHandler } from '../http/node-server.ts'
import { digits, images } from '../http/tuned-digits.ts'
import { binary, documentOf, millrace } from './millrace.ts'

let engine: Engine<typeof digits>
let server: NodeServer
beforeAll(async () => {
  engine = await Engine.start(digits)
  await engine.inferMany(images.slice(0, 50))
  server = await serveHandler(livePage({ engines: { 'a\u001b[31mb': engine }, intervalMs: 200 }))
})
afterAll(async () => {
  await server.close()
  await engine.close()
})

describe('top', () => {
  it('shows one snapshot', async () => {
    const { exitCode, stdout, stderr } = await millrace(['top', server.url, '--once'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^a\?\[31mb {2}pipeline digits, p99 within 20 ms/)
    expect(stdout).toMatch(/^outcomes +50 completed$/m)
    expect(stdout).toMatch(/^fast +cpu-1 +\d+ /m)
    expect(stdout).not.toContain('\u001b')
  })

  it('prints the snapshot as JSON, with the last minutes', async () => {
    const given = ['top', server.url.slice(0, -1), '--once', '--json']
    const snapshot = documentOf(await millrace(given)) as LiveSnapshot
    expect(snapshot).toMatchObject({ version: 1, engines: [{ requests: { completed: 50 } }] })
    expect(snapshot.engines[0]?.history?.length).toBeGreaterThan(0)
  })

  it('goes on, a line a snapshot, until it is interrupted', async () => {
    const { exitCode, stdout } = await millrace(['top', server.url], {
      interruptAt: { after: /\n.*\n.*\n/, signal: 'SIGINT' },
    })
    expect(exitCode).toBe(130)
    const lines = stdout.trimEnd().split('\n')
    expect(lines.length).toBeGreaterThanOrEqual(3)
    for (const line of lines) expect(line).toMatch(/^[\d:T.Z-]+ a\?\[31mb serving, .* attainment /)
  })

  it('ends well when the engines are closed', async () => {
    const own = await Engine.start(digits)
    await using page = await serveHandler(livePage({ engines: { own }, intervalMs: 100 }))
    const child = spawn(process.execPath, [binary, 'top', page.url, '--json'])
    const said = { stdout: '', stderr: '' }
    let closing: Promise<void> | undefined
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text
        closing ??= own.close()
      })
    }
    const exitCode = await new Promise((resolve) => child.on('close', resolve))
    await closing
    expect({ exitCode, stderr: said.stderr }).toEqual({
      exitCode: 0,
      stderr: 'millrace top: the engines were closed\n',
    })
    expect(JSON.parse(said.stdout.split('\n')[0] ?? '')).toMatchObject({ version: 1 })
  })

  it.each([
    ['an address that is none', ['top', 'ftp://x'], 2, /^millrace top: URL: expected the address/],
    ['no address', ['top'], 2, /^millrace top: missing required argument 'URL'\n$/],
  ])('refuses %s', async (_what, given, wanted, message) => {
    const { exitCode, stdout, stderr } = await millrace(given)
    expect(stderr).toMatch(message)
    expect({ exitCode, stdout }).toEqual({ exitCode: wanted, stdout: '' })
  })

  it('says when there is no server, no live page, or another version', async () => {
    const wrong = createServer((request, response) => {
      const isOld = request.url === '/old/events'
      const contentType = isOld ? 'text/event-stream' : 'text/html'
      response.writeHead(request.url === '/none/events' ? 404 : 200, {
        'content-type': contentType,
      })
      response.end('event: snapshot\ndata: {"version":2,"engines":[]}\n\n')
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => wrong.once('listening', resolve))
    const url = `http://127.0.0.1:${(wrong.address() as AddressInfo).port}`
    for (const [path, message] of [
      ['/none', /expected the events of a live page, got status 404; give the address/],
      ['/html', /expected the events of a live page, got text\/html; give the address/],
      ['/old', /expected snapshots of version 1, got version 2: use the millrace/],
    ] as const) {
      const { exitCode, stdout, stderr } = await millrace(['top', `${url}${path}`, '--once'])
      expect(stderr).toMatch(message)
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    }
    await new Promise((resolve) => wrong.close(resolve))
    const { exitCode, stderr } = await millrace(['top', url])
    expect(stderr).toMatch(
      /^millrace top: .*cannot be reached: .*ECONNREFUSED.*is the server running\?\n$/,
    )
    expect(exitCode).toBe(1)
  })

  it('says that the connection was lost', async () => {
    const own = await serveHandler(livePage({ engines: { engine }, intervalMs: 100 }))
    const child = spawn(process.execPath, [binary, 'top', own.url])
    let stderr = ''
    child.stdout.once('data', () => void own.close())
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const exitCode = await new Promise((resolve) => child.on('close', resolve))
    expect(stderr).toMatch(/^millrace top: .*the connection was lost after \d+ snapshots\n$/)
    expect(exitCode).toBe(1)
  })
})

describe('the address of a live page', () => {
  it.each([
    ['http://h:1/live', 'http://h:1/live/events'],
    ['http://h:1/live/', 'http://h:1/live/events'],
    ['http://h:1/live/events', 'http://h:1/live/events'],
    ['http://h:1/live/snapshot.json?x=1#digits', 'http://h:1/live/events'],
    ['http://h:1', 'http://h:1/events'],
    ['127.0.0.1:3000/live', 'http://127.0.0.1:3000/live/events'],
    ['https://h/', 'https://h/events'],
  ])('may be %s', (given, wanted) => {
    expect(eventsUrl(given).href).toBe(wanted)
  })
})

describe('server-sent events', () => {
  it('are read however their bytes are cut', async () => {
    const bytes = Buffer.from(
      ': hello\n\nevent: a\ndata: {"x":"ü"}\ndata: 2\n\nretry: 5\n\ndata: 3\n\n',
    )
    for (const size of [1, 2, 7, 1000]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => {
        return bytes.subarray(at * size, (at + 1) * size)
      })
      const events: unknown[] = []
      for await (const event of readEvents(streamOf(chunks))) events.push(event)
      expect(events).toEqual([
        { name: 'a', data: '{"x":"ü"}\n2' },
        { name: 'message', data: '3' },
      ])
    }
  })
})

describe('a line on a screen', () => {
  it('is cut to its width, of which colours take none', () => {
    expect(cutTo('\u001b[1mabc\u001b[22mdef', 4)).toBe('\u001b[1mabc\u001b[22md')
    expect(cutTo('abc', 10)).toBe('abc')
  })
})

async function* streamOf(chunks: readonly Uint8Array[]) {
  yield* chunks
}
