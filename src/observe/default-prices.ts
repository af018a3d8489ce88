import { readFileSync } from 'node:fs'
import { packageFile } from '../package-file.ts'
import type { Prices } from './cost-per-hour.ts'

/** The prices that come with Millrace, `profiles/hardware.json`. */
export function defaultPrices(): Prices {
  return JSON.parse(readFileSync(packageFile('profiles/hardware.json'), 'utf8')) as Prices
}
