// Plans one of the paper's pipelines with the addon that MILLRACE_ADDON names, and prints what is predicted: the same on
// every processor, to the last digit.
import { fileURLToPath } from 'node:url'
import { Planner, readHardware, readProfile, Trace } from '../../dist/index.js'

const fileOf = (/** @type {string} */ name) =>
  fileURLToPath(new URL(`../../profiles/${name}`, import.meta.url))
const profile = await readProfile(fileOf('social-media.json'))
const hardware = await readHardware(fileOf('hardware.json'))
const trace = Trace.gamma({ ratePerS: 100, cv2: 4, durationMs: 20_000, seed: 1 })
const plan = await new Planner({ profile, hardware }).plan(trace, {
  objective: { latencyMs: 400, percentile: 99 },
})
console.log(JSON.stringify({ configuration: plan.configuration, estimate: plan.estimate }))
