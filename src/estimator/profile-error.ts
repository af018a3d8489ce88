import { MillraceError } from '../errors.ts'
import type { Profile } from '../profile/profile.ts'

/** A profile contradicts itself: MILLRACE_INVALID_FILE. */
export function profileError(
  profile: Pick<Profile, 'pipeline'>,
  { problem, fix = 'correct the profile, or measure it anew' }: { problem: string; fix?: string },
): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_FILE',
    message: `profile of "${profile.pipeline}": ${problem}; ${fix}`,
  })
}
