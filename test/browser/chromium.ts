// A real browser, where there is one: Debian's package chromium, or the one that MILLRACE_CHROMIUM names.
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = [
  process.env['MILLRACE_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

const executablePath = places.find((path) => path !== undefined && existsSync(path))

/**
 * Whether to leave out tests that need it, which is said once. In CI nothing is left out: without a browser those tests fail.
 */
export const isWithoutChromium = executablePath === undefined && process.env['CI'] === undefined
if (isWithoutChromium) {
  console.warn('No Chromium here, so nothing is opened in a browser: apt-get install -y chromium')
}

export async function openChromium(): Promise<Browser> {
  if (executablePath === undefined) {
    throw new Error('expected Chromium, found none; install it with: apt-get install -y chromium')
  }
  // A container is often root, and has little shared memory.
  const args = ['--no-sandbox', '--disable-dev-shm-usage']
  return await chromium.launch({ executablePath, args })
}
