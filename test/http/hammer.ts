import { Agent, request } from 'undici'
import { onTestFinished } from 'vitest'

export interface Hammering {
  /** How many requests ended in which way. */
  readonly outcomes: Record<string, number>
  /** Fulfils when every client has left. */
  readonly done: Promise<unknown>
}

/**
 * Clients that keep their connection and ask again as soon as they have their answer, until an answer tells them to leave.
 */
export function hammer(url: string, clients: number): Hammering {
  const outcomes: Record<string, number> = {}
  const agent = new Agent({ connections: clients, pipelining: 1 })
  onTestFinished(() => agent.destroy())
  const ask = async (): Promise<boolean> => {
    let outcome: string
    let told = true
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher: agent,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '[1,2,3,4]',
      })
      const text = await body.text()
      told = headers['connection'] === 'close'
      outcome = statusCode === 200 && text === '[1,2,3,4]' ? 'answered' : `${statusCode}: ${text}`
    } catch (error) {
      outcome = String((error as { code?: string }).code)
    }
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    return told
  }
  const run = async (): Promise<void> => {
    while (!(await ask()));
  }
  return { outcomes, done: Promise.all(Array.from({ length: clients }, run)) }
}
