import { checkJson } from '../json/check-json.ts'
import { type JsonProblem, jsonError } from '../json/json-problem.ts'
import type { Profile, StageProfile } from './profile.ts'
import { edgeProblems } from './profile-edges.ts'
import { pathProblems } from './profile-paths.ts'
import { contentionProblems, pointProblems } from './profile-points.ts'

/** What to do about a profile that is not as expected. */
export const profileFix = 'correct the file, or have it written anew with: millrace profile'

/**
 * A value that may be a profile: held against profiles/profile.schema.json, and against what a schema cannot say.
 * Batch sizes ascend from 1, and with them the mean does not fall and the mean of each row does not rise; quantiles
 * ascend, as contention does from one thread on; edges join known stages, each two once, and form no cycle; a gather stage
 * comes after its fan-out stage; paths visit known stages and open items of fan-out stages that they visit.
 *
 * @param value Anything, such as what a JSON text holds.
 * @param where What it is called in messages: the file, or `profile`.
 * @throws {MillraceError} MILLRACE_INVALID_FILE that names the place.
 */
export function checkProfile(value: unknown, where: string): Profile {
  const subject = { where, fix: profileFix }
  const profile = checkJson(value, { ...subject, schema: 'profile' }) as Profile
  for (const problem of problemsOf(profile)) throw jsonError(subject, problem)
  return profile
}

function* problemsOf(profile: Profile): Iterable<JsonProblem> {
  for (const [name, stage] of Object.entries(profile.stages)) yield* stageProblems(name, stage)
  yield* edgeProblems(profile)
  yield* pathProblems(profile)
  const contention = (profile.contention ?? []).map(({ busyThreads, slowdown }) => {
    return { busy: busyThreads, slowdown }
  })
  yield* contentionProblems(contention, { path: ['contention'], key: 'busyThreads' })
  for (const [tier, points] of Object.entries(profile.sharing ?? {})) {
    const sharing = points.map(({ busyReplicas, slowdown }) => ({ busy: busyReplicas, slowdown }))
    yield* contentionProblems(sharing, { path: ['sharing', tier], key: 'busyReplicas' })
  }
}

function* stageProblems(name: string, stage: StageProfile): Iterable<JsonProblem> {
  const path = ['stages', name]
  yield* tierProblems(stage.tiers, path)
  for (const [model, { tiers }] of Object.entries(stage.models ?? {})) {
    yield* tierProblems(tiers, [...path, 'models', model])
  }
}

function* tierProblems(
  tiers: StageProfile['tiers'],
  path: readonly string[],
): Iterable<JsonProblem> {
  for (const [tier, { points }] of Object.entries(tiers ?? {})) {
    yield* pointProblems(points, [...path, 'tiers', tier, 'points'])
  }
}
