// Brings a clone to a state in which anything runs: dependencies, native core, TypeScript. Runs before node_modules exists,
// so it uses Node alone. Every npm command that needs the build calls it first; when nothing changed it only compares
// hashes. Speaks on stderr, so that a command whose output is data can be piped.
//   MILLRACE_SETUP_VERBOSE=1   shows the output of what it runs as it comes
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { acquireLock } from './setup/lock.mjs'
import { isCurrent, markCurrent, setupSteps } from './setup/steps.mjs'
import { checkNode, MissingToolError } from './setup/toolchain.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} message */
const say = (message) => process.stderr.write(`millrace: ${message}\n`)

function setUp() {
  checkNode(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node)
  const steps = setupSteps(root)
  if (steps.every((step) => isCurrent(step))) return

  const release = acquireLock({
    path: join(root, 'build', '.setup-lock'),
    onWait: (pid) => say(`waiting for another command that is setting up (process ${pid})`),
  })
  try {
    for (const step of steps) {
      // Asked again under the lock: whoever held it before us may have done the work.
      if (isCurrent(step)) continue
      if (step.message) say(step.message)
      const inputs = step.fingerprint()
      step.run()
      // The inputs as they were before the run: an edit made meanwhile is picked up by the next command.
      markCurrent(step, inputs)
    }
  } finally {
    release()
  }
}

try {
  setUp()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  if (!(error instanceof MissingToolError) && process.env['MILLRACE_SETUP_VERBOSE'] !== '1') {
    say('MILLRACE_SETUP_VERBOSE=1 shows everything that setup runs')
  }
  process.exitCode = 1
}
