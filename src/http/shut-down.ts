import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AdapterTerms } from './adapter-options.ts'

/** Ends servers of Node and the engines behind them, so that nothing is lost. */
export async function shutDown(servers: readonly Server[], terms: AdapterTerms): Promise<void> {
  const { connections, engines, leaveMs, timeoutMs } = terms
  await connections.leave(leaveMs)
  await Promise.all(servers.map((server) => closeServer(server, timeoutMs)))
  if (terms.closeEngines) await engines.close(timeoutMs)
}

async function closeServer(server: Server, timeoutMs: number): Promise<void> {
  if (!server.listening) return
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs)
  const closed = once(server, 'close')
  server.close()
  await closed
  clearTimeout(timer)
}
