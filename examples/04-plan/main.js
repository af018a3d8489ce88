// Profile, plan, serve: from an objective to a configuration, and whether what was predicted comes true. README.md explains
// what is printed. Everything is done by the commands of `millrace`, as they are printed.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { printPlans } from './report.js'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: join(import.meta.dirname, 'out') },
    quick: { type: 'boolean', default: false },
  },
})
const seconds = options.quick ? 3 : Number(options.seconds)
if (!(seconds > 0 && Number.isInteger(Number(options.seed)))) {
  console.error('usage: main.js [--seconds SECONDS] [--seed INTEGER] [--out FOLDER] [--quick]')
  process.exit(2)
}

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} module
 * @property {number} ratePerS
 * @property {number} cv2 Of the gaps between arrivals, squared coefficient of variation: 1 is Poisson, 4 is bursty.
 * @property {number[]} objectivesMs p99, from strict to loose.
 *
 * @typedef {object} Served
 * @property {number} objectiveMs
 * @property {import('millrace').Plan} [plan]
 * @property {{ p50Ms: number, p99Ms: number, attainment: number }} [measured]
 * @property {string} [problem] Why there is no plan.
 */

/** @type {Case[]} */
const cases = [
  {
    name: 'digits',
    module: '../01-digits-cascade/pipeline.js',
    ratePerS: 2000,
    cv2: 1,
    objectivesMs: [1, 5, 20],
  },
  {
    name: 'pages',
    module: '../02-page-of-digits/pipeline.js',
    ratePerS: 60,
    cv2: 4,
    objectivesMs: [30, 60, 120],
  },
]

/** Exit code of `millrace plan` where no configuration meets the objective. */
const infeasible = 3
const command = join(dirname(fileURLToPath(import.meta.resolve('millrace'))), 'cli', 'main.js')
mkdirSync(options.out, { recursive: true })
for (const one of cases) await planAndServe(one)

/** @param {Case} one */
async function planAndServe({ name, module, ratePerS, cv2, objectivesMs }) {
  const pipeline = fileURLToPath(new URL(module, import.meta.url))
  const file = (/** @type {string} */ what) => join(options.out, `${name}-${what}.json`)
  const [profile, planned, live] = [file('profile'), file('trace-planned'), file('trace-live')]
  console.log(`${name}: ${ratePerS} requests/s, cv2 ${cv2}\n`)
  await millrace('profile', pipeline, '--out', profile)
  // What is planned for, and another trace of the same process: what comes is never what was planned for.
  const process = ['--rate', ratePerS, '--cv2', cv2]
  await millrace('trace', ...process, '--duration', 60, '--seed', options.seed, '--out', planned)
  const seed = Number(options.seed) + 1
  await millrace('trace', ...process, '--duration', seconds, '--seed', seed, '--out', live)
  /** @type {Served[]} */
  const served = []
  for (const objectiveMs of objectivesMs) {
    const plan = file(`plan-${objectiveMs}ms`)
    const input = ['--profile', profile, '--trace', planned, '--slo', objectiveMs, '--out', plan]
    const { problem } = await millrace('plan', ...input)
    if (problem !== undefined) {
      served.push({ objectiveMs, problem })
      continue
    }
    const { output } = await millrace('run', pipeline, '--trace', live, '--plan', plan, '--json')
    const { measured } = JSON.parse(output)
    served.push({ objectiveMs, plan: JSON.parse(readFileSync(plan, 'utf8')), measured })
  }
  printPlans(served)
}

/**
 * Runs a command, and says which.
 *
 * @param {...(string | number)} words
 * @returns {Promise<{ output: string, problem?: string }>} What it printed; where nothing is feasible, why.
 */
async function millrace(...words) {
  const shown = words.map((word) => {
    return String(word).includes('/') ? relative(process.cwd(), String(word)) : word
  })
  console.log(`$ millrace ${shown.join(' ')}`)
  const run = promisify(execFile)(process.execPath, [command, ...words.map(String)])
  run.child.stderr?.on('data', (chunk) => process.stderr.isTTY && process.stderr.write(chunk))
  try {
    const { stdout } = await run
    return { output: stdout }
  } catch (error) {
    const { code, stderr } = /** @type {{ code: number, stderr: string }} */ (error)
    if (code === infeasible) return { output: '', problem: stderr.trim() }
    throw new Error(`millrace ${words[0]} ended with exit code ${code}: ${stderr}`)
  }
}
