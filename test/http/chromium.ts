// Debian's Chromium, which CI installs; where it is missing, tests that need it are left out and say so.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const found = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => (process.env['PATH'] ?? '').split(delimiter).map((path) => join(path, name)))
  .find((path) => existsSync(path))

/** In CI it must be there: a test that is left out for ever tests nothing. */
export const isChromiumMissing = found === undefined && process.env['CI'] === undefined
if (isChromiumMissing) {
  console.warn('left out: no chromium is installed. Install it with: apt-get install -y chromium')
}

export async function launchChromium(): Promise<Browser> {
  if (found === undefined) throw new Error('no chromium is installed: apt-get install -y chromium')
  // As root, which CI is, Chromium has no sandbox; it opens pages of this test alone.
  return await chromium.launch({ executablePath: found, args: ['--no-sandbox'] })
}
