// Requests as a client makes them, without what fetch would put right.
import { Agent, request } from 'undici'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
  readonly text: string
}

export interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array | undefined
}

// A connection each: one that is kept may be closed by the server just when it is used again.
const dispatcher = new Agent({ pipelining: 0 })

export async function send(url: string, path: string, sent: Sent = {}): Promise<Reply> {
  const { statusCode, headers, body } = await request(`${url}${path}`, {
    dispatcher,
    method: (sent.method ?? 'GET') as 'GET',
    ...(sent.headers === undefined ? {} : { headers: sent.headers }),
    ...(sent.body === undefined ? {} : { body: sent.body }),
  })
  const bytes = Buffer.from(await body.arrayBuffer())
  return { status: statusCode, headers, bytes, text: bytes.toString() }
}

/** JSON and then the bytes of tensors, as the binary extension has it. */
export function binaryBody(document: object, tensors: readonly Uint8Array[] = []): Sent {
  const json = Buffer.from(JSON.stringify(document))
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(json.length),
    },
    body: Buffer.concat([json, ...tensors]),
  }
}

export function jsonBody(document: unknown): Sent {
  const body = typeof document === 'string' ? document : JSON.stringify(document)
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body }
}

/** The document of a response, and the bytes of its binary outputs by name. */
export function readReply(reply: Reply) {
  const length = reply.headers['inference-header-content-length']
  const end = length === undefined ? reply.bytes.length : Number(length)
  const document = JSON.parse(reply.bytes.subarray(0, end).toString())
  const binary: Record<string, Buffer> = {}
  let at = end
  for (const { name, parameters } of document.outputs ?? []) {
    const size: number | undefined = parameters?.binary_data_size
    if (size === undefined) continue
    binary[name] = reply.bytes.subarray(at, at + size)
    at += size
  }
  return { document, binary, rest: reply.bytes.length - at }
}
