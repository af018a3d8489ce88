import { readFileSync } from 'node:fs'
import type { Prices } from './cost-per-hour.ts'

/** The prices that come with Millrace, `profiles/hardware.json`. */
export function defaultPrices(): Prices {
  const path = new URL('../../profiles/hardware.json', import.meta.url)
  return JSON.parse(readFileSync(path, 'utf8')) as Prices
}
