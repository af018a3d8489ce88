import type { Hardware } from '../profile/hardware.ts'
import { defaultHardware, readHardware } from '../profile/read-hardware.ts'

export const hardwareHelp =
  'tiers and their prices per hour (default: profiles/hardware.json of this package)'

/** The tiers and prices of a file, or those that come with this package. */
export function readHardwareOption(file: string | undefined): Promise<Hardware> {
  return file === undefined ? defaultHardware() : readHardware(file)
}
