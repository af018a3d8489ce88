// Plans as files: written by the planner, read by whoever simulates, applies or tunes them.
import type { PlannedConfiguration } from '../estimator/estimate.ts'
import { checkJson } from '../json/check-json.ts'
import { jsonError } from '../json/json-problem.ts'
import { readJsonFile, writeJsonFile } from '../json-file.ts'
import type { Plan } from './plan.ts'

/** As much of a plan as a simulation needs: a configuration, and what else the file says. */
export type ConfigurationFile = Pick<Plan, 'configuration'> & Partial<Plan>

const schema = 'plan'
const fix = 'correct the file, or have it written anew with: millrace plan'
const complete = [
  'pipeline',
  'objective',
  'strategy',
  'costPerHour',
  'estimate',
  'tuning',
  'reasons',
  'search',
] as const satisfies readonly (keyof Plan)[]

/**
 * The plan that a file holds, nothing left out: see profiles/README.md.
 *
 * @param path The file, as `node:fs` takes it.
 * @param options What is asked of the plan beside being whole. Default: nothing.
 * @param options.pipeline Name of the pipeline that the plan has to be for. Default: any.
 * @throws {MillraceError} MILLRACE_INVALID_FILE where it cannot be read, is no plan or a part of one, or is for another
 * pipeline.
 */
export async function readPlan(
  path: string,
  options: { readonly pipeline?: string | undefined } = {},
): Promise<Plan> {
  const plan = await readConfiguration(path, options)
  const missing = complete.find((key) => plan[key] === undefined)
  if (missing === undefined) return plan as Plan
  throw jsonError(
    { where: path, fix },
    {
      path: [missing],
      problem: 'expected a whole plan, got one without it',
      fix: 'a configuration alone can be simulated; have a plan written with: millrace plan',
    },
  )
}

/**
 * The configuration that a file holds: a plan, or a part of one with `version` and `configuration` at least.
 *
 * @param path The file, as `node:fs` takes it.
 * @param options What is asked of it besides. Default: nothing.
 * @param options.pipeline Name of the pipeline that the plan has to be for, where it names one. Default: any.
 * @throws {MillraceError} MILLRACE_INVALID_FILE where it cannot be read, is no plan, or is for another pipeline.
 */
export async function readConfiguration(
  path: string,
  options: { readonly pipeline?: string | undefined } = {},
): Promise<ConfigurationFile> {
  const { pipeline } = options
  const plan = (await readJsonFile(path, { schema, fix })) as ConfigurationFile
  if (pipeline === undefined || plan.pipeline === undefined || plan.pipeline === pipeline) {
    return plan
  }
  throw jsonError(
    { where: path, fix },
    {
      path: ['pipeline'],
      problem: `expected a plan for pipeline "${pipeline}", got one for "${plan.pipeline}"`,
      fix: 'give the plan of this pipeline, or plan anew with: millrace plan',
    },
  )
}

/**
 * Writes a plan to a file, whole or not at all, so that {@link readPlan} reads it back. Makes no directories.
 *
 * @param path The file, as `node:fs` takes it.
 * @param plan A plan, or a part of one, which {@link readConfiguration} reads back.
 * @param plan.version Of the format.
 * @param plan.configuration By stage: how it is to be run.
 * @throws {MillraceError} MILLRACE_INVALID_FILE where it is no plan, or the file cannot be written.
 */
export async function writePlan(
  path: string,
  plan: { readonly version: 1; readonly configuration: PlannedConfiguration },
): Promise<void> {
  await writeJsonFile(path, checkJson(plan, { where: 'plan', schema, fix }))
}
