// Runs the tests that need an NVIDIA GPU (test/gpu). Where this process can use none it says so, and why, and succeeds:
// nothing was tested.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { devices } from '../dist/index.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { devices: found, providers } = await devices()
const gpus = found.filter(({ kind }) => kind === 'cuda')
if (gpus.length === 0) {
  const why = providers.cuda.usable ? '' : `: ${providers.cuda.message}`
  console.log(`no GPU${why}; nothing was tested`)
} else {
  console.log(gpus.map(({ name }) => `GPU: ${name}`).join('\n'))
  const vitest = dirname(createRequire(import.meta.url).resolve('vitest/package.json'))
  const args = [join(vitest, 'vitest.mjs'), 'run', '--config', 'vitest.gpu.config.ts']
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  process.exitCode = status ?? 1
}
