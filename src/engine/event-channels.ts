// The events of all engines, on `diagnostics_channel`: `millrace:scale` and so on, for tools that hold no engine.
import { type Channel, channel } from 'node:diagnostics_channel'

/** What is published on `millrace:NAME`. */
export interface EventMessage {
  /** Whose event it is. */
  readonly engine: object
  /** The name of its pipeline. */
  readonly pipeline: string
  /** What a listener of the event is given; undefined for `close`. */
  readonly event: unknown
}

// Held here for good: a channel that nobody holds may be collected with its subscribers.
const channels: Readonly<Record<string, Channel>> = {
  scale: channel('millrace:scale'),
  swap: channel('millrace:swap'),
  apply: channel('millrace:apply'),
  shed: channel('millrace:shed'),
  fallback: channel('millrace:fallback'),
  error: channel('millrace:error'),
  close: channel('millrace:close'),
}

/** Costs nothing but a look while nobody listens. */
export function publishEvent(name: string, message: EventMessage): void {
  const to = channels[name]
  if (to?.hasSubscribers) to.publish(message)
}
