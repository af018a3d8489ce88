import { writeJsonFile } from '../json-file.ts'
import { checkProfile } from './check-profile.ts'
import type { Profile } from './profile.ts'

/**
 * Writes a profile to a file, whole or not at all, so that {@link readProfile} reads it back. Makes no directories.
 *
 * @param path The file, as `node:fs` takes it.
 * @throws {MillraceError} MILLRACE_INVALID_FILE where it is no profile, or the file cannot be written.
 */
export async function writeProfile(path: string, profile: Profile): Promise<void> {
  await writeJsonFile(path, checkProfile(profile, 'profile'))
}
