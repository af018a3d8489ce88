import { readJsonFile } from '../json-file.ts'
import { checkProfile, profileFix } from './check-profile.ts'
import type { Profile } from './profile.ts'

/**
 * The profile that a file holds: see profiles/README.md.
 *
 * @param path The file, as `node:fs` takes it.
 * @throws {MillraceError} MILLRACE_INVALID_FILE where it cannot be read or is no profile; see {@link checkProfile}.
 */
export async function readProfile(path: string): Promise<Profile> {
  const value = await readJsonFile(path, { schema: 'profile', fix: profileFix })
  return checkProfile(value, path)
}
